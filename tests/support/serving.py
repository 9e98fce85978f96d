"""A running `matchboxctl serve`."""

import http.client
import os
import queue
import signal
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
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
    """A running `serve` on `port` of 127.0.0.1, and its output; see `started`."""

    def __init__(self, process: subprocess.Popen[str], tls: bytes = b"") -> None:
        self.port = -1
        self.startup_banner: list[str] = []
        self.errors: list[str] = []
        self._process = process
        self._tls = ssl.create_default_context(cadata=tls.decode()) if tls else None
        self._ports: queue.Queue[int] = queue.Queue()
        self._readers = [threading.Thread(target=self._read_startup_banner), threading.Thread(target=self._read_errors)]
        for reader in self._readers:
            reader.start()

    @property
    def pid(self) -> int:
        """The id of its first process."""
        return self._process.pid

    def await_response(self) -> None:
        """Wait for the first response. Raises AssertionError if the process ends before."""
        self.port = self._ports.get(timeout=LIMIT)
        if self.port < 0:
            raise AssertionError(f"serve ended with {self._ended()}: {self.errors}")
        assert b"matchbox\n" == self.get("/").body

    def await_line(self, line: str) -> list[str]:
        """The lines of its output up to this one, which need not come with the startup banner."""
        end = time.monotonic() + LIMIT
        while line not in self.startup_banner:
            assert time.monotonic() < end, self.startup_banner
            time.sleep(0.02)
        return self.startup_banner[: self.startup_banner.index(line) + 1]

    def get(self, target: str, user_agent: str = "curl/8.5.0", method: str = "GET", **headers: str) -> Reply:
        """The response, after retries on 503."""
        return retry_on_503(lambda: self.send(target, user_agent, method, **headers), lambda reply: reply.status)

    def send(self, target: str, user_agent: str = "curl/8.5.0", method: str = "GET", **headers: str) -> Reply:
        """The response, without retries."""
        connection = (
            http.client.HTTPConnection("127.0.0.1", self.port, timeout=LIMIT)
            if self._tls is None
            else http.client.HTTPSConnection("127.0.0.1", self.port, timeout=LIMIT, context=self._tls)
        )
        try:
            connection.request(method, target, headers={"User-Agent": user_agent, **headers})
            response = connection.getresponse()
            fields = {name.lower(): value for name, value in response.getheaders()}
            return Reply(response.status, fields, response.read())
        finally:
            connection.close()

    def end(self, number: int = signal.SIGTERM) -> None:
        """End it by a signal; it must exit with 0. All its output is read."""
        self._process.send_signal(number)
        assert 0 == self._ended()

    def kill(self) -> None:
        """Kill it."""
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
def started(
    *flags: str,
    environment: Mapping[str, str] | None = None,
    command: Sequence[str | Path] = COMMAND,
    directory: Path | None = None,
    tls: bytes = b"",
) -> Iterator[Serve]:
    """Start `serve` with these flags, in this environment or the test's own; `tls` is the authority of its https."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen([*command, *flags], text=True, env=environment, cwd=directory, **pipes) as process:
        serve = Serve(process, tls)
        try:
            serve.await_response()
            yield serve
        finally:
            # Its pipes are closed next, and no thread may be reading them then.
            serve.kill()


@contextmanager
def serving(data: Path, *flags: str) -> Iterator[int]:
    """Serve a data directory on a free port of 127.0.0.1, which is yielded; SIGTERM must end it cleanly."""
    with started("--address", "127.0.0.1:0", "--data-path", str(data), *flags) as serve:
        try:
            yield serve.port
        finally:
            serve.end()


def refused_start(*flags: str, environment: Mapping[str, str] | None = None) -> str:
    """The error of `serve`, whose last line it is."""
    ended = subprocess.run(
        [*COMMAND, *flags],
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
        env={**os.environ, **(environment or {})},
    )
    assert (2, "") == (ended.returncode, ended.stdout)
    *_, line = ended.stderr.splitlines()
    assert line.startswith("matchboxctl: ")
    return line
