"""`matchboxctl validate` on table and bucket: moto, and DynamoDB Local with versitygw."""

import json
from contextlib import closing
from pathlib import Path

import pytest

from lambda_matchbox.aws.keys import KEY, group_key
from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import NetBoot, Profile
from tests.contract.conftest import Run
from tests.rigs.stores import Stores
from tests.support.data_files import write_files


def findings(run: Run, capsys: pytest.CaptureFixture[str]) -> list[tuple[str, str, str | None, str]]:
    """Severity, rule, file and message of each; there are faults."""
    capsys.readouterr()
    assert 1 == run("validate", "-o", "json")
    found = json.loads(capsys.readouterr().out)["findings"]
    return [(one["severity"], one["rule"], one["file"], one["message"]) for one in found]


def test_imported_directory_has_the_findings_of_the_directory(
    data: Path, stores: Stores, run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """But for unknown keys, which an import drops; templates and metadata may lie in the bucket."""
    assert 0 == run("import", data)
    capsys.readouterr()
    assert 0 == run("validate")
    assert "nothing found in 1 group, 1 profile, 2 templates\n" == capsys.readouterr().out
    source = {"id": "s", "image": "ghcr.io/a/b:1", "assets": "talos"}
    write_files(
        data,
        {
            "groups/long.json": {"profile": "absent", "selector": {"os": "a"}, "metadata": {"long": "x" * 40_000}},
            "profiles/q.json": {
                "boot": {"kernel": "/assets/talos/vmlinuz"},
                "generic_id": "long",
                "cloud_id": "absent",
            },
            "groups/q.json": {"profile": "q", "selector": {"os": "q"}},
            "generic/long": f"#!/bin/sh\nTOKEN=<your-token>\n{'x' * 40_000}",
            "sources/s.json": source,
        },
    )
    assert 0 == run("import", data)
    shown = [
        ("fault", "placeholder", "generic/long", "placeholders are left: <your-token>"),
        ("fault", "profile", "groups/long.json", "profile 'absent' does not exist"),
        ("fault", "overlap", "groups/long.json", "groups g, long have the same selectors: g is chosen"),
        ("fault", "template", "profiles/q.json", "cloud template 'absent' does not exist"),
        ("fault", "asset", "profiles/q.json", "kernel: /assets/talos/vmlinuz does not exist"),
        ("note", "release", "sources/s.json", "it has no release yet"),
    ]
    assert shown == findings(run, capsys)
    assert 0 == run("export", tmp_path / "out")
    assert 1 == run("validate", tmp_path / "out", "-o", "json")
    out = capsys.readouterr().out
    written = json.loads(out[out.index("{") :])["findings"]
    files = [one["file"].removeprefix(f"{tmp_path}/out/") for one in written]
    assert shown == [
        (one["severity"], one["rule"], file, one["message"]) for one, file in zip(written, files, strict=True)
    ]


def test_damaged_items_are_faults(stores: Stores, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """Also a boot section that was stored before its rule."""
    writer = stores.writer()
    writer.put_group(Group("g", "", "p", {"os": "a"}))
    writer.put_group(Group("h", "", "p", {"os": "b"}))
    writer.put_profile(Profile("p", boot=NetBoot("http://192.0.2.1/k", args=("a\nb",))))
    with closing(stores.tables.client("dynamodb")) as client:
        key = {KEY: {"S": group_key("h") or ""}}
        values = {":damaged": {"S": "{"}}
        client.update_item(
            TableName=stores.name, Key=key, UpdateExpression="SET doc = :damaged", ExpressionAttributeValues=values
        )
    first, second = findings(run, capsys)
    assert ("fault", "unreadable", None, "group h: its item cannot be read: see `matchboxctl fsck`") == first
    assert ("fault", "boot", "profiles/p.json") == second[:3]
    assert second[3].startswith("boot.args.0: the control character ")


def test_store_that_is_absent_is_a_failure_with_advice(
    stores: Stores, run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MATCHBOX_TABLE", "absent")
    assert 1 == run("validate")
    output = capsys.readouterr()
    assert output.err.startswith("matchboxctl: table absent on http://")
    assert output.err.endswith(
        ": the table does not exist: check name and region, or create it with `matchboxctl init`\n"
    )
    assert "nothing found" not in output.out
