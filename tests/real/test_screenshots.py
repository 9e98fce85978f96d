"""`make screenshots` makes pictures of every page, and small ones for the documentation."""

from pathlib import Path

import pytest

from matchboxctl.console.navigation import NAVIGATION
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
