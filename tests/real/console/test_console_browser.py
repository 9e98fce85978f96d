"""The console in Chromium, beside a server whose machines boot."""

from pathlib import Path

import pytest

from tests.real.console.tabs import HOSTILE, READY, UNKNOWN, WAITING, Tab, send
from tests.rigs.chromium import Chromium
from tests.support.consoles import Running, console
from tests.support.serving import Serve

pytestmark = pytest.mark.real


def test_waiting_machine_is_approved_and_seen_to_boot_without_a_reload(
    browser: Chromium, running: Running, serve: Serve
) -> None:
    tab = Tab(browser, running)
    page = tab.page
    tab.check()
    page.evaluate("window.isTheSame = true")
    top = tab.row(READY).bounding_box()
    send(serve, "52:54:00:12:34:60")
    tab.has("1 new: show it")
    assert top == tab.row(READY).bounding_box()
    page.get_by_role("navigation", name="Machines by state").get_by_role("link", name="waiting").click()
    tab.row("52:54:00:12:34:60").wait_for()
    assert 0 == tab.row(READY).count()
    tab.row(WAITING).get_by_role("link", name=WAITING).click()
    tab.has("It needs an operator")
    tab.check()
    page.get_by_role("button", name="Approve").click()
    tab.has(f"{WAITING}: waiting -> ready, approved for group all")
    page.evaluate("window.isTheSame = true")
    for path in ("/ipxe", "/assets/vmlinuz", "/assets/initrd.gz", "/generic"):
        send(serve, WAITING, path)
    page.locator("svg title", has_text="configuration at").first.wait_for(state="attached")
    assert page.evaluate("window.isTheSame") is True
    assert 4 == page.locator("svg.boots .done").count()
    tab.check()
    page.keyboard.press("g")
    page.keyboard.press("b")
    tab.has("Configurations delivered 1")
    page.get_by_text("The same as a table").click()
    tab.check()
    tab.goto("/")
    page.evaluate("window.isTheSame = true")
    send(serve, WAITING)
    tab.row(WAITING).get_by_text("/ipxe 200 allow").wait_for()
    assert page.evaluate("window.isTheSame") is True


@pytest.mark.nightly
@pytest.mark.parametrize("store", ["directory"], indirect=True)
def test_unknown_machine_is_accepted_with_a_profile_that_is_offered(browser: Chromium, running: Running) -> None:
    tab = Tab(browser, running)
    tab.goto(f"/machines/{UNKNOWN}")
    profile = tab.page.get_by_label("Profile")
    [offered] = profile.evaluate("input => [...input.list.options].map(option => option.value)")
    profile.fill(offered)
    profile.press("Enter")
    tab.has("created: selects mac=")
    tab.check()


@pytest.mark.parametrize("store", ["directory"], indirect=True)
def test_health_says_what_is_missing_and_who_was_refused(browser: Chromium, running: Running, data: Path) -> None:
    (data / "assets/vmlinuz").unlink()
    tab = Tab(browser, running)
    tab.goto("/health")
    tab.has("Documents: problem")
    tab.has("/assets/vmlinuz does not exist")
    tab.page.get_by_role("link", name=UNKNOWN).click()
    tab.has("/ipxe 404")
    tab.check()


@pytest.mark.nightly
def test_pages_work_without_a_script(browser: Chromium, running: Running) -> None:
    tab = Tab(browser, running, java_script_enabled=False)
    tab.row(WAITING).get_by_role("link", name=WAITING).click()
    tab.page.get_by_role("button", name="Approve").click()
    tab.has("approved for group all")
    tab.page.get_by_role("button", name="Hold").click()
    tab.has("-> held")
    tab.page.get_by_label("Search machines").count()
    tab.goto("/?q=12-34-57")
    assert 1 == tab.page.locator("tr[data-key]").count()


@pytest.mark.nightly
def test_keyboard_alone_approves(browser: Chromium, running: Running) -> None:
    tab = Tab(browser, running)
    keyboard = tab.page.keyboard
    keyboard.press("Tab")
    assert "Skip to the content" == tab.page.evaluate("document.activeElement.textContent")
    keyboard.press("/")
    keyboard.type("34:56")
    keyboard.press("Enter")
    tab.has("Search for")
    keyboard.press("j")
    keyboard.press("Enter")
    tab.has("It needs an operator")
    for _ in range(30):
        keyboard.press("Tab")
        if "Approve" == tab.page.evaluate("document.activeElement.textContent"):
            break
    keyboard.press("Enter")
    tab.has("approved for group all")
    keyboard.press("g")
    keyboard.press("m")
    tab.has("newest events first")


@pytest.mark.nightly
def test_values_of_machines_run_nothing(browser: Chromium, running: Running) -> None:
    tab = Tab(browser, running)
    tab.has(HOSTILE)
    tab.goto(f"/machines/{UNKNOWN}")
    tab.has(HOSTILE)
    tab.page.get_by_label("Profile").fill(HOSTILE)
    tab.page.get_by_role("button", name="Accept as a group").click()
    tab.has("Not done: there is no profile")
    assert 0 == tab.page.locator("img").count()
    tab.check()


@pytest.mark.parametrize("store", ["directory"], indirect=True)
@pytest.mark.nightly
def test_page_says_that_the_session_has_ended_and_that_the_store_is_away(
    browser: Chromium, running: Running, data: Path
) -> None:
    tab = Tab(browser, running)
    away = data.with_name("away")
    data.rename(away)
    tab.has("It is tried again")
    away.rename(data)
    tab.page.locator("#trouble").wait_for(state="hidden")
    tab.context.clear_cookies()
    tab.has("open the address that the console printed")


@pytest.mark.nightly
@pytest.mark.parametrize("store", ["directory"], indirect=True)
def test_password_is_typed_and_asked_for_again_after_the_session(browser: Chromium, store: Path) -> None:
    with console(store, password="correct horse battery") as running:
        tab = Tab(browser, running)
        tab.has("Password of this console")
        tab.check()
        tab.page.keyboard.type("correct horse battery")
        tab.page.keyboard.press("Enter")
        tab.has("No machine was seen yet")
        tab.check()
        tab.context.clear_cookies()
        tab.has("the session has ended: log in again")
        tab.goto("/groups")
        tab.has("Password of this console")


@pytest.mark.usefixtures("sources")
@pytest.mark.parametrize("store", ["directory"], indirect=True)
def test_documents_are_found_and_images_synced_by_keys_without_a_reload(browser: Chromium, running: Running) -> None:
    tab = Tab(browser, running)
    page = tab.page
    page.keyboard.press("g")
    page.keyboard.press("g")
    tab.has(f"rack={HOSTILE}")
    tab.check()
    tab.goto("/which")
    page.keyboard.press("/")
    page.keyboard.type(f"mac={UNKNOWN}\nrack={HOSTILE}")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    tab.has("not all: it selects arch=x86_64")
    tab.check()
    tab.goto("/images/talos")
    page.get_by_role("button", name="Sync now").press("Enter")
    tab.has("the sync has begun")
    page.evaluate("window.isTheSame = true")
    tab.has("talos: published sha256:")
    page.locator("#releases td", has_text="served").wait_for()
    assert page.evaluate("window.isTheSame") is True
    tab.check()
