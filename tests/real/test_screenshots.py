"""`make screenshots` makes pictures of every page and of a terminal, and small ones for the documentation."""

import re
from pathlib import Path

import pytest

from matchboxctl.console.navigation import NAVIGATION
from tests.rigs import terminal_pictures
from tests.rigs.screenshots import DOCUMENTED, SCHEMES, SIZES, main
from tests.support.paths import PROJECT

pytestmark = [pytest.mark.real, pytest.mark.nightly]

MOST_BYTES = 150_000


def test_every_page_has_pictures_and_those_of_the_documentation_are_small(tmp_path: Path) -> None:
    main(tmp_path / "all", tmp_path / "documented")
    every = {path.name for path in (tmp_path / "all").iterdir()}
    pages = {link.path.strip("/") or "machines" for link in NAVIGATION}
    assert {f"{page}-{width}-{scheme}.png" for page in pages for width in SIZES for scheme in SCHEMES} <= every
    made = {path.name: path.stat().st_size for path in (tmp_path / "documented").iterdir()}
    assert {f"console-{name}.png" for name in DOCUMENTED} == made.keys()
    assert max(made.values()) < MOST_BYTES
    text = (PROJECT / "docs/console.md").read_text()
    assert all(f"images/{name}" in text and (PROJECT / "docs/images" / name).is_file() for name in made)


def test_pictures_of_a_terminal_are_those_of_the_documentation(tmp_path: Path) -> None:
    """Of 80 columns, each 12.2 wide, and without fonts of other servers."""
    terminal_pictures.main(tmp_path)
    text = (PROJECT / "docs/operating.md").read_text()
    made = sorted(path.name for path in tmp_path.iterdir())
    assert [f"terminal-{name}.svg" for name in ("error", "help", "list", "progress")] == made
    for name in made:
        picture = (tmp_path / name).read_text()
        assert f"images/{name}" in text
        assert (PROJECT / "docs/images" / name).is_file()
        assert "font-face" not in picture
        ends = [
            float(x) + float(length)
            for x, length in re.findall(r' x="([\d.]+)" y="[\d.]+" textLength="([\d.]+)"', picture)
        ]
        assert 0 < max(ends) < (terminal_pictures.COLUMNS + 1.5) * 12.2
    assert "matchboxctl: No such option" in (tmp_path / "terminal-error.svg").read_text().replace("&#160;", " ")
