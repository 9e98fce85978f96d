"""The console's page of all boots, over a data directory and over tables and bucket."""

import os
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

import pytest

from lambda_matchbox.errors import StoreUnavailableError
from lambda_matchbox.machines.events import Event
from lambda_matchbox.machines.history import Record
from matchboxctl.console import recent_boots as boots
from matchboxctl.machines import recent_boots
from matchboxctl.machines.boot_facts import BootFacts
from matchboxctl.store.mode import chosen_store
from tests.contract.machine_commands import opened
from tests.contract.machine_histories import BY_NIGHT, MAC, OTHER, THIRD, WAITS, asked, happened
from tests.support.consoles import Browser, Page, console
from tests.support.resource_commands import ResourceCommands
from tests.support.serving import LIMIT

HOSTILE = '<img src=x onerror="alert(1)">'


@pytest.fixture
def browser(machines: ResourceCommands) -> Iterator[Browser]:
    with console(chosen_store(os.environ.get("MATCHBOX_DATA_PATH", ""))) as running:
        yield running.browser()


def read(browser: Browser, target: str = "/boots", text: str = "") -> Page:
    """The page once all boots were read, with that text: for a while it is as before."""
    end = time.monotonic() + LIMIT
    while True:
        page = browser.get(target)
        if "being read" not in page.text and text in page.text:
            return page
        assert time.monotonic() < end, page.text
        time.sleep(0.02)


def booted(mac: str, seconds: float, **fields: object) -> list[Event]:
    """A boot that began so many seconds ago: kernel after one second, configuration after ten."""
    known = {"mac": mac, "group": "plain", "profile": "p", "client": f"10.1.0.{int(mac[-2:], 16)}", **fields}
    return [
        asked(seconds, **known),
        asked(seconds - 1, "/assets/", path="/assets/k", client=known["client"]),
        asked(seconds - 10, "/generic", **known),
    ]


def test_page_shows_boots_slow_and_failing_steps_and_shares(machines: ResourceCommands, browser: Browser) -> None:
    refused = asked(50, "/generic", mac=THIRD, status=403, verdict="refuse", reason="its token has ended")
    waits = [asked(200, mac=MAC, **WAITS), asked(100, mac=MAC, **WAITS)]
    happened(*booted(OTHER, 300, release="os=1"), asked(60, mac=THIRD, group="plain", release="os=2"), refused, *waits)
    page = read(browser, "/boots?last=hour")
    assert "Boots begun 2 most 1" in page.text
    assert "Configurations delivered 1 most 1" in page.text
    assert "Failing steps 1 most 1" in page.text
    assert "Machines that waited 1 most 1" in page.text
    assert f"configuration /generic 403 refuse: its token has ended 1 {THIRD}" in page.text
    assert f"kernel to configuration 1 9.0 s 9.0 s {OTHER} 9.0 s" in page.text
    assert f"script to kernel 1 1.0 s 1.0 s {OTHER} 1.0 s" in page.text
    assert "plain 2 100 %" in page.text
    assert "os=2 1 50 %" in page.text
    assert f'href="/machines/{OTHER}"' in page.html
    assert 'href="/?q=release%3Dos%3D2"' in page.html
    assert [f"mac:{THIRD}"] == browser.get("/?q=release%3Dos%3D2").machines


@BY_NIGHT
def test_page_is_of_the_last_hour_day_or_week(machines: ResourceCommands, browser: Browser) -> None:
    hour, day = 3600, 86_400
    happened(*booted(MAC, 600), *booted(OTHER, 5 * hour), *booted(THIRD, 3 * day), *booted(MAC, 8 * day))
    for last, number in (("hour", 1), ("day", 2), ("week", 3), ("none", 2)):
        assert read(browser, f"/boots?last={last}", f"Boots begun {number} most 1")


@BY_NIGHT
def test_page_without_boots_says_so(machines: ResourceCommands, browser: Browser) -> None:
    assert read(browser, text="No machine asked for anything in the last day.")
    happened(*booted(MAC, 3 * 86_400))
    assert read(browser, "/boots?last=hour", "No machine asked for anything in the last hour.")


@BY_NIGHT
def test_page_says_since_when_it_has_all_boots(
    machines: ResourceCommands, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    happened(*(event for at in range(5) for event in booted(f"{MAC[:-1]}{at}", 300 + 600 * at)))
    with monkeypatch.context() as patched:
        patched.setattr(recent_boots, "MOST_MACHINES", 3)
        page = read(browser, "/boots?last=hour", "Read were the boots of the 3 machines with the newest events")
        assert "Boots begun 3 most 1" in page.text
    with monkeypatch.context() as patched:
        patched.setattr(boots, "_AT_ONCE", 2)
        patched.setattr(boots, "_MOST_BOOTS", 3)
        assert read(browser, "/boots?last=hour", "boots of the 4 machines with the newest events")
    assert "Read were" not in read(browser, "/boots?last=hour", "Boots begun 5").text


@BY_NIGHT
def test_values_of_machines_are_texts(machines: ResourceCommands, browser: Browser) -> None:
    said = {"serial": HOSTILE, "hostname": HOSTILE, "group": HOSTILE, "profile": HOSTILE, "release": HOSTILE}
    happened(asked(60, **said), asked(50, "/assets/", path=f"/assets/{HOSTILE}/vmlinuz", status=404), asked(9, **said))
    happened(asked(5, "/generic", serial=HOSTILE, status=403, verdict="refuse", reason=HOSTILE))
    page = read(browser)
    assert "<img" not in page.html
    for text in (f"refuse: {HOSTILE}", f"/assets/{HOSTILE}/vmlinuz 404", f"{HOSTILE} 2 100 %"):
        assert text in page.text
    assert f'href="/machines/{quote(HOSTILE, safe="")}"' in page.html


@BY_NIGHT
def test_profile_that_cannot_be_read_leaves_the_others(
    machines: ResourceCommands, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    happened(*booted(MAC, 60))
    with opened() as stores:
        kind = type(stores.responses().catalog)

    def broken(*_: object) -> None:
        raise StoreUnavailableError("it is broken")

    monkeypatch.setattr(kind, "profile", broken)
    page = read(browser)
    assert "profile p is left out: it is broken" in page.text
    assert "Boots begun 1" in page.text


@BY_NIGHT
def test_page_says_that_the_store_is_away_and_recovers(
    machines: ResourceCommands, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    happened(*booted(MAC, 60))
    with opened() as stores, stores.history.required() as history:
        kind = type(history._store)

    def away(*_: object) -> None:
        raise StoreUnavailableError("it is away")

    for method in ("page", "events"):
        with monkeypatch.context() as patched:
            patched.setattr(kind, method, away)
            while 200 == (page := browser.request("GET", "/boots")).status:
                time.sleep(0.02)
            assert 500 < page.status < 504
            assert "it is away" in page.text
    assert read(browser, text="Boots begun 1")


@pytest.mark.parametrize("commands", ["directory"], indirect=True)
def test_page_shows_the_boots_that_are_read_so_far(
    machines: ResourceCommands, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    happened(*(event for at in range(4) for event in booted(f"{MAC[:-1]}{at}", 300 + 600 * at)))
    goes_on, parts, of_part = threading.Event(), list[int](), recent_boots.recent_boots

    def slow(records: Sequence[Record], *rest: Any) -> list[BootFacts]:
        parts.append(len(records))
        assert len(parts) == 1 or goes_on.wait(LIMIT)
        return of_part(records, *rest)

    monkeypatch.setattr(boots, "recent_boots", slow)
    monkeypatch.setattr(boots, "_AT_ONCE", 2)
    while "Boots begun 2" not in (page := browser.get("/boots?last=hour")).text:
        pass
    assert "Boots are being read , those of 2 machines so far" in page.text
    assert "Boots begun 2" in browser.get("/live/boots?last=hour").text
    goes_on.set()
    while "being read" in (page := browser.get("/live/boots?last=hour")).text:
        pass
    assert "Boots begun 4" in page.text
    assert [2, 2] == parts
