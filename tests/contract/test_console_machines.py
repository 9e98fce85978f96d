"""The console's pages on machines, over a data directory and over tables and bucket."""

import os
import re
import subprocess
import sys
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from lambda_matchbox.aws import history as aws_history
from lambda_matchbox.aws.catalog import table_contents
from lambda_matchbox.aws.clients.dynamodb import DynamoDB
from lambda_matchbox.aws.clients.errors import AWSError
from lambda_matchbox.errors import StoreUnavailableError
from matchboxctl.machines.search import MOST_LOOKED_AT
from matchboxctl.store.mode import chosen_store
from tests.contract.machine_commands import described, opened
from tests.contract.machine_histories import BY_NIGHT, MAC, OTHER, THIRD, UUID, WAITS, asked, happened
from tests.rigs.tcp_fault import fault_proxy
from tests.support.consoles import Browser, console
from tests.support.resource_commands import ResourceCommands
from tests.support.serving import LIMIT

HOSTILE = '<img src=x onerror="alert(1)">'


@pytest.fixture
def browser(machines: ResourceCommands) -> Iterator[Browser]:
    with console(chosen_store(os.environ.get("MATCHBOX_DATA_PATH", ""))) as running:
        yield running.browser()


def await_text(browser: Browser, text: str) -> None:
    """Reload the start page until it has the text: the machines of a table are counted aside."""
    end = time.monotonic() + LIMIT
    while text not in browser.get("/").text:
        assert time.monotonic() < end
        time.sleep(0.05)


def test_waiting_machine_is_approved_by_its_page(machines: ResourceCommands, browser: Browser) -> None:
    happened(asked(9, mac=MAC, rack="7", **WAITS), asked(8, mac=OTHER, status=404))
    start = browser.get("/")
    assert [f"mac:{MAC}", f"mac:{OTHER}"] == start.machines
    assert "Waiting for approval" in start.text
    await_text(browser, "waiting 1")
    assert re.search(r'<a href="/\?state=waiting" tabindex="-1"><title>waiting 1</title><rect', browser.get("/").html)
    page = browser.get(f"/machines/{MAC}")
    assert "It needs an operator" in page.text
    where = f" --data-path {machines.data}" if machines.data else ""
    assert f"matchboxctl machine approve {MAC} --group workers{where}" in page.text
    after = browser.send(f"/machines/{MAC}/approve", group="workers")
    assert f"{MAC}: waiting -> ready, approved for group workers" in after.text
    assert f"The same by command matchboxctl machine approve {MAC} --group workers{where}" in after.text
    facts = described(machines, MAC)
    assert ("ready", "workers") == (facts["state"], facts["approved_for"])
    assert [("command", "approve")] == [(event["kind"], event["what"]) for event in facts["events"][-1:]]
    # What was done is said once.
    assert "The same by command" not in browser.get(f"/machines/{MAC}").text
    await_text(browser, "waiting 0")


@BY_NIGHT
def test_each_action_does_what_its_command_does(machines: ResourceCommands, browser: Browser) -> None:
    happened(asked(9, mac=MAC, **WAITS), asked(8, mac=OTHER, status=404))
    path = f"/machines/{MAC}"
    browser.send(f"{path}/approve", group="workers")
    armed = browser.send(f"{path}/arm", **{"for": "30m"})
    assert "armed until" in armed.text
    assert f"machine arm {MAC} --for 30m" in armed.text
    assert "held" in browser.send(f"{path}/hold").text
    assert "held" == described(machines, MAC)["state"]
    assert "It needs an operator Unhold" in browser.get(path).text
    browser.send(f"{path}/unhold")
    assert "ready" == described(machines, MAC)["state"]
    wrong = browser.send(f"{path}/approve", group="worker")
    assert "Not done: there is no group 'worker'; did you mean 'workers'?" in wrong.text
    assert "Not done: choose one of 30m" in browser.send(f"{path}/arm", **{"for": "9y"}).text
    forgotten = browser.send(f"{path}/forget", state="on")
    assert "its history is deleted" in forgotten.text
    assert [f"mac:{OTHER}"] == browser.get("/").machines
    assert 404 == browser.request("GET", path).status


@BY_NIGHT
def test_unknown_machine_becomes_a_group(machines: ResourceCommands, browser: Browser) -> None:
    happened(asked(8, mac=OTHER, status=404))
    path = f"/machines/{OTHER}"
    assert '<datalist id="profiles"><option value="p">' in browser.get(path).html
    assert "Not done: there is no profile 'q'" in browser.send(f"{path}/accept", profile="q").text
    done = browser.send(f"{path}/accept", profile="p", group="new", metadata="role=worker\nrack=9\n")
    assert f"group new created: selects mac={OTHER}, profile p" in done.text
    assert f"machine accept {OTHER} --profile p --group-id new --metadata role=worker --metadata rack=9" in done.text
    assert "new" == described(machines, OTHER)["group"]
    assert '"role": "worker"' in machines.ok("group", "get", "new", "-o", "json")


@BY_NIGHT
def test_lists_are_filtered_found_and_have_pages(machines: ResourceCommands, browser: Browser) -> None:
    happened(
        asked(9, mac=MAC, uuid=UUID, serial="SN-7", hostname="node1.example", arch="arm64", **WAITS),
        asked(8, mac=OTHER, status=404),
        *(asked(100 + at, mac=f"aa:bb:cc:00:01:{at:02x}", group="g", state="ready") for at in range(60)),
    )
    assert [f"mac:{MAC}"] == browser.get("/?state=waiting").machines
    assert [f"mac:{OTHER}"] == browser.get("/?state=unknown").machines
    assert [f"mac:{MAC}"] == browser.get("/?group=workers").machines
    for text in (MAC, MAC.replace(":", "-").upper(), UUID, "SN-7", "node1", "arch=arm64", "52:54:00:12:34:5", "rack=7"):
        assert f"mac:{MAC}" in browser.get(f"/?q={quote(text)}").machines, text
    assert "No machine is found" in browser.get("/?q=none").text
    first = browser.get("/?group=g")
    assert 50 == len(first.machines)
    following = next(part for part in first.html.split('"') if "cursor=" in part).replace("&amp;", "&")
    rest = browser.get(following)
    assert 60 == len({*first.machines, *rest.machines})
    assert 400 == browser.request("GET", "/?cursor=x").status


@BY_NIGHT
def test_cursor_that_no_page_had_is_no_fault(machines: ResourceCommands, browser: Browser) -> None:
    happened(asked(9, mac=MAC, **WAITS))
    zeros = "0" * 14
    for position in (f"{zeros} ", f"{zeros} mac", f"{chr(0x660) * 14} x", f"{zeros} {'k' * 3000}", f"{zeros} \0"):
        cursor = urlsafe_b64encode(position.encode()).decode().rstrip("=")
        for query in ("", "&state=waiting", "&group=workers", "&q=x"):
            page = browser.request("GET", f"/?cursor={cursor}{query}")
            assert page.status in (200, 400), (position, query, page.text)


@BY_NIGHT
def test_keys_that_no_row_has_are_left_out(machines: ResourceCommands, browser: Browser) -> None:
    happened(asked(9, mac=MAC, **WAITS))
    keys = ("", "x", "mac:", f"mac:{MAC}%00", "k" * 3000, "address:10.0.0.1", "%ff")
    assert [] == browser.get(f"/live/machines?{'&'.join(f'key={key}' for key in keys)}").machines


@BY_NIGHT
def test_live_part_has_the_rows_of_the_page_and_counts_the_others(machines: ResourceCommands, browser: Browser) -> None:
    happened(asked(9, mac=MAC, **WAITS))
    live = browser.get(f"/live/machines?since=0&key=mac:{MAC}")
    assert ([f"mac:{MAC}"], True) == (live.machines, 'id="new" class="new" hidden' in live.html)
    happened(asked(2, mac=OTHER, status=404), asked(1, mac=MAC, route="/generic", group="workers", state="installing"))
    live = browser.get(f"/live/machines?since=0&key=mac:{MAC}")
    assert [f"mac:{MAC}"] == live.machines
    assert "1 new: show it" in live.text
    assert "/generic 200" in live.text
    assert "/generic" in browser.get(f"/live/machines/{MAC}").text


@BY_NIGHT
def test_values_of_machines_are_texts(machines: ResourceCommands, browser: Browser) -> None:
    happened(asked(9, serial=HOSTILE, hostname=HOSTILE, group=HOSTILE, profile=HOSTILE, release=HOSTILE, arch=HOSTILE))
    for target in ("/", f"/?q={quote(HOSTILE)}", f"/?group={quote(HOSTILE)}", f"/machines/{quote(HOSTILE, safe='')}"):
        page = browser.get(target)
        assert "<img" not in page.html
        assert HOSTILE in page.text
    done = browser.send(f"/machines/{quote(HOSTILE, safe='')}/hold")
    assert f"{HOSTILE}: " in done.text
    assert "<img" not in done.html


@BY_NIGHT
def test_page_says_what_the_machine_gets_and_why(machines: ResourceCommands, browser: Browser) -> None:
    happened(asked(9, mac=MAC, **WAITS))
    page = browser.get(f"/machines/{MAC}")
    assert "by rack=7" in page.text
    assert "kernel /assets/k" in page.text
    assert "without its policy, which says wait" in page.text
    assert "404 Not Found" not in page.text


def test_page_says_that_the_store_is_away_and_recovers(
    machines: ResourceCommands, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    happened(asked(9, mac=MAC, **WAITS))
    with opened() as stores, stores.history.required() as history:
        kind = type(history._store)

    def away(*_: object) -> None:
        raise StoreUnavailableError("it is away")

    with monkeypatch.context() as patched:
        patched.setattr(kind, "page", away)
        patched.setattr(kind, "records", away)
        for target in ("/", "/live/machines", f"/machines/{MAC}"):
            page = browser.request("GET", target)
            assert 500 < page.status < 504
            assert "it is away" in page.text
    assert [f"mac:{MAC}"] == browser.get("/").machines


@BY_NIGHT
def test_search_goes_on_where_it_ended(machines: ResourceCommands, browser: Browser) -> None:
    assert 1000 <= MOST_LOOKED_AT
    happened(*(asked(100 + at, mac=f"aa:bb:cc:00:01:{at:02x}", hostname="node", group="g") for at in range(55)))
    first = browser.get("/?q=node")
    following = next(part for part in first.html.split('"') if "cursor=" in part).replace("&amp;", "&")
    assert (50, 5) == (len(first.machines), len(browser.get(following).machines))
    assert THIRD not in first.text


@pytest.mark.parametrize("commands", ["moto"], indirect=True)
def test_too_many_machines_are_not_counted_again(machines: ResourceCommands, monkeypatch: pytest.MonkeyPatch) -> None:
    happened(*(asked(at, mac=f"aa:bb:cc:00:02:{at:02x}", status=404) for at in range(3)))
    count, counted = aws_history.TableHistory.states, list[None]()

    def counts(store: aws_history.TableHistory) -> object:
        counted.append(None)
        return count(store)

    monkeypatch.setattr(aws_history, "MOST_COUNTED", 0)
    monkeypatch.setattr(aws_history.TableHistory, "states", counts)
    with console(chosen_store("")) as running:
        browser = running.browser()
        for _ in range(2):
            await_text(browser, "more machines than the table counts")
            # An action has the others counted anew.
            browser.send("/machines/aa:bb:cc:00:02:01/hold")
    assert 1 == len(counted)


@pytest.mark.parametrize("commands", ["moto"], indirect=True)
def test_address_is_printed_when_the_first_page_was_read(machines: ResourceCommands) -> None:
    command = [sys.executable, "-m", "matchboxctl.main", "console", "--address", "127.0.0.1:0"]
    with fault_proxy(os.environ["AWS_ENDPOINT_URL_DYNAMODB"]) as proxy:
        environment = {**os.environ, "AWS_ENDPOINT_URL_DYNAMODB": proxy.endpoint}
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert any(line.startswith("open ") for line in process.stdout)
            assert proxy.requests()["Query"] > 0
            process.terminate()
            assert 0 == process.wait(LIMIT)


def test_start_page_of_a_table_scans_nothing(machines: ResourceCommands, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does what polls it, or a search."""
    happened(asked(9, mac=MAC, **WAITS))

    def scan(*_: object, **__: object) -> None:
        raise AssertionError("a scan")

    monkeypatch.setattr(DynamoDB, "scan", scan)
    monkeypatch.setattr(table_contents, "scan_table", scan)
    with console(chosen_store(os.environ.get("MATCHBOX_DATA_PATH", ""))) as running:
        browser = running.browser()
        live = (f"/live/machines?key=mac:{MAC}", f"/live/machines/{MAC}")
        for target in ("/", "/?state=waiting", "/?q=none", "/?q=52:54:9", f"/?q={MAC}", *live):
            browser.get(target)


@BY_NIGHT
def test_page_shows_what_the_operator_may_read(
    machines: ResourceCommands, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    happened(asked(9, mac=MAC, **WAITS))
    with opened() as stores:
        kind = type(stores.responses().catalog)

    def denied(*_: object) -> None:
        raise AWSError("AccessDeniedException", "not allowed", 400)

    monkeypatch.setattr(kind, "template", denied)
    page = browser.get(f"/machines/{MAC}")
    assert "kernel /assets/k" in page.text
    assert "not allowed" in page.text
