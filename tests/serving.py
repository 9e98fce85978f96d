"""`matchboxctl serve` as an operator starts it, for as long as a test needs it."""

import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

START_LIMIT = 30


@contextmanager
def serving(data: Path, *flags: str) -> Iterator[int]:
    """Serve a data directory on a free port of 127.0.0.1, which is what it yields; it must end cleanly on SIGTERM."""
    command = [sys.executable, "-m", "matchboxctl.main", "serve", "--address", "127.0.0.1:0", "--data-path", str(data)]
    with subprocess.Popen([*command, *flags], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            yield _port(process)
        finally:
            process.send_signal(signal.SIGTERM)
            assert 0 == process.wait(START_LIMIT)


def _port(process: subprocess.Popen[str]) -> int:
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("listening on "):
            port = int(line.rpartition(":")[2])
            _answers(port)
            return port
    raise AssertionError(f"serve ended with {process.wait()}")


def _answers(port: int) -> None:
    deadline = time.monotonic() + START_LIMIT
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=START_LIMIT) as answer:
                assert b"matchbox\n" == answer.read()
                return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
