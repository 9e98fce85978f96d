"""The end of `serve` while requests wait for a file system that does not respond."""

import os
import socket
from pathlib import Path

import pytest

from tests.rigs.silent_disk import silent_disk
from tests.support.serving import LIMIT, started

pytestmark = [
    pytest.mark.real,
    pytest.mark.nightly,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount"),
]


@pytest.mark.parametrize(("target", "busy"), [("/assets/vmlinuz", "loop"), ("/assets/", "thread")])
@pytest.mark.parametrize("processes", ["1", "2"])
def test_serve_ends_while_its_file_system_is_away(tmp_path: Path, target: str, busy: str, processes: str) -> None:
    """A file's status is read by the event loop itself, a listing in a thread."""
    (tmp_path / "assets").mkdir()
    flags = ("--address", "127.0.0.1:0", "--data-path", str(tmp_path), "--processes", processes)
    with (
        started(*flags, "--console", "127.0.0.1:0") as serve,
        silent_disk(tmp_path / "assets"),
        socket.create_connection(("127.0.0.1", serve.port), LIMIT) as client,
    ):
        client.sendall(f"GET {target} HTTP/1.0\r\n\r\n".encode())
        client.settimeout(0.5)
        with pytest.raises(TimeoutError):
            client.recv(1)
        serve.end()
