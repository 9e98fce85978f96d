"""The commands on resources while table and bucket are unavailable, throttle or refuse."""

import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from botocore.awsrequest import AWSResponse
from urllib3 import HTTPResponse

from lambda_matchbox.aws.catalog.listing import CatalogListing
from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import Profile
from matchboxctl.documents.retries import Retries
from tests.rigs.faults import FORBIDDEN, INTERNAL_ERROR, THROTTLED, Fault, PassThrough, Refuse
from tests.rigs.service import Service
from tests.rigs.stores import Stores, new_stores
from tests.rigs.tcp_fault import FaultProxy, fault_proxy
from tests.support.commands import Ended
from tests.support.resource_commands import ResourceCommands


class Rig(NamedTuple):
    """Stores, the commands on them, and the proxy in front of the table."""

    stores: Stores
    commands: ResourceCommands
    table: FaultProxy


@pytest.fixture
def rig(
    moto_server: Service,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsysbinary: pytest.CaptureFixture[bytes],
) -> Iterator[Rig]:
    stores = new_stores(moto_server, moto_server)
    with fault_proxy(moto_server.endpoint) as table:
        environment = replace(stores, tables=replace(stores.tables, endpoint=table.endpoint)).environment()
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        yield Rig(stores, ResourceCommands(tmp_path, capsysbinary, monkeypatch, environment, None), table)


def test_short_outage_is_retried_silently(rig: Rig) -> None:
    rig.stores.create()
    faults: list[Fault] = [THROTTLED, INTERNAL_ERROR, Refuse()]
    commands = (["profile", "create", "-f", "-"], ["profile", "list"], ["profile", "delete", "p"])
    for fault, arguments in zip(faults, commands, strict=True):
        rig.table.switch(fault)
        back = threading.Timer(1, rig.table.switch, [PassThrough()])
        back.start()
        assert "p" in rig.commands.ok(*arguments, stdin=b'{"id": "p"}')
        back.join()


def test_long_outage_ends_with_advice(rig: Rig) -> None:
    rig.stores.create()
    rig.table.switch(THROTTLED)
    ended = rig.commands.run("group", "list")
    assert (1, "", 1) == (ended.code, ended.out, len(ended.err.splitlines()))
    assert ended.err.endswith("; run the same command again\n")


def test_missing_table_and_permissions_are_not_retried(rig: Rig) -> None:
    refused = [["machine", verb, "52:54:00:00:00:01"] for verb in ("describe", "approve", "forget")]
    for arguments in (["group", "get", "x"], ["group", "list"], ["cloud", "delete", "x", "--yes"], *refused):
        ended = rig.commands.run(*arguments)
        assert 1 == ended.code
        assert ended.err.startswith(f"matchboxctl: table {rig.stores.name} on http://")
        assert ended.err.endswith(
            ": the table does not exist: check name and region, or create it with `matchboxctl init`\n"
        )
    rig.table.switch(FORBIDDEN)
    for arguments in (["profile", "get", "x"], *refused):
        ended = rig.commands.run(*arguments)
        assert (1, True) == (ended.code, ended.err.endswith("; check the permissions of these credentials\n"))


def test_list_names_damaged_items(rig: Rig) -> None:
    rig.stores.create()
    writer = rig.stores.writer()
    for group in (Group("far", "", "p", {}, {"a": "x" * 40_000}), Group("good", "", "p", {"os": "a"})):
        writer.put_group(group)
    with closing(rig.stores.tables.client("dynamodb")) as client:
        client.put_item(TableName=rig.stores.name, Item={"pk": {"S": "G#bad"}, "doc": {"S": "{"}})
        odd = {"doc": {"S": "{}"}, "at": {"L": []}, "size": {"N": "5"}}
        client.put_item(TableName=rig.stores.name, Item={"pk": {"S": "P#odd"}, **odd})
        client.put_item(TableName=rig.stores.name, Item={"pk": {"S": "P#odder"}, **odd, "at": {"N": "5"}})
    with closing(rig.stores.buckets.client("s3")) as s3:
        (listed,) = s3.list_objects_v2(Bucket=rig.stores.name)["Contents"]
        s3.delete_object(Bucket=rig.stores.name, Key=listed["Key"])
    table = rig.commands.run("group", "list")
    bad = "matchboxctl: group bad: its item cannot be read: see `matchboxctl fsck`"
    assert (1, ["ID", "far", "good"]) == (table.code, [line.split()[0] for line in table.out.splitlines()])
    assert [
        bad,
        "matchboxctl: 1 could not be listed (see the warning above); the rest is listed",
    ] == table.err.splitlines()
    whole = rig.commands.run("group", "list", "-o", "yaml")
    assert (1, "- id: good\n  profile: p\n  selector:\n    os: a\n") == whole[:2]
    lost = f"matchboxctl: group far: the bucket lacks '{listed['Key']}', which the table names: see matchboxctl fsck"
    assert ["matchboxctl: 2 could not be listed (see the warnings above); the rest is listed", bad, lost] == sorted(
        whole.err.splitlines(), key=str
    )
    why = "group bad cannot be read: its item cannot be read: see `matchboxctl fsck`"
    assert Ended(1, "", f"matchboxctl: {why}\n") == rig.commands.run("group", "get", "bad")
    assert 1 == rig.commands.run("group", "get", "far").code
    for ended in (rig.commands.run("profile", "list"), rig.commands.run("profile", "list", "-o", "json")):
        assert (1, {"odd", "odder"}) == (ended.code, {line.split()[2][:-1] for line in ended.err.splitlines()[:-1]})
    for name in ("odd", "odder"):
        assert 1 == rig.commands.run("profile", "get", name).code
    assert "group far deleted\n" == rig.commands.ok("group", "delete", "far")


@pytest.mark.parametrize("item", [{"doc": {"S": "{"}}, {}, {"doc": {"S": "[]"}, "rev": {"S": "1"}}])
def test_damaged_group_must_be_replaced_before_it_is_deleted(rig: Rig, item: dict[str, Any]) -> None:
    """Its entries are unknown."""
    rig.stores.create()
    with closing(rig.stores.tables.client("dynamodb")) as client:
        client.put_item(TableName=rig.stores.name, Item={"pk": {"S": "G#g"}, **item})
    why = "matchboxctl: group 'g': its item cannot be read: see `matchboxctl fsck`\n"
    assert Ended(1, "", why) == rig.commands.run("group", "delete", "g")
    written = rig.commands.run("group", "create", "-f", "-", stdin=b'{"id": "g", "profile": "p"}')
    assert Ended(0, "group g replaced\n", "note: group g: profile 'p' does not exist\n") == written
    assert "group g deleted\n" == rig.commands.ok("group", "delete", "g")


def test_pages_of_a_list_are_retried_one_by_one(rig: Rig) -> None:
    rig.stores.create()
    writer = rig.stores.writer()
    # 2 MB; a page has 1 MB.
    profiles = [Profile(f"p{number}", metadata={"a": "x" * 30_000}) for number in range(70)]
    for profile in profiles:
        writer.put_profile(profile)
    asked: list[Any] = []

    def refuse_the_second(request: Any, **_: object) -> AWSResponse | None:
        asked.append(request)
        return (
            AWSResponse(request.url, 500, {}, HTTPResponse(BytesIO(), preload_content=False))
            if len(asked) == 2
            else None
        )

    with closing(rig.stores.tables.client("dynamodb")) as client:
        client.meta.events.register("before-send.dynamodb.Scan", refuse_the_second)
        warnings: list[str] = []
        clients = rig.stores.clients()._replace(dynamodb=client)
        found = CatalogListing(clients, Retries(10), lambda _: b"", warnings.append).profiles()
    assert sorted(profiles) == sorted(found)
    assert [] == warnings
    pages = len(asked) - 1
    assert pages > 1
