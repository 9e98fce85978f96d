"""`matchboxctl serve` as an operator starts it, for as long as a test needs it."""

import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

START_LIMIT = 30


class Serve:
    """A running `serve`, on `port` of 127.0.0.1; made by `started`."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.port = _port(process)

    def end(self) -> None:
        """End it as an operator does; it must end cleanly."""
        self._process.send_signal(signal.SIGTERM)
        assert 0 == self._process.wait(START_LIMIT)

    def kill(self) -> None:
        """End it without a warning, as a power cut does."""
        self._process.kill()
        self._process.wait()


@contextmanager
def started(*flags: str, environment: Mapping[str, str] | None = None) -> Iterator[Serve]:
    """Start `serve` with these flags and nothing but `environment` in its environment, or this process's own."""
    command = [sys.executable, "-m", "matchboxctl.main", "serve", *flags]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    ) as process:
        try:
            yield Serve(process)
        finally:
            process.kill()


@contextmanager
def serving(data: Path, *flags: str) -> Iterator[int]:
    """Serve a data directory on a free port of 127.0.0.1, which is what it yields; it must end cleanly on SIGTERM."""
    with started("--address", "127.0.0.1:0", "--data-path", str(data), *flags) as serve:
        try:
            yield serve.port
        finally:
            serve.end()


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
