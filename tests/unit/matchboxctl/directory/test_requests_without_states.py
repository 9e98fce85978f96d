"""Requests of machines when the file of their states cannot be used."""

import io
import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode

import pytest

from lambda_matchbox.assets.file_server import Delivery
from lambda_matchbox.http import Request, Response
from lambda_matchbox.machines.identities import Identities
from lambda_matchbox.machines.state import MachineState
from lambda_matchbox.web.alb import BODY_LIMIT
from lambda_matchbox.web.app import App
from lambda_matchbox.web.json_log import JsonLog
from lambda_matchbox.web.routes import Routes
from matchboxctl.directory import state_file
from matchboxctl.directory.machine_states import DirectoryMachines
from matchboxctl.directory.state_file import FILE
from matchboxctl.serve.directory_stores import directory_stores
from tests.support.http_serving import http_serving
from tests.unit.matchboxctl.directory.state_statements import run

NODE = Identities("52:54:00:12:34:56", "4c4c4544-0038-4410-8052-b3c04f4b5931")
LIMIT = 60


@contextmanager
def served(root: Path) -> Iterator[App]:
    """An app over the directory, with a group without a policy and one that installs once."""
    for path, document in {
        "groups/plain.json": {"profile": "p", "selector": {"os": "plain"}},
        "groups/once.json": {"profile": "p", "selector": {"os": "once"}, "boot": {"once": True}},
        "profiles/p.json": {"generic_id": "t", "boot": {"kernel": "/assets/k"}},
    }.items():
        (root / path).parent.mkdir(exist_ok=True)
        (root / path).write_text(json.dumps(document))
    (root / "generic").mkdir()
    (root / "generic/t").write_text("configuration")
    opened = directory_stores(root, root / "assets", pytest.fail)
    with closing(opened.catalog), closing(opened.machines):
        yield App(Routes(opened.stores, Delivery(BODY_LIMIT, "-")), JsonLog("critical", io.StringIO()))


@pytest.mark.parametrize(
    ("damage", "while_serving"),
    [
        (lambda file: file.unlink(), True),
        (lambda file: run(file, "PRAGMA user_version = 99"), True),
        (lambda file: run(file, "DROP TABLE machine"), True),
        (lambda file: run(file, "UPDATE machine SET state = 'x'"), True),
        (lambda file: file.write_bytes(b""), False),
        (lambda file: file.write_bytes(b"no database " * 1000), False),
    ],
)
def test_only_groups_with_a_policy_need_the_file(
    tmp_path: Path, damage: "partial[None]", *, while_serving: bool
) -> None:
    """What is cached of an overwritten file may be used until a restart."""
    with closing(DirectoryMachines(tmp_path)) as machines:
        machines.write(None, MachineState(NODE, installed=1))
    if not while_serving:
        damage(tmp_path / FILE)
    with served(tmp_path) as app:
        if while_serving:
            assert b"/assets/k" not in _asked(app, "/ipxe", "once").body
            damage(tmp_path / FILE)
        for path in ("/ipxe", "/grub", "/generic", "/metadata"):
            assert [503, 200] == [_asked(app, path, group).status for group in ("once", "plain")]


def _asked(app: App, path: str, group: str) -> Response:
    query = urlencode({"os": group, "mac": NODE.mac})
    return app.respond(Request("GET", path, query, {"host": "h", "x-forwarded-for": "10.0.0.5"}))


@pytest.mark.system
def test_a_locked_file_holds_up_no_other_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One whose delivery cannot be recorded yet gets it after the others have theirs."""
    monkeypatch.setattr(state_file, "_BUSY_SECONDS", float(LIMIT))
    with closing(DirectoryMachines(tmp_path)) as machines:
        machines.write(None, MachineState(Identities(mac="52:54:00:00:00:01")))
    with (
        served(tmp_path) as app,
        http_serving(app) as port,
        closing(sqlite3.connect(tmp_path / FILE)) as other,
    ):
        get = partial(_get, port)
        other.execute("BEGIN IMMEDIATE")
        found: list[int] = []
        waiting = threading.Thread(target=lambda: found.append(get("once")))
        waiting.start()
        assert [200] * 20 == [get("plain") for _ in range(20)]
        assert not found
        other.rollback()
        waiting.join()
        assert found == [200]


def _get(port: int, os_name: str) -> int:
    with closing(HTTPConnection("127.0.0.1", port, timeout=LIMIT)) as connection:
        connection.request("GET", f"/generic?{urlencode({'os': os_name, 'mac': NODE.mac})}")
        return connection.getresponse().status
