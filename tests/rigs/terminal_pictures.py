"""Pictures of a terminal of 80 columns, of the commands' own output: `make screenshots`."""

import re
import sys
import tempfile
from io import StringIO
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.text import Text

from tests.support.console_fleet import write_fleet
from tests.support.release_server import public, release_server
from tests.support.terminal import Written, on_terminal

COLUMNS = 80

# Fonts come from no other server.
_FORMAT = re.sub(r"@font-face \{\{.*?\}\}\n\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
_SIZES = {".vmlinuz": 6_000_000, "_image.cpio.gz": 98_000_000}


def main(directory: Path) -> None:
    """Write a picture for each of `help`, `list`, `progress` and `error`."""
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        data = Path(scratch)
        write_fleet(data / "fleet")
        for name, line, code in (
            ("help", "matchboxctl --help", 0),
            ("list", "matchboxctl machine list --data-path fleet", 0),
            ("error", "matchboxctl serve --data-path fleet --adress 0.0.0.0:8080", 2),
        ):
            written = _run(line, data, code)
            _draw(directory, name, line, written.raw.decode().replace("\r\n", "\n"))
        _draw(directory, "progress", *_progress(data))


def _progress(data: Path) -> tuple[str, str]:
    """A command that downloads, and what is on its terminal when two thirds are done."""
    (data / "flatcar.asc").write_bytes(public("flatcar"))
    _run("matchboxctl examples flatcar --into my-flatcar", data, 0)
    line = "matchboxctl fetch flatcar --key flatcar.asc --into my-flatcar"
    with release_server() as server:
        server.pause = 0.02
        server.add_flatcar("4593.1.0", {name: bytes(size) for name, size in _SIZES.items()})
        bars = [frame for frame in _run(f"{line} --server {server.url}", data, 0).frames if " left" in frame]
    return line, bars[len(bars) * 2 // 3]


def _run(line: str, data: Path, code: int) -> Written:
    _, *arguments = line.split()
    written = on_terminal([Path(sys.executable).with_name("matchboxctl"), *arguments], COLUMNS, {}, data)
    assert code == written.code, written.raw
    return written


def _draw(directory: Path, name: str, line: str, output: str) -> None:
    console = Console(record=True, width=COLUMNS, file=StringIO(), force_terminal=True, legacy_windows=False)
    console.print(Text(f"$ {line}"), Text.from_ansi(output), sep="\n", end="")
    console.save_svg(
        str(directory / f"terminal-{name}.svg"), title="matchboxctl", code_format=_FORMAT, unique_id=f"terminal-{name}"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
