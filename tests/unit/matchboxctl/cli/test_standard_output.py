"""Standard output that is full, closed or has no reader ends a command with at most one line."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

import pytest

from tests.support.serving import LIMIT, started

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(sys.platform != "linux", reason="/dev/full is Linux's"),
]

PROGRAM = [sys.executable, "-m", "matchboxctl.main"]
COMMANDS: Mapping[str, Sequence[str]] = {
    "help": ["group", "--help"],
    "completion": ["completion", "bash"],
    "list": ["group", "list", "--data-path", "data"],
    "get": ["generic", "get", "t", "--data-path", "data"],
    "delete": ["group", "delete", "g", "--data-path", "data"],
    "render": ["render", "ipxe", "--data-path", "data"],
    "certs": ["certs", "certs", "--name", "localhost"],
    "serve": ["serve", "--data-path", "data", "--address", "127.0.0.1:0"],
}


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    profile = '{"boot": {"kernel": "/assets/vmlinuz"}}'
    for path, text in {"groups/g.json": '{"profile": "p"}', "profiles/p.json": profile, "generic/t": "text"}.items():
        (tmp_path / "data" / path).parent.mkdir(parents=True)
        (tmp_path / "data" / path).write_text(text)
    return tmp_path


@pytest.fixture
def full() -> Iterator[IO[bytes]]:
    """Linux's device that is always full."""
    with Path("/dev/full").open("wb") as device:
        yield device


def run(directory: Path, command: Sequence[str], stdout: IO[bytes] | int, **environment: str) -> tuple[int, str]:
    """Exit code and standard error."""
    ended = subprocess.run(
        [*PROGRAM, *command],
        cwd=directory,
        env={**os.environ, **environment},
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    return ended.returncode, ended.stderr


@pytest.mark.parametrize("name", COMMANDS)
def test_full_output_is_one_line(directory: Path, full: IO[bytes], name: str) -> None:
    line = "matchboxctl: standard output cannot be written: No space left on device\n"
    assert (1, line) == run(directory, COMMANDS[name], full)


def test_full_output_that_is_not_buffered_is_one_line(directory: Path, full: IO[bytes]) -> None:
    line = "matchboxctl: standard output cannot be written: No space left on device\n"
    assert (1, line) == run(directory, COMMANDS["list"], full, PYTHONUNBUFFERED="1")


@pytest.mark.parametrize("name", ["help", "list", "serve"])
def test_output_without_a_reader_ends_silently(directory: Path, name: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        assert (141, "") == run(directory, COMMANDS[name], writing)
    finally:
        os.close(writing)


def test_closed_output_is_one_line(directory: Path) -> None:
    shell = ["sh", "-c", 'exec "$@" >&-', "sh", *PROGRAM, *COMMANDS["list"]]
    ended = subprocess.run(shell, cwd=directory, capture_output=True, text=True, timeout=LIMIT, check=False)
    assert (1, "matchboxctl: standard output is closed\n") == (ended.returncode, ended.stderr)


def test_serve_with_a_full_log_responds(directory: Path) -> None:
    """Also for machines whose groups do not parse."""
    shell = ["sh", "-c", 'exec "$@" 2>/dev/full', "sh", *PROGRAM, "serve"]
    flags = ("--address", "127.0.0.1:0", "--data-path", str(directory / "data"))
    (directory / "data/groups/broken.json").write_text("{")
    with started(*flags, command=shell) as serve:
        (directory / "data/groups/other.json").write_text("{")
        assert [200, 200] == [serve.get("/ipxe").status for _ in range(2)]
