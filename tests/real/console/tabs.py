"""A tab of Chromium at a console, and machines that send requests to the server beside it."""

import time
from pathlib import Path
from typing import Any

from matchboxctl.machines.opened_stores import opened_stores
from matchboxctl.store.mode import StoreSettings
from tests.rigs.chromium import Chromium
from tests.support.consoles import Running
from tests.support.serving import LIMIT, Serve

WAITING, UNKNOWN, READY = "52:54:00:12:34:56", "52:54:00:12:34:57", "52:54:00:12:34:58"
HOSTILE = '<img src=x onerror="document.title=1">'


class Tab:
    """A tab whose page has no fault; `goto` opens a path of the console."""

    def __init__(self, chromium: Chromium, running: Running, **settings: object) -> None:
        self.faults: list[str] = []
        self._chromium = chromium
        self._address = f"http://127.0.0.1:{running.port}"
        self.context = chromium.browser.new_context(**settings)
        self.page: Any = self.context.new_page()
        self.page.on("console", lambda line: self.faults.append(line.text) if line.type == "error" else None)
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.goto(f"/?token={running.secret}")

    def goto(self, path: str) -> None:
        self.page.goto(self._address + path)

    def row(self, machine: str) -> Any:
        return self.page.locator("tr[data-key]", has_text=machine)

    def has(self, text: str) -> None:
        """Wait for the text."""
        self.page.get_by_text(text).first.wait_for()

    def check(self, path: str = "") -> None:
        """Nothing failed, and axe finds nothing, in light and in dark."""
        for scheme in ("light", "dark"):
            self.page.emulate_media(color_scheme=scheme)
            assert [] == self._chromium.violations(self.page), path
        assert [] == self.faults, path


def recorded(store: Path | StoreSettings, *machines: str) -> None:
    """Wait until the history has them: it is written beside the responses."""
    end = time.monotonic() + LIMIT
    with opened_stores(store) as opened, opened.history.required() as history:
        while len(history.machines([f"mac:{machine}" for machine in machines])) < len(machines):
            assert time.monotonic() < end
            time.sleep(0.02)


def send(serve: Serve, mac: str, path: str = "/ipxe") -> None:
    assert 200 == serve.get(f"{path}?mac={mac}&arch=x86_64").status
