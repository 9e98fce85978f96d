"""The processes of `serve`."""

import os
import subprocess
import sys
from pathlib import Path

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
Processes([], [], io.BytesIO(), 0).run(Server(), [lambda: print("ending")])
"""


LATE = """
import io, os, signal
from matchboxctl.serve.processes import Processes

class Server:
    async def serve(self, listeners, stop):
        pass

Processes([], [], io.BytesIO(), 0).run(Server())
os.kill(os.getpid(), signal.SIGTERM)
print("ended")
"""


STUCK = """
import asyncio, io, os, signal, sys
from threading import Event, Thread
from matchboxctl.serve import processes

class Server:
    async def serve(self, listeners, stop):
        Thread(target=Event().wait).start()
        os.kill(os.getpid(), signal.SIGTERM)
        if sys.argv[1] == "loop":
            open(sys.argv[2])
        await stop.wait()

processes.END_SECONDS = 0.1
processes._REST_SECONDS = 0.1
processes.Processes([], [], io.BytesIO(), 0).run(Server(), [lambda: print("ending", flush=True)])
print("ended", flush=True)
"""


@pytest.mark.parametrize(("stuck", "printed"), [("thread", "ending\nended\n"), ("loop", "ending\n")])
def test_what_waits_for_a_file_system_that_does_not_respond_is_cut_off(
    tmp_path: Path, stuck: str, printed: str
) -> None:
    os.mkfifo(tmp_path / "pipe")
    command = [sys.executable, "-c", STUCK, stuck, str(tmp_path / "pipe")]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=False)
    assert (0, printed, "") == (ended.returncode, ended.stdout, ended.stderr)


def test_signal_while_what_runs_beside_serve_ends_changes_nothing() -> None:
    ended = subprocess.run([sys.executable, "-c", LATE], capture_output=True, text=True, timeout=LIMIT, check=False)
    assert (0, "ended\n", "") == (ended.returncode, ended.stdout, ended.stderr)


def test_signal_while_the_loop_starts_ends_serve_and_what_runs_beside_it_first() -> None:
    ended = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=LIMIT, check=False)
    assert (0, "ending\nended\n", "") == (ended.returncode, ended.stdout, ended.stderr)
