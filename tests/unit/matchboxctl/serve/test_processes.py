"""The processes of `serve`."""

import subprocess
import sys

import pytest

from tests.support.serving import LIMIT

pytestmark = pytest.mark.system

# The first step of the loop is where an exception would leave its task.
PROGRAM = """
import asyncio, io, os, signal, sys
from matchboxctl.serve.processes import Processes

run = asyncio.events.Handle._run

def run_after_signal(handle):
    asyncio.events.Handle._run = run
    os.kill(os.getpid(), signal.SIGTERM)
    return run(handle)

class Server:
    async def serve(self, listeners, stop):
        await stop.wait()
        print("ended")

asyncio.events.Handle._run = run_after_signal
signal.signal(signal.SIGTERM, lambda *_: sys.exit())
Processes([], [], io.BytesIO()).run(Server(), [lambda: print("ending")])
"""


LATE = """
import io, os, signal
from matchboxctl.serve.processes import Processes

class Server:
    async def serve(self, listeners, stop):
        pass

Processes([], [], io.BytesIO()).run(Server())
os.kill(os.getpid(), signal.SIGTERM)
print("ended")
"""


def test_signal_while_what_runs_beside_serve_ends_changes_nothing() -> None:
    ended = subprocess.run([sys.executable, "-c", LATE], capture_output=True, text=True, timeout=LIMIT, check=False)
    assert (0, "ended\n", "") == (ended.returncode, ended.stdout, ended.stderr)


def test_signal_while_the_loop_starts_ends_serve_and_what_runs_beside_it_first() -> None:
    ended = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=LIMIT, check=False)
    assert (0, "ending\nended\n", "") == (ended.returncode, ended.stdout, ended.stderr)
