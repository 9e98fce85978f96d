import io
import re
import sys
from concurrent.futures import CancelledError

import pytest

from matchboxctl.cli.progress import Progress
from matchboxctl.cli.work import BYTES
from tests.support.terminal import on_terminal

# Each step comes after the time that a bar waits for.
TWO_BARS = """
from matchboxctl.cli import progress
progress._TERMINAL_SECONDS = 0
with progress.Progress("a-source-with-a-very-long-name-that-needs-more-than-its-part", 300_000_000, "bytes") as one:
    with progress.Progress("other", 0, "items") as other:
        for _ in range(20):
            one.add(10_000_000)
            other.add(1234)
    with progress.bars_hidden():
        print("published sha256:" + "0" * 64, flush=True)
"""


def shown(program: str, columns: int, **environment: str) -> bytes:
    """What the program writes to a terminal of that width."""
    written = on_terminal([sys.executable, "-c", program], columns, environment)
    assert 0 == written.code, written.raw
    return written.raw


def lines_of(written: bytes) -> list[str]:
    """The lines without what moves the cursor and colours."""
    plain = re.sub(rb"\x1b\[[0-9;?]*[a-zA-Z]", b"", written)
    return [line for line in re.split(r"[\r\n]+", plain.decode()) if line]


@pytest.mark.system
@pytest.mark.parametrize("columns", [60, 80])
def test_bars_of_several_at_once_fit_the_terminal_and_are_gone_at_the_end(columns: int) -> None:
    written = shown(TWO_BARS, columns)
    lines = lines_of(written)
    # A terminal writes `^C` behind it.
    assert columns - 2 >= max(len(line) for line in lines if "published" not in line)
    assert any(line.startswith("a-source-") and "…" in line and "MB" in line for line in lines)
    assert any(line.startswith("other ") and line.endswith(" items") for line in lines)
    # The last thing on the terminal is what the command printed.
    after = written[written.rindex(b"published") :]
    assert b"items" not in after


@pytest.mark.system
def test_bars_obey_no_color() -> None:
    colours = b"\x1b[32m"
    assert colours in shown(TWO_BARS, 80)
    assert colours not in shown(TWO_BARS, 80, NO_COLOR="1")


def test_other_outputs_have_a_line_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress("talos", 200_000_000, BYTES)
    progress._printed -= 10
    progress.add(50_000_000)
    # However long the machine takes until the next one.
    progress._printed += 1000
    progress.add(50_000_000)
    progress.end()
    assert "talos: 50.0/200.0 MB, 5.0 MB/s, 0:30 left\n" == capsys.readouterr().err


@pytest.mark.parametrize(
    ("done", "total", "unit", "speed", "expected"),
    [
        (1200, 5000, "files", 100.0, ["1,200/5,000 files"]),
        (1200, 0, "items", None, ["1,200 items"]),
        (5, 9, BYTES, None, ["5.0/9.0 bytes"]),
        (1_200_000_000, 12_500_000_000, BYTES, 12_100_000.0, ["1.2/12.5 GB", "12.1 MB/s", "15:34 left"]),
        (9_900_000_000, 9_900_000_000, BYTES, 20_000.0, ["9,900.0/9,900.0 MB", "20.0 kB/s"]),
        (25_000_000, 0, BYTES, 12_100_000.0, ["25.0 MB", "12.1 MB/s"]),
    ],
)
def test_figures(done: int, total: int, unit: str, speed: float | None, expected: list[str]) -> None:
    progress = Progress("x", total, unit)
    progress.add(done)
    assert expected == progress.figures(speed)


def test_cancelled_work_ends_at_its_next_step() -> None:
    progress = Progress("x", 5, BYTES)
    progress.add(1)
    progress.cancel()
    with pytest.raises(CancelledError):
        progress.add(1)


def test_quick_work_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stderr", Terminal())
    with Progress("x", 5, BYTES) as progress:
        progress._printed += 1000
        progress.add(5)
    assert "" == sys.stderr.getvalue()
