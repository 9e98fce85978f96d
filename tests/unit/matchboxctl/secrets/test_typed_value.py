"""The value of a secret as it is typed on a terminal, or where there is none."""

import fcntl
import os
import subprocess
import sys
import termios
from contextlib import closing
from pathlib import Path

import pytest

pytestmark = pytest.mark.system


def typed(data_path: Path, *lines: str) -> tuple[int, str, list[bytes]]:
    """The exit code of `secret set a` on a terminal with these lines, what the terminal showed, and its arguments."""
    ours, its = os.openpty()
    command = [sys.executable, "-m", "matchboxctl.main", "secret", "set", "a", "--data-path", str(data_path)]
    with closing(os.fdopen(ours, "r+b", buffering=0)) as terminal:
        with subprocess.Popen(
            command,
            stdin=its,
            stdout=its,
            stderr=its,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        ) as process:
            os.close(its)
            arguments: list[bytes] = []
            output = b""
            for prompt, line in zip((b"secret a: ", b"again: "), lines, strict=False):
                output += read_until(terminal.fileno(), prompt)
                arguments += Path(f"/proc/{process.pid}/cmdline").read_bytes().split(b"\0")
                terminal.write(line.encode())
            output += read_until(terminal.fileno(), None)
        return process.returncode, output.decode(), arguments


def read_until(descriptor: int, end: bytes | None) -> bytes:
    """What the terminal shows until then, or until it is closed."""
    shown = b""
    while end is None or end not in shown:
        try:
            piece = os.read(descriptor, 1024)
        except OSError:
            # Linux's way to say that nobody has it open any more.
            break
        shown += piece
    return shown


def test_value_is_typed_twice_and_neither_shown_nor_an_argument(tmp_path: Path) -> None:
    code, shown, arguments = typed(tmp_path, "CANARY\n", "CANARY\n")
    assert 0 == code
    assert "secret a created" in shown
    assert "CANARY" not in shown
    assert b"set" in arguments
    assert not any(b"CANARY" in argument for argument in arguments)
    assert "CANARY" == (tmp_path / "secrets/a").read_text()


@pytest.mark.parametrize(
    ("lines", "reason"), [(("CANARY\n", "CANARI\n"), "the two values differ"), (("\n", "\n"), "the value is empty")]
)
def test_values_that_differ_or_are_empty_are_not_set(tmp_path: Path, lines: tuple[str, str], reason: str) -> None:
    code, shown, _ = typed(tmp_path, *lines)
    assert 1 == code
    assert reason in shown
    assert "CANAR" not in shown
    assert [] == list(tmp_path.iterdir())


def test_interrupt_at_the_prompt_sets_nothing(tmp_path: Path) -> None:
    code, shown, _ = typed(tmp_path, "CANARY\n", "\x03")
    assert 130 == code
    assert "interrupted" in shown
    assert [] == list(tmp_path.iterdir())
