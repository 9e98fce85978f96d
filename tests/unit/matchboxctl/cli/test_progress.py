import io
import sys

import pytest

from matchboxctl.cli.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_terminal_has_a_bar_that_is_cleared_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    progress = Progress("downloading", 2000, "bytes")
    progress._printed -= 1
    progress.add(500)
    assert f"\rdownloading: [{'#' * 6}{' ' * 18}]  25% 500 of 2,000 bytes" == terminal.getvalue()
    progress.end()
    assert terminal.getvalue().endswith("\r\x1b[K")


def test_other_outputs_have_a_line_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress("downloading", 2000, "bytes")
    progress._printed -= 60
    progress.add(500)
    # However long the machine takes until the next one.
    progress._printed += 1000
    progress.add(500)
    progress.end()
    assert "downloading: 500 of 2,000 bytes\n" == capsys.readouterr().err
