"""The documents of `import`, `export` and `fsck` with `-o`, which programs read."""

import json
from pathlib import Path

import pytest
import yaml

from tests.contract.conftest import Run
from tests.rigs.stores import Stores

Capture = pytest.CaptureFixture[str]


@pytest.mark.parametrize("output", ["json", "yaml"])
def test_import_and_export_name_each_change(
    stores: Stores, run: Run, tmp_path: Path, capsys: Capture, output: str
) -> None:
    data, out = tmp_path / "data", tmp_path / "out"
    for path, text in {
        "groups/g.json": '{"profile": "p"}',
        "profiles/p.json": '{"generic_id": "t"}',
        "generic/t": "text",
        "assets/vmlinuz": "kernel",
    }.items():
        (data / path).parent.mkdir(parents=True)
        (data / path).write_text(text)
    capsys.readouterr()
    added = ["asset vmlinuz", "generic template t", "group g", "profile p"]
    for flags in (["--dry-run"], []):
        assert 0 == run("import", data, *flags, "-o", output)
        document = yaml.safe_load(capsys.readouterr().out)
        assert added == sorted(document.pop("added"))
        assert {"dry_run": bool(flags), "changed": [], "removed": [], "unchanged": 0} == document
    (data / "groups/g.json").unlink()
    (data / "generic/t").write_text("other")
    assert 0 == run("import", data, "--prune", "--dry-run", "-o", output)
    assert {
        "dry_run": True,
        "added": [],
        "changed": ["generic template t"],
        "removed": ["group g"],
        "unchanged": 2,
    } == yaml.safe_load(capsys.readouterr().out)
    assert 0 == run("export", out, "-o", output)
    document = yaml.safe_load(capsys.readouterr().out)
    assert ["assets/vmlinuz", "generic/t", "groups/g.json", "profiles/p.json"] == sorted(document.pop("added"))
    assert {"dry_run": False, "changed": [], "removed": [], "unchanged": 0} == document


def test_fsck_has_each_finding(stores: Stores, run: Run, tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "groups").mkdir()
    (tmp_path / "groups/g.json").write_text('{"profile": "absent"}')
    run("import", tmp_path)
    capsys.readouterr()
    assert 0 == run("fsck", "-o", "json")
    (note,) = json.loads(capsys.readouterr().out)["findings"]
    assert "'absent'" in note.pop("message")
    assert {"severity": "note", "kind": "note", "repaired": False} == note
    stores.clients().dynamodb.put_item(TableName=stores.name, Item={"pk": {"S": "?"}})
    assert 1 == run("fsck", "-o", "yaml")
    findings = yaml.safe_load(capsys.readouterr().out)["findings"]
    assert ["damage", "note"] == sorted(finding["severity"] for finding in findings)
