"""The console's pages on groups, profiles and templates, over a data directory and over table and bucket."""

import json
import os
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from matchboxctl.store.mode import chosen_store
from tests.contract.machine_histories import BY_NIGHT
from tests.rigs.tcp_fault import fault_proxy
from tests.support.consoles import Browser, Page, console
from tests.support.resource_commands import ResourceCommands

HOSTILE = "<img src=x onerror=alert(1)>"
PASSWORD = "hunter2hunter2"


@pytest.fixture
def browser(commands: ResourceCommands) -> Iterator[Browser]:
    commands.ok(
        "ignition", "create", "-f", commands.file("i", "a: {{.role}}\npassword: hunter2hunter2\n"), "--name", "deep/i"
    )
    boot = {"kernel": "/assets/k", "args": ["console=ttyS0", f"password={PASSWORD}"]}
    create(commands, "profile", {"id": "p", "name": "Workers", "boot": boot, "ignition_id": "deep/i"})
    metadata = {"role": "worker", "password": PASSWORD}
    create(commands, "group", {"id": "g", "profile": "p", "selector": {"rack": "7"}, "metadata": metadata})
    with console(chosen_store(os.environ.get("MATCHBOX_DATA_PATH", ""))) as running:
        yield running.browser()


def create(commands: ResourceCommands, kind: str, document: object) -> None:
    """Create the document, whatever machines would miss."""
    assert 0 == commands.run(kind, "create", "-f", commands.file("document", json.dumps(document))).code


def validated(browser: Browser, target: str) -> Page:
    """The page, once the validation has ended."""
    while "The validation is running" in (page := browser.get(target)).text:
        pass
    return page


def test_documents_are_listed_and_shown_with_what_is_wrong_and_who_names_them(
    commands: ResourceCommands, browser: Browser
) -> None:
    create(commands, "profile", {"id": "<b>", "name": HOSTILE, "generic_id": "none"})
    selector = {"rack": HOSTILE, "token": PASSWORD}
    create(commands, "group", {"id": HOSTILE, "profile": "<b>", "selector": selector, "metadata": {"note": HOSTILE}})
    where = f" --data-path {commands.data}" if commands.data else ""
    groups = validated(browser, "/groups")
    assert [HOSTILE, "g"] == groups.machines
    assert "rack=7 p none show" in groups.text
    assert f"rack={HOSTILE} token=***" in groups.text
    assert f"2 groups. The same by command: matchboxctl group list{where}" in groups.text
    profiles = validated(browser, "/profiles")
    assert "p Workers ignition/deep/i /assets/k 1 group" in profiles.text
    assert "generic/none none 1 group 1 fault" in profiles.text
    assert "ignition/deep/i 38 1 profile" in validated(browser, "/templates").text
    profile = browser.get("/profiles/%3Cb%3E")
    assert "fault generic template 'none' does not exist create it, or remove its id from the profile" in profile.text
    assert f"Used by {HOSTILE}" in profile.text
    assert f"The same by command: matchboxctl profile get '<b>'{where}" in profile.text
    group = browser.get("/groups/g")
    assert "fault kernel: /assets/k does not exist" in group.text
    assert '"role": "worker"' in group.text
    template = browser.get("/templates/ignition/deep/i")
    assert "a: {{.role}}" in template.text
    assert "Used by p" in template.text
    for page in (groups, profiles, profile, group, template, browser.get(f"/groups/{quote(HOSTILE, safe='')}")):
        assert PASSWORD not in page.html
        assert "<img" not in page.html
        assert "<b>" not in page.html


def test_form_shows_which_machine_gets_what_and_why(commands: ResourceCommands, browser: Browser) -> None:
    create(commands, "group", {"id": "gpu", "profile": "p", "selector": {"rack": "7", "gpu": HOSTILE}})
    assert "Its group, and why" not in browser.get("/which").text
    labels = f"rack=7\r\n\r\nmac=52-54-00-12-34-56\nserial={HOSTILE}"
    found = browser.get(f"/which?labels={quote(labels)}")
    assert "Group g , by rack=7 ; profile p" in found.text
    assert f"not gpu: it selects gpu={HOSTILE} (the machine has no such label)" in found.text
    assert "/ipxe 200" in found.text
    assert "kernel /assets/k" in found.text
    assert "a: worker" in found.text
    assert f"render ipxe --label rack=7 --label mac=52-54-00-12-34-56 --label 'serial={HOSTILE}'" in found.text
    assert [] == [text for text in (PASSWORD, "<img") if text in found.html]
    none = browser.get("/which?labels=rack%3D8")
    assert "No group selects it" in none.text
    assert "not g: it selects rack=7 (the machine has 8)" in none.text
    wrong = browser.get("/which?labels=%3Cimg%3E")
    assert "invalid --label '<img>': use KEY=VALUE" in wrong.text
    assert "/ipxe" not in wrong.text
    assert "Left out, as invalid: mac=x" in browser.get("/which?labels=mac%3Dx").text


@pytest.mark.parametrize("commands", ["moto"], indirect=True)
def test_form_selects_once_for_all_routes(commands: ResourceCommands, monkeypatch: pytest.MonkeyPatch) -> None:
    create(commands, "group", {"id": "g", "profile": "p", "selector": {"rack": "7"}})
    with fault_proxy(os.environ["AWS_ENDPOINT_URL_DYNAMODB"]) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", proxy.endpoint)
        with console(chosen_store("")) as running:
            browser = running.browser()
            browser.get("/which?labels=rack%3D8")
            proxy.forget_requests()
            assert "Group g , by rack=7" in browser.get("/which?labels=rack%3D7").text
            # A selection, the groups that match, and others.
            assert {"BatchGetItem": 4, "Scan": 1} == dict(proxy.requests())


@BY_NIGHT
def test_lists_have_pages_and_are_filtered_by_the_beginning_of_an_id(
    commands: ResourceCommands, browser: Browser
) -> None:
    ids = [f"rack-{at:03}" for at in range(120)]
    for at, each in enumerate(ids):
        commands.file(f"{each}.json", json.dumps({"id": each, "profile": "p", "selector": {"rack": f"r{at}"}}))
    (commands.files / "i").unlink()
    (commands.files / "document").unlink()
    assert 0 == commands.run("group", "create", "-f", str(commands.files)).code
    first = browser.get("/groups")
    assert ["g", *ids[:49]] == first.machines
    assert "121 groups" in first.text
    second = browser.get(next_page(first))
    assert ids[49:99] == second.machines
    third = browser.get(next_page(second))
    assert (ids[99:], "First page", False) == (third.machines, "First page", 'rel="next"' in third.html)
    tens = browser.get("/groups?q=rack-01")
    assert (ids[10:20], True) == (tens.machines, "10 groups that begin with “rack-01”" in tens.text)
    assert "No group begins with “none”" in browser.get("/groups?q=none").text
    assert "and 71 more" in validated(browser, "/profiles/p").text
    commands.ok("group", "delete", "rack-000")
    while "rack-000" in browser.get("/groups").machines:
        pass


@BY_NIGHT
def test_damaged_and_absent_documents_are_named(commands: ResourceCommands, browser: Browser) -> None:
    if commands.data is not None:
        (commands.data / "groups" / "broken.json").write_text('{"id": <b>')
        assert "not JSON" in browser.get("/groups").text
        page = validated(browser, "/groups/broken")
        assert "It cannot be read, and is not served: line 1: not JSON" in page.text
        assert "correct it: it is not served" in page.text
    for path in ("/groups/none", "/profiles/a%2Fb", "/templates/none/i", "/templates/ignition/..%2Fi", "/groups/a%00"):
        page = browser.request("GET", path)
        assert (404, True) == (page.status, f"no {path.split('/')[1][:-1]} " in page.text)
    assert 404 == browser.request("GET", "/sources").status
    commands.ok("generic", "create", "-f", commands.file("raw", b"\xff\x00"))
    assert "It is not a text" in browser.get("/templates/generic/raw").text


@BY_NIGHT
def test_what_the_validation_says_comes_to_the_page_by_itself(commands: ResourceCommands, browser: Browser) -> None:
    validated(browser, "/groups")
    live = browser.get("/live/profiles?key=p&key=none")
    assert "1 group" in live.text
    assert 'id="validated"' in live.html
    assert "does not exist" in browser.get("/live/groups?name=g").text


def next_page(page: Page) -> str:
    """The address of the next page."""
    return next(part for part in page.html.split('"') if "after=" in part).replace("&amp;", "&")
