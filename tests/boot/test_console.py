"""A machine that an operator approves in a browser, and sees boot."""

from pathlib import Path

import pytest

from tests.boot.clients import CLIENTS, powered_on
from tests.boot.fleet import identity
from tests.boot.installations import SECRET, serving_with_short_waits, write_installation
from tests.boot.networks import Servers
from tests.rigs.chromium import chromium
from tests.support.consoles import console

pytestmark = [pytest.mark.boot, pytest.mark.nightly]

MACHINE = identity(23)
STEPS = ("script", "kernel", "initramfs", "configuration")


def test_machine_is_approved_by_a_click_and_seen_to_boot_without_a_reload(tmp_path: Path) -> None:
    booting, data, scratch = CLIENTS["bios-ipxe-new"], tmp_path / "data", tmp_path / "machine"
    scratch.mkdir()
    data.mkdir()
    with serving_with_short_waits(data) as serve, console(data) as running, chromium() as opened:
        write_installation(data, booting, {"approve": True, "token": True}, serve.port)
        page = opened.browser.new_page()
        page.goto(f"http://127.0.0.1:{running.port}/?token={running.secret}")
        with powered_on(booting, Servers(serve.port), MACHINE, scratch) as machine:
            page.get_by_role("link", name="1 new: show it").click(timeout=120_000)
            page.get_by_role("link", name=MACHINE.mac).click()
            page.get_by_role("button", name="Approve").click()
            page.evaluate("window.isTheSame = true")
            for step in STEPS:
                drawn = page.locator("svg.boots title", has_text=f"{step} at").first
                drawn.wait_for(state="attached", timeout=120_000)
            assert page.evaluate("window.isTheSame") is True
            result = machine.result()
    assert SECRET == result.configuration, result.console
