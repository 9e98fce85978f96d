"""`matchboxctl serve` as an operator starts it, for as long as a test needs it."""

import http.client
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.support.retry_on_503 import retry_on_503

LIMIT = 60
COMMAND = [sys.executable, "-m", "matchboxctl.main", "serve"]


class Reply(NamedTuple):
    """Status, headers in lower case, body."""

    status: int
    headers: dict[str, str]
    body: bytes


class Serve:
    """A running `serve`, on `port` of 127.0.0.1, and the lines it has written; made by `started`."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.port = -1
        self.startup_banner: list[str] = []
        self.errors: list[str] = []
        self._process = process
        self._ports: queue.Queue[int] = queue.Queue()
        self._readers = [threading.Thread(target=self._read_startup_banner), threading.Thread(target=self._read_errors)]
        for reader in self._readers:
            reader.start()

    def await_answer(self) -> None:
        """Wait until it answers. Raises AssertionError where it ends before."""
        self.port = self._ports.get(timeout=LIMIT)
        if self.port < 0:
            raise AssertionError(f"serve ended with {self._ended()}: {self.errors}")
        assert b"matchbox\n" == self.get("/").body

    def get(self, target: str, user_agent: str = "curl/8.5.0", method: str = "GET", **headers: str) -> Reply:
        """The answer, asked for again while it is 503: the stores may be late on a busy machine."""
        return retry_on_503(lambda: self.ask(target, user_agent, method, **headers), lambda reply: reply.status)

    def ask(self, target: str, user_agent: str = "curl/8.5.0", method: str = "GET", **headers: str) -> Reply:
        """The first answer, whatever it is."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=LIMIT)
        try:
            connection.request(method, target, headers={"User-Agent": user_agent, **headers})
            answer = connection.getresponse()
            fields = {name.lower(): value for name, value in answer.getheaders()}
            return Reply(answer.status, fields, answer.read())
        finally:
            connection.close()

    def end(self, number: int = signal.SIGTERM) -> None:
        """End it as an operator does; it must end cleanly. All that it wrote is read."""
        self._process.send_signal(number)
        assert 0 == self._ended()

    def kill(self) -> None:
        """End it without a warning, as a power cut does."""
        self._process.kill()
        self._ended()

    def _ended(self) -> int:
        code = self._process.wait(LIMIT)
        for reader in self._readers:
            reader.join(LIMIT)
        return code

    def _read_startup_banner(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.startup_banner.append(line.rstrip("\n"))
            if line.startswith("listening on "):
                self._ports.put(int(line.rpartition(":")[2]))
        self._ports.put(-1)

    def _read_errors(self) -> None:
        assert self._process.stderr is not None
        self.errors.extend(line.rstrip("\n") for line in self._process.stderr)


@contextmanager
def started(*flags: str, environment: Mapping[str, str] | None = None) -> Iterator[Serve]:
    """Start `serve` with these flags and nothing but `environment` in its environment, or this process's own."""
    with subprocess.Popen(
        [*COMMAND, *flags], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        serve = Serve(process)
        try:
            serve.await_answer()
            yield serve
        finally:
            # Its pipes are closed next, which nobody may be reading then.
            serve.kill()


@contextmanager
def serving(data: Path, *flags: str) -> Iterator[int]:
    """Serve a data directory on a free port of 127.0.0.1, which is what it yields; it must end cleanly on SIGTERM."""
    with started("--address", "127.0.0.1:0", "--data-path", str(data), *flags) as serve:
        try:
            yield serve.port
        finally:
            serve.end()


def refused_start(*flags: str, environment: Mapping[str, str] | None = None) -> str:
    """The one line with which `serve` refuses to start."""
    ended = subprocess.run(
        [*COMMAND, *flags],
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
        env={**os.environ, **(environment or {})},
    )
    assert (2, "") == (ended.returncode, ended.stdout)
    (line,) = ended.stderr.splitlines()
    assert line.startswith("matchboxctl: ")
    return line
