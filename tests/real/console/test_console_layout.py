"""The console's pages at every width, in the reader's zone, and for who wants no motion."""

import time
from pathlib import Path

import pytest

from matchboxctl.console.navigation import NAVIGATION
from matchboxctl.machines.opened_stores import opened_stores
from tests.contract.machine_histories import asked
from tests.real.console.tabs import READY, UNKNOWN, WAITING, Tab, send
from tests.rigs.chromium import Chromium
from tests.support.consoles import Running
from tests.support.serving import Serve

pytestmark = pytest.mark.real

TOO_WIDE = "part => part.scrollWidth > part.clientWidth + 1"
DOCUMENTS = ("/groups/all", "/profiles/p", "/templates/generic/g", "/which?labels=a%3Db")


@pytest.mark.nightly
@pytest.mark.parametrize("width", [360, 1280, 3840])
def test_every_page_is_for_all_readers_and_no_wider_than_the_screen(
    browser: Chromium, running: Running, width: int
) -> None:
    tab = Tab(browser, running, viewport={"width": width, "height": 800})
    machines = (f"/machines/{machine}" for machine in (WAITING, UNKNOWN, READY))
    for path in (*(link.path for link in NAVIGATION), *machines, *DOCUMENTS, "/?q=x"):
        tab.goto(path)
        for summary in tab.page.locator("main summary").all():
            summary.click()
        tab.check(path)
        assert width >= tab.page.evaluate("document.documentElement.scrollWidth"), path


@pytest.mark.nightly
@pytest.mark.parametrize("store", ["directory"], indirect=True)
@pytest.mark.parametrize("width", [360, 1280])
def test_long_values_stay_in_their_places(browser: Chromium, running: Running, store: Path, width: int) -> None:
    long = {name: name * 40 for name in ("hostname", "group", "profile", "release", "reason")}
    address = "2001:db8:1111:2222:3333:4444:5555:6666"
    with opened_stores(store) as opened, opened.history.required() as history:
        history.add([asked(9, serial="S" * 120, client=address, state="ready", **long)])
    tab = Tab(browser, running, viewport={"width": width, "height": 800})
    tab.row("SSS").wait_for()
    assert 0 == tab.page.evaluate(f"[...document.querySelectorAll('.wide, td, th')].filter({TOO_WIDE}).length")


@pytest.mark.nightly
@pytest.mark.parametrize("store", ["directory"], indirect=True)
def test_times_are_in_the_zone_of_the_reader(browser: Chromium, running: Running) -> None:
    tab = Tab(browser, running, timezone_id="Asia/Kathmandu", locale="en-GB")
    for path, where in (("/", "td time"), (f"/machines/{WAITING}", "svg [data-clock]"), ("/boots", ".hint time")):
        tab.goto(path)
        shown = tab.page.locator(where).first
        sent = shown.get_attribute("datetime") or int(shown.get_attribute("data-clock"))
        there = tab.page.evaluate("at => new Date(at).toLocaleTimeString('en-GB')", sent)
        assert there in shown.text_content()
        assert f"{time.gmtime().tm_hour:02}:" != shown.text_content()[-8:-5]


@pytest.mark.nightly
@pytest.mark.parametrize("store", ["directory"], indirect=True)
def test_nothing_moves_for_who_wants_it_so(browser: Chromium, running: Running, serve: Serve) -> None:
    for motion, animation in (("no-preference", "fresh"), ("reduce", "none")):
        tab = Tab(browser, running, reduced_motion=motion)
        send(serve, WAITING)
        tab.page.locator("tr.fresh").wait_for()
        assert animation == tab.page.evaluate("getComputedStyle(document.querySelector('tr.fresh')).animationName")
        tab.context.close()


@pytest.mark.nightly
@pytest.mark.usefixtures("sources")
@pytest.mark.parametrize("store", ["directory"], indirect=True)
@pytest.mark.parametrize("width", [360, 1280, 3840])
def test_pages_on_images_suit_every_width(browser: Chromium, running: Running, width: int) -> None:
    tab = Tab(browser, running, viewport={"width": width, "height": 800})
    for path in ("/groups", "/images", "/images/talos"):
        tab.goto(path)
        assert tab.page.evaluate("document.documentElement.scrollWidth") <= width
        tab.check(path)
