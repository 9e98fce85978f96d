"""Messages on a terminal of 40 columns."""

import os
import termios
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import pytest

from matchboxctl.cli.wrapping import wrapped


@pytest.fixture
def terminal() -> Iterator[TextIO]:
    first, second = os.openpty()
    termios.tcsetwinsize(second, (24, 40))
    with os.fdopen(first, "wb"), os.fdopen(second, "w") as stream:
        yield stream


def test_lines_end_between_words(terminal: TextIO) -> None:
    """Paths stay whole, and short lines as they are."""
    path = "/srv/matchbox/" + "deep-directory/" * 3
    assert [f"  {path}:", "    fault: kernel: /assets/k-1 does not", "    exist"] == wrapped(
        f"  {path}: fault: kernel: /assets/k-1 does not exist", terminal
    ).splitlines()
    assert "  two  spaces" == wrapped("  two  spaces", terminal)


def test_no_terminal_has_one_line() -> None:
    with Path(os.devnull).open("w", encoding="utf-8") as stream:
        assert "word " * 100 == wrapped("word " * 100, stream)
