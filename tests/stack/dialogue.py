"""Answers to a program's questions at a terminal, in `click`'s form: `Name [default]: `."""

import os
import pty
import re
import select
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

MAX_SILENCE = 120.0
"""Seconds that a program may be silent."""

_QUESTION = re.compile(r"([^\n]*\S) \[[^\n\]]*\]: \Z")
_COLOUR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Dialogue(NamedTuple):
    """How it ended, all that the terminal showed, and the questions without their defaults."""

    status: int
    said: str
    questions: list[str]


def dialogue(
    arguments: Sequence[str | Path], answer: Callable[[str], str], *, directory: Path, environment: Mapping[str, str]
) -> Dialogue:
    """Run a program to its end; `answer` is given each question, and what it returns is typed, then Enter.

    Raises TimeoutError with what was said last.
    """
    ours, its = pty.openpty()
    process = subprocess.Popen(arguments, cwd=directory, env=environment, stdin=its, stdout=its, stderr=its)
    os.close(its)
    said, seen, questions = "", 0, list[str]()
    try:
        while piece := _read(ours, said):
            said = _COLOUR.sub("", said + piece)
            if found := _QUESTION.search(said, seen):
                seen = len(said)
                questions.append(found[1].strip())
                os.write(ours, f"{answer(questions[-1])}\n".encode())
        return Dialogue(process.wait(MAX_SILENCE), said, questions)
    finally:
        os.close(ours)
        if process.poll() is None:
            process.kill()
            process.wait()


def _read(terminal: int, said: str) -> str:
    """The next that is shown; nothing at the end."""
    if not select.select([terminal], [], [], MAX_SILENCE)[0]:
        raise TimeoutError(f"silent for {MAX_SILENCE:.0f} s after {said[-500:]!r}")
    try:
        return os.read(terminal, 4096).decode(errors="replace")
    except OSError:
        # Linux says so of a terminal whose other side has been closed.
        return ""
