"""What programs write to a terminal."""

import fcntl
import os
import re
import struct
import subprocess
import termios
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

_MOVES = re.compile(r"(?:\r\n?|\x1b\[[0-9]*[ABGJK]|\x1b\[\?25[lh])+")


class Written(NamedTuple):
    """The exit code, and all that was written."""

    code: int
    raw: bytes

    @property
    def frames(self) -> list[str]:
        """The lines that were shown one after the other, with their colours."""
        return [frame for frame in _MOVES.split(self.raw.decode()) if frame.strip()]


def on_terminal(
    command: Sequence[str | Path], columns: int, environment: Mapping[str, str], directory: Path | None = None
) -> Written:
    """Run a command on a terminal of that width."""
    ours, its = os.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    # Without COLUMNS.
    given = {"PATH": os.environ["PATH"], "TERM": "xterm-256color", **environment}
    with subprocess.Popen(command, stdout=its, stderr=its, stdin=its, env=given, cwd=directory) as process:
        os.close(its)
        written = b""
        while piece := _read(ours):
            written += piece
    os.close(ours)
    return Written(process.returncode, written)


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:
        # The other end is closed.
        return b""
