"""Names, secrets and lengths of what machines and documents say, as a console shows them."""

import re
import shlex
from contextlib import closing
from html import unescape
from pathlib import Path
from urllib.parse import quote

import pytest

from lambda_matchbox.machines.history_stores import History
from matchboxctl.directory.history_file import DirectoryHistory
from tests.contract.machine_histories import MAC, WAITS, asked
from tests.support.consoles import Page, console
from tests.support.data_files import write_files

PATH = f"/machines/{MAC}"
SOURCE = {"id": "s", "image": "127.0.0.1:1/boot:stable", "assets": "s"}


def seen(data: Path, **fields: str) -> None:
    """A machine that waits."""
    with closing(DirectoryHistory(data)) as store:
        History(store).add([asked(9, **fields, **WAITS)])


def commands(page: Page) -> list[list[str]]:
    """The words of the commands that a page shows, as a shell reads them."""
    return [shlex.split(unescape(line)) for line in re.findall("<code>(matchboxctl .*?)</code>", page.html)]


@pytest.mark.parametrize("name", ["-x", "--help", "a b", "'; reboot #", '"$(reboot)"', "`reboot`", "<b>&amp;", "ü"])
def test_commands_are_of_the_machine_or_document_whatever_its_name(tmp_path: Path, name: str) -> None:
    data = tmp_path / "it's; here"
    data.mkdir()
    write_files(data, {"groups/g.json": {"id": name, "profile": "p"}, "profiles/p.json": {}})
    (data / "groups/g.json").rename(data / f"groups/{name}.json")
    seen(data, serial=name)
    ends = [name, "--data-path", str(data)], ["--data-path", str(data), "--", name]
    with console(data) as running:
        browser = running.browser()
        machine, group = (browser.get(f"/{kind}/{quote(name)}") for kind in ("machines", "groups"))
        for page, words in (machine, ["machine", "forget"]), (group, ["group", "get"]):
            assert ["matchboxctl", *words, *ends[name.startswith("-")]] in commands(page)
        accepted = browser.send(f"/machines/{quote(name)}/forget", state="on")
    assert ["matchboxctl", "machine", "forget"] == commands(accepted)[0][:3]
    assert {"--state", name, str(data)} < {*commands(accepted)[0]}


@pytest.mark.parametrize("serial", [".", ".."])
def test_serial_number_that_is_no_name_of_a_file_has_a_page(tmp_path: Path, serial: str) -> None:
    seen(tmp_path, serial=serial)
    with console(tmp_path) as running:
        browser = running.browser()
        [path] = re.findall(rf'href="(/machines/[^"]*)">{re.escape(serial)}</a>', browser.get("/").html)
        assert path.rpartition("/")[2] not in (".", "..")
        assert f"<h1>{serial}</h1>" in browser.get(path).html
        assert "held" in browser.send(f"{path}/hold").text


def test_secrets_in_what_the_validation_says_are_masked(tmp_path: Path) -> None:
    seen(tmp_path, mac=MAC)
    boot = {"kernel": "/token=CANARY1", "args": ["inst.ks=https://ada:CANARY2@example.com/ks", "password=CANARY3"]}
    write_files(tmp_path, {"profiles/p.json": {"boot": boot}, "groups/g.json": {"profile": "p"}})
    with console(tmp_path) as running:
        browser = running.browser()
        for target in ("/profiles/p", "/profiles", "/health", "/groups/g", PATH):
            page = browser.get(target)
            assert "CANARY" not in page.html, target
        assert "there is no route /token=***" in browser.get("/health").text


def test_long_response_is_cut(tmp_path: Path) -> None:
    files = {"groups/g.json": {"profile": "p"}, "profiles/p.json": {"generic_id": "t"}, "generic/t": "~" * 70_000}
    write_files(tmp_path, files)
    with console(tmp_path) as running:
        page = running.browser().get("/which?labels=a%3Db")
    assert 65_536 == page.html.count("~")
    assert "It is longer: the command shows all" in page.text


def test_group_that_cannot_be_read_hides_nothing_of_a_machine(tmp_path: Path) -> None:
    seen(tmp_path, mac=MAC)
    write_files(tmp_path, {"groups/g.json": {"profile": "p", "boot": {"approve": "password=CANARY"}}})
    with console(tmp_path) as running:
        page = running.browser().get(PATH)
    assert "No group: group 'g': line 1: boot.approve: neither true nor false" in page.text
    assert "waits, 200" in page.text
    assert "CANARY" not in page.html


def test_secrets_in_documents_are_masked(tmp_path: Path) -> None:
    secret = {"password": "CANARY", "list": [{"api_key": "CANARY"}], "url": "https://ada:CANARY@example.com/"}
    boot = {"kernel": "https://ada:CANARY@example.com/k", "initrd": ["https://example.com/i?token=CANARY"]}
    files = {
        "groups/a.json": '{"id": "a", "metadata": {"password": "CANARY" "x"}}',
        "groups/b.json": {"profile": "p", "selector": {"token": ["CANARY", 5]}},
        "groups/c.json": {"profile": "p", "selector": {"token": "CANARY", "mac": "x"}},
        "groups/d.json": {"profile": "p", "selector": {"rack": "7"}, "metadata": secret},
        "groups/e.json": {"profile": "p", "selector": {"rack": "7", "secret": "CANARY"}},
        "profiles/p.json": {"generic_id": "g", "ignition_id": "i", "boot": boot},
        "profiles/q.json": {"boot": {"args": "password=CANARY"}},
        "generic/g": "{{.password}} {{.list}} {{.url}} token: CANARY {{.none}}",
        "ignition/i": "variant: fcos\nversion: 1.5.0\npassword: CANARY\nbad: [\n",
        "sources/s.json": {**SOURCE, "image": "https://ada:CANARY@ghcr.io/a:b"},
        "sources/t.json": {**SOURCE, "password": "CANARY"},
    }
    write_files(tmp_path, files)
    documents = ("groups/a", "groups/b", "groups/c", "groups/d", "groups/e", "profiles/p", "profiles/q")
    others = (
        "templates/generic/g",
        "templates/ignition/i",
        "images",
        "images/s",
        "health",
        "boots",
        "which?labels=rack%3D7",
    )
    with console(tmp_path) as running:
        browser = running.browser()
        for path in ("", "groups", "profiles", "templates", *documents, *others):
            assert "CANARY" not in browser.get(f"/{path}").html, path
