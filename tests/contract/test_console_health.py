"""The console's page on health, over a data directory and over tables and bucket."""

import os
import re
import time
from collections.abc import Iterator

import pytest

from lambda_matchbox.aws.keys import entry_key
from lambda_matchbox.catalog.selection import selectors_of
from lambda_matchbox.errors import StoreUnavailableError
from matchboxctl.store.mode import StoreSettings, chosen_store
from tests.contract.machine_commands import opened, put
from tests.contract.machine_histories import BY_NIGHT, MAC, OTHER, THIRD, asked, happened
from tests.support.consoles import Browser, Page, console
from tests.support.resource_commands import ResourceCommands

HOSTILE = '<img src=x onerror="alert(1)">'
LIMIT = 60


@pytest.fixture
def browser(machines: ResourceCommands) -> Iterator[Browser]:
    with console(chosen_store(os.environ.get("MATCHBOX_DATA_PATH", ""))) as running:
        yield running.browser()


def checked(browser: Browser) -> Page:
    """The page, once every check has a result."""
    browser.get("/health")
    end = time.monotonic() + LIMIT
    while ": unchecked" in (page := browser.get("/live/health")).text:
        assert time.monotonic() < end
        time.sleep(0.05)
    return page


def test_problems_come_first_each_with_its_command(machines: ResourceCommands, browser: Browser) -> None:
    put(machines, "source", {"image": "ghcr.io/example/talos:stable", "id": "talos", "assets": "talos"})
    happened(
        asked(7200, mac=MAC, status=404),
        asked(9, mac=MAC, status=404),
        asked(8, mac=MAC, status=404),
        asked(7, route="/ignition", mac=OTHER, status=403, verdict="refuse", reason="its token has ended"),
        asked(6, mac=THIRD),
    )
    page = checked(browser)
    where = f" --data-path {machines.data}" if machines.data else ""
    assert "Problems: documents" in page.text
    assert page.text.index("Documents: problem") < page.text.index("Syncs of images: note")
    assert re.search("profiles/p.json fault .*/assets/k", page.text)
    assert f"matchboxctl validate{where}" in page.text
    assert ("matchboxctl fsck" in page.text) == (machines.data is None)
    assert "1 source; 0 invalid; 1 not up to date" in page.text
    assert re.search(f"talos never overdue .* matchboxctl releases SOURCE{where} ", page.text)
    assert "2 errors in the last 24 hours" in page.text
    assert f"{OTHER} /ignition 403 refuse: its token has ended once" in page.text
    assert f"{MAC} /ipxe 404 3 times" in page.text
    assert f"matchboxctl machine history MACHINE{where} " in page.text
    assert page.text.index(f"{OTHER} /ignition") < page.text.index(f"{MAC} /ipxe")
    assert THIRD not in page.text


def test_sound_store_without_errors_is_fine(machines: ResourceCommands, browser: Browser) -> None:
    put(machines, "profile", {"id": "p", "generic_id": "t"})
    happened(asked(6, mac=THIRD))
    page = checked(browser)
    assert "No problem is known" in page.text
    assert "no image source" in page.text
    assert "History and errors of machines: fine" in page.text
    assert "0 errors in the last 24 hours" in page.text
    assert ("Table and bucket: fine" in page.text) == (machines.data is None)


def test_history_that_was_turned_off_is_no_problem(machines: ResourceCommands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MATCHBOX_HISTORY_DAYS", "0")
    put(machines, "profile", {"id": "p", "generic_id": "t"})
    with console(chosen_store(os.environ.get("MATCHBOX_DATA_PATH", ""))) as running:
        page = checked(running.browser())
    assert "History and errors of machines: fine turned off: MATCHBOX_HISTORY_DAYS is 0" in page.text
    assert "No problem is known" in page.text


@BY_NIGHT
def test_values_of_machines_and_documents_are_texts(machines: ResourceCommands, browser: Browser) -> None:
    put(machines, "profile", {"id": "p", "boot": {"kernel": f"/assets/{HOSTILE}"}, "generic_id": "t"})
    happened(asked(9, serial=HOSTILE, hostname=HOSTILE, reason=HOSTILE, status=403, verdict="refuse"))
    page = checked(browser)
    assert "<img" not in page.html
    assert HOSTILE in page.text


def test_damage_of_the_table_is_a_problem(machines: ResourceCommands, browser: Browser) -> None:
    store = chosen_store(os.environ.get("MATCHBOX_DATA_PATH", ""))
    if not isinstance(store, StoreSettings):
        assert "Table and bucket" not in checked(browser).text
        return
    key = {"pk": {"S": entry_key(selectors_of({"rack": "7"})[-1])}}
    store.dynamodb().delete_item(TableName=store.table, Key=key)
    page = checked(browser)
    assert "Table and bucket: problem" in page.text


@BY_NIGHT
def test_store_that_is_away_is_a_problem_of_its_part(
    machines: ResourceCommands, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened() as stores, stores.history.required() as history:
        kind = type(history._store)

    def away(*_: object) -> None:
        raise StoreUnavailableError("it is away")

    monkeypatch.setattr(kind, "page", away)
    page = checked(browser)
    assert "Problems: documents , history and errors of machines" in page.text
    assert "it is away" in page.text
