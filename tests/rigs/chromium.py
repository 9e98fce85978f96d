"""Debian's Chromium without a window, driven by Playwright, and axe for its pages."""

import hashlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tests.rigs.cache import cached
from tests.rigs.install import install_locked, on_path

REQUIREMENTS = Path(__file__).with_name("browser-requirements.txt")
"""Playwright, whose own browsers are not installed, and axe."""

# Root has no sandbox, and a container little of /dev/shm.
_FLAGS = ("--no-sandbox", "--disable-dev-shm-usage")


class Chromium(NamedTuple):
    """A running browser, as Playwright has it, and axe."""

    browser: Any
    axe: Any

    def violations(self, page: Any) -> list[str]:
        """What axe finds on a page: rules, and the elements that break them."""
        found = self.axe.run(page).response["violations"]
        return [f"{one['id']}: {node['html'][:200]}" for one in found for node in one["nodes"]]


@contextmanager
def chromium() -> Iterator[Chromium]:
    """A browser. Raises RigUnavailableError."""
    program = on_path("chromium", "chromium")
    pinned = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:16]
    packages = str(cached(f"browser-{pinned}", lambda directory: _install(directory)))
    # Behind the test's own packages.
    sys.path.append(packages)
    try:
        from axe_playwright_python.sync_playwright import Axe
        from playwright.sync_api import sync_playwright

        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=program, args=_FLAGS)
            yield Chromium(browser, Axe())
            browser.close()
    finally:
        sys.path.remove(packages)


def _install(directory: Path) -> None:
    install_locked(Path(sys.executable), REQUIREMENTS, "--target", directory)
