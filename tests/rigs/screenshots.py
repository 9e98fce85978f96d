"""Pictures of every page of the console, wide and narrow, light and dark: `make screenshots`."""

import sys
import tempfile
from itertools import product
from pathlib import Path

from tests.rigs.chromium import chromium
from tests.support.console_fleet import STUCK, write_fleet
from tests.support.consoles import console

PAGES = {
    "machines": "/",
    "machine": f"/machines/{STUCK}",
    "waiting": "/machines/52:54:00:aa:00:00",
    "search": "/?q=worker-0",
}
"""Paths by the names of their pictures."""

WIDTHS, SCHEMES = (1280, 390), ("light", "dark")


def main(directory: Path) -> None:
    """Write the pictures to the directory."""
    directory.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as scratch,
        console(write_fleet(Path(scratch, "data"))) as running,
        chromium() as opened,
    ):
        for width, scheme in product(WIDTHS, SCHEMES):
            context = opened.browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
            page = context.new_page()
            page.goto(f"http://127.0.0.1:{running.port}/?token={running.secret}")
            for name, path in PAGES.items():
                page.goto(f"http://127.0.0.1:{running.port}{path}")
                page.screenshot(path=directory / f"{name}-{width}-{scheme}.png", full_page=True)
            context.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
