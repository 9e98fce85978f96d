"""The console's pages on image sources, over a data directory and over table and bucket."""

import asyncio
import json
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlencode

import pytest

from lambda_matchbox.image_sync.sources import SourceStores
from matchboxctl.console.images import Images
from matchboxctl.store.mode import chosen_store
from tests.contract.machine_histories import BY_NIGHT
from tests.support.consoles import Browser, Page, console
from tests.support.faulty_registry import FaultyRegistry
from tests.support.images.layers import Entry, gzipped
from tests.support.images.manifests import image
from tests.support.registry_serving import faulty_registry
from tests.support.resource_commands import ResourceCommands
from tests.unit.image_sync.sync_subject import TAG, talos

pytestmark = pytest.mark.system

OLD, NEW = talos(b"old kernel", version="v1.12.0"), talos(b"new kernel", version="v1.13.0")


@pytest.fixture
def registry() -> Iterator[FaultyRegistry]:
    with faulty_registry() as registry:
        registry.add("boot", TAG, OLD)
        yield registry


@pytest.fixture(autouse=True)
def source(
    commands: ResourceCommands, registry: FaultyRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    document = {"id": "talos", "image": f"{registry.host}/boot:{TAG}", "assets": "talos", "platform": "linux/arm64"}
    commands.ok("source", "create", "-f", commands.file("source", json.dumps(document)))


@pytest.fixture
def browser() -> Iterator[Browser]:
    with console(chosen_store(os.environ.get("MATCHBOX_DATA_PATH", ""))) as running:
        yield running.browser()


def synced(browser: Browser) -> Page:
    """The page after a sync from it."""
    assert "talos: the sync has begun" in browser.send("/images/talos/sync").text
    while "A sync runs" in (page := browser.get("/live/images/talos")).text:
        pass
    assert "The last sync from here" in page.text
    return browser.get("/images/talos")


def test_source_is_synced_rolled_back_and_follows_from_its_page(
    commands: ResourceCommands, registry: FaultyRegistry, browser: Browser
) -> None:
    where = f" --data-path {commands.data}" if commands.data else ""
    assert f"talos no release {registry.host}/boot:{TAG} linux/arm64 nothing never" in browser.get("/images").text
    page = browser.get("/images/talos")
    assert "Nothing is published yet" in page.text
    assert f"matchboxctl sync talos{where}" in page.text
    assert f"talos: published {OLD.digest}" in synced(browser).text
    registry.add("boot", TAG, NEW)
    page = synced(browser)
    assert f"{NEW.digest} served v1.13.0" in page.text
    assert f"{OLD.digest} kept v1.12.0" in page.text
    assert "/assets/talos/vmlinuz 10" in page.text
    held = browser.send("/images/talos/rollback", digest=OLD.digest)
    assert f"talos: held at {OLD.digest}" in held.text
    assert f"The same by command matchboxctl rollback talos {OLD.digest}{where}" in held.text
    assert f"{OLD.digest} served, held v1.12.0" in held.text
    assert [False, True] == [release["held"] for release in json.loads(commands.ok("releases", "talos", "-o", "json"))]
    assert f"talos held {registry.host}" in browser.get("/images").text
    assert f"talos: held at {OLD.digest}" in synced(browser).text
    assert f"talos: at {OLD.digest}; the next sync" in browser.send("/images/talos/follow").text
    assert f"talos: published {NEW.digest}" in synced(browser).text
    assert f"talos follows {registry.host}" in browser.get("/images").text


@BY_NIGHT
def test_two_clicks_at_once_begin_one_sync(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    csrf = browser.get("/images/talos").csrf
    read, arrived, reads = Images.read, asyncio.Barrier(2), list[object]()

    async def read_together(images: Images, work: Callable[[SourceStores], object]) -> object:
        found = await read(images, work)
        reads.append(work)
        if len(reads) <= 2:
            await arrived.wait()
        return found

    monkeypatch.setattr(Images, "read", read_together)
    with ThreadPoolExecutor(2) as clicks:
        asked = [clicks.submit(browser.request, "POST", "/images/talos/sync", f"csrf={csrf}") for _ in range(2)]
    said = "".join(browser.get(each.result().headers["location"]).text for each in asked)
    assert (1, 1) == (said.count("the sync has begun"), said.count("a sync of talos runs already"))


@BY_NIGHT
def test_what_cannot_be_done_is_said(commands: ResourceCommands, registry: FaultyRegistry, browser: Browser) -> None:
    assert "Not done: choose the release" in browser.send("/images/talos/rollback").text
    wrong = browser.send("/images/talos/rollback", digest="<img src=x>")
    assert "Not done: no release of 'talos'" in wrong.text
    synced(browser)
    wrong = browser.send("/images/talos/rollback", digest="<img src=x>")
    assert "Not done: talos: no release '<img src=x>'; kept are" in wrong.text
    assert "<img" not in wrong.html
    registry.add("boot", TAG, image([gzipped(Entry("README", b"no kernel"))]))
    failed = synced(browser)
    assert f"talos: {registry.host}/boot:{TAG}" in failed.text
    assert f"{OLD.digest} served" in failed.text
    assert (404, 404) == tuple(browser.request("GET", path).status for path in ("/images/none", "/images/a%2Fb"))
    csrf = browser.get("/images/talos").csrf
    response = browser.request("POST", "/images/none/sync", urlencode({"csrf": csrf}))
    assert 303 == response.status
    assert 404 == browser.request("GET", response.headers["location"]).status
    commands.ok("source", "delete", "talos")
    gone = browser.get("/images/talos")
    assert "no valid source" in gone.text
    assert "Sync now" not in gone.text


@BY_NIGHT
def test_read_only_console_has_no_action_on_images(commands: ResourceCommands) -> None:
    commands.run("sync")
    with console(chosen_store(os.environ.get("MATCHBOX_DATA_PATH", "")), read_only=True) as running:
        browser = running.browser()
        page = browser.get("/images/talos")
        assert (True, False) == (f"{OLD.digest} served" in page.text, "<form method" in page.html)
        assert 403 == browser.request("POST", "/images/talos/sync", "csrf=x").status
