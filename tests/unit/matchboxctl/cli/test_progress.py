"""A long command tells how far it has got."""

import io
import sys

import pytest

from matchboxctl.cli.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_bar_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal has a bar, whose length is the share that is done, and it is cleared at the end."""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    progress = Progress("downloading", 2000, "bytes")
    progress._printed -= 1
    progress.add(500)
    assert f"\rdownloading: [{'#' * 6}{' ' * 18}]  25% 500 of 2,000 bytes" == terminal.getvalue()
    progress.end()
    assert terminal.getvalue().endswith("\r\x1b[K")


def test_lines_elsewhere(capsys: pytest.CaptureFixture[str]) -> None:
    """What is no terminal has a line now and then, without a bar."""
    progress = Progress("downloading", 2000, "bytes")
    progress._printed -= 60
    progress.add(500)
    # However long the machine takes until the next one.
    progress._printed += 1000
    progress.add(500)
    progress.end()
    assert "downloading: 500 of 2,000 bytes\n" == capsys.readouterr().err
