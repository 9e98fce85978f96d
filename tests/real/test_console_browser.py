"""The console in Chromium, beside a server whose machines boot."""

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from lambda_matchbox.aws.table_and_bucket import create_history_table
from matchboxctl.console.navigation import NAVIGATION
from matchboxctl.machines.opened_stores import opened_stores
from matchboxctl.store.mode import StoreSettings, chosen_store
from tests.contract.machine_histories import asked
from tests.rigs.chromium import Chromium, chromium
from tests.rigs.stores import new_stores
from tests.support.consoles import Running, console
from tests.support.data_files import write_files
from tests.support.registry_serving import faulty_registry
from tests.support.serving import LIMIT, Serve, started
from tests.unit.image_sync.sync_subject import TAG, talos

pytestmark = pytest.mark.real

WAITING, UNKNOWN, READY = "52:54:00:12:34:56", "52:54:00:12:34:57", "52:54:00:12:34:58"
HOSTILE = '<img src=x onerror="document.title=1">'
TOO_WIDE = "part => part.scrollWidth > part.clientWidth + 1"
DOCUMENTS = ("/groups/all", "/profiles/p", "/templates/generic/g", "/which?labels=a%3Db")
FILES = {
    "groups/all.json": {"profile": "p", "selector": {"arch": "x86_64"}, "boot": {"approve": True}},
    "groups/free.json": {"profile": "p", "selector": {"mac": READY}},
    "profiles/p.json": {"boot": {"kernel": "/assets/vmlinuz", "initrd": ["/assets/initrd.gz"]}, "generic_id": "g"},
    "generic/g": "text",
    "assets/vmlinuz": "kernel",
    "assets/initrd.gz": "initrd",
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Chromium]:
    with chromium() as found:
        yield found


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_files(tmp_path / "data", FILES)


@pytest.fixture(params=["directory", pytest.param("stores", marks=pytest.mark.nightly)])
def store(request: pytest.FixtureRequest, data: Path, monkeypatch: pytest.MonkeyPatch) -> Path | StoreSettings:
    """The data, in a directory or in table and bucket."""
    if request.param == "directory":
        return data
    stores = new_stores(*map(request.getfixturevalue, ("dynamodb_local", "versitygw")))
    stores.fill(data)
    with closing(stores.tables.client("dynamodb")) as dynamodb:
        create_history_table(dynamodb, f"{stores.name}-history")
    for name, value in (stores.environment() | {"MATCHBOX_HISTORY_TABLE": f"{stores.name}-history"}).items():
        monkeypatch.setenv(name, value)
    return chosen_store("")


@pytest.fixture
def serve(store: Path | StoreSettings) -> Iterator[Serve]:
    flags = ("--data-path", str(store)) if isinstance(store, Path) else ()
    with started("--address", "127.0.0.1:0", *flags, "--processes", "1") as serve:
        ask(serve, WAITING)
        serve.get(f"/ipxe?mac={UNKNOWN}&hostname={HOSTILE.replace(' ', '%20')}")
        serve.get(f"/ipxe?mac={READY}")
        recorded(store, WAITING, UNKNOWN, READY)
        yield serve


@pytest.fixture
def running(serve: Serve, store: Path | StoreSettings) -> Iterator[Running]:
    with console(store) as running:
        yield running


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


def ask(serve: Serve, mac: str, path: str = "/ipxe") -> None:
    assert 200 == serve.get(f"{path}?mac={mac}&arch=x86_64").status


def test_waiting_machine_is_approved_and_seen_to_boot_without_a_reload(
    browser: Chromium, running: Running, serve: Serve
) -> None:
    tab = Tab(browser, running)
    page = tab.page
    tab.check()
    page.evaluate("window.isTheSame = true")
    top = tab.row(READY).bounding_box()
    ask(serve, "52:54:00:12:34:60")
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
        ask(serve, WAITING, path)
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
    ask(serve, WAITING)
    tab.row(WAITING).get_by_text("/ipxe 200 allow").wait_for()
    assert page.evaluate("window.isTheSame") is True


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
        ask(serve, WAITING)
        tab.page.locator("tr.fresh").wait_for()
        assert animation == tab.page.evaluate("getComputedStyle(document.querySelector('tr.fresh')).animationName")
        tab.context.close()


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


@pytest.fixture
def sources(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A source, and a group with a hostile selector."""
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    with faulty_registry() as registry:
        registry.add("boot", TAG, talos(b"kernel"))
        source = {"image": f"{registry.host}/boot:{TAG}", "assets": "talos", "platform": "linux/arm64"}
        named = {"profile": "p", "selector": {"rack": HOSTILE}}
        write_files(data, {"sources/talos.json": {"id": "talos", **source}, f"groups/{HOSTILE[:8]}.json": named})
        yield


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
