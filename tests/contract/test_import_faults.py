"""What cannot be read, stored or written is named; the rest is done, and nothing counts as absent."""

import json
import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from lambda_matchbox.aws.bulk.asset_objects import AssetObjects
from lambda_matchbox.aws.bulk.run import CatalogImport
from lambda_matchbox.aws.catalog.items import MAX_DOCUMENT_SIZE, UnwritableError
from lambda_matchbox.aws.keys import TEMPLATES_PREFIX
from lambda_matchbox.catalog.groups import Group
from tests.contract.conftest import Run
from tests.contract.test_import_export import contents, files
from tests.rigs.stores import Stores


def test_refused_template_stays_in_the_table(data: Path, stores: Stores, run: Run) -> None:
    """Even with --prune."""
    assert 0 == run("import", data)
    before = contents(stores)
    (data / "generic" / "t").write_bytes(bytes(MAX_DOCUMENT_SIZE + 1))
    assert 1 == run("import", data, "--prune")
    assert before == contents(stores)


def test_interruption_says_what_is_kept(
    data: Path, stores: Stores, run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(CatalogImport, "fill", interrupted)
        assert 130 == run("import", data)
    kept = "what was written stays, a file that was under way starts anew; the same command goes on with the rest"
    assert f"matchboxctl: interrupted: {kept}" == capsys.readouterr().err.splitlines()[-1]
    assert 0 == run("import", data)
    assert "assets: 0 added" in capsys.readouterr().out


def test_line_break_in_a_boot_section_is_named(
    data: Path, stores: Stores, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    """The profile in the table stays, even with --prune, and the rest is imported."""
    assert 0 == run("import", data)
    before = contents(stores)
    file = data / "profiles" / "p.json"
    file.write_text('{"boot": {"kernel": "/k",\n"args": ["a", "b\\nshell"]}}')
    (data / "generic" / "more").write_text("more")
    capsys.readouterr()
    assert 1 == run("import", data, "--prune")
    why = "line 2: boot.args.1: the control character '\\n' could begin a new line of the boot script: remove it"
    assert f"matchboxctl: {file}: {why}" in capsys.readouterr().err.splitlines()
    after = contents(stores)
    assert {"T#generic#more"} == set(after) - set(before)
    assert before["P#p"] == after["P#p"]


def test_unreadable_directory_prevents_pruning(
    data: Path, stores: Stores, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 0 == run("import", data)
    before = contents(stores)
    (data / "groups" / "g.json").unlink()
    (data / "groups").rmdir()
    (data / "groups").write_text("no directory")
    (data / "assets" / "vmlinuz").unlink()
    capsys.readouterr()
    assert 1 == run("import", data, "--prune")
    output = capsys.readouterr()
    assert "note: nothing is pruned, because a directory could not be read" in output.err.splitlines()
    assert "assets: 0 added, 0 changed, 0 removed, 1 unchanged" in output.out
    assert before == contents(stores)


def test_wrong_directory_is_not_pruned_from(data: Path, stores: Stores, run: Run, tmp_path: Path) -> None:
    assert 0 == run("import", data)
    before = contents(stores)
    (tmp_path / "wrong").mkdir()
    assert 2 == run("import", tmp_path / "wrong", "--prune")
    assert 2 == run("import", tmp_path / "wrong", "--prune", "--dry-run")
    assert 0 == run("import", tmp_path / "wrong")
    assert before == contents(stores)
    (tmp_path / "wrong" / "groups").mkdir()
    assert 0 == run("import", tmp_path / "wrong", "--prune")
    assert {} == {key: item for key, item in contents(stores).items() if key[0] in "GPT"}


def test_asset_removed_during_an_import_is_named(
    data: Path, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (data / "assets" / "gone").write_text("x")
    (data / "assets" / "other").write_text("x")
    listed = AssetObjects.sizes

    def sizes(objects: AssetObjects) -> dict[str, int]:
        (data / "assets" / "gone").unlink(missing_ok=True)
        return listed(objects)

    monkeypatch.setattr(AssetObjects, "sizes", sizes)
    assert 1 == run("import", data)
    output = capsys.readouterr()
    assert f"matchboxctl: {data / 'assets' / 'gone'}: cannot be read: No such file or directory" in output.err
    assert "assets: 3 added, 0 changed, 0 removed, 0 unchanged" in output.out.splitlines()
    assert 0 == run("export", tmp_path / "out")
    assert {"dir", "other", "vmlinuz"} == {path.name for path in (tmp_path / "out" / "assets").iterdir()}


def test_dangling_link_is_unreadable_and_its_document_stays(
    data: Path, stores: Stores, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 0 == run("import", data)
    before = contents(stores)
    for path in ("groups/g.json", "generic/t", "assets/vmlinuz"):
        (data / path).unlink()
        (data / path).symlink_to("/absent/file")
    capsys.readouterr()
    assert 1 == run("import", data, "--prune")
    output = capsys.readouterr()
    for path in ("groups/g.json", "generic/t", "assets/vmlinuz"):
        assert f"matchboxctl: {data / path}: cannot be read: No such file or directory" in output.err.splitlines()
    assert "assets: 0 added, 0 changed, 0 removed, 1 unchanged" in output.out
    assert before == contents(stores)


def test_linked_directory_has_assets_under_each_path(data: Path, run: Run, tmp_path: Path) -> None:
    (data / "assets" / "v1").mkdir()
    (data / "assets" / "v1" / "vmlinuz").write_text("v1")
    (data / "assets" / "current").symlink_to("v1")
    (data / "assets" / "v1" / "loop").symlink_to("..")
    assert 0 == run("import", data)
    assert 0 == run("export", tmp_path / "out")
    found = {path for path in files(tmp_path / "out") if path.endswith("vmlinuz")}
    assert {"assets/vmlinuz", "assets/v1/vmlinuz", "assets/current/vmlinuz"} == found


def test_group_of_a_full_entry_is_named(
    data: Path, stores: Stores, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    # Two groups fit, a third does not.
    text = json.dumps({"profile": "p" * 150_000, "selector": {"os": "full"}})
    for name in ("a", "b"):
        (data / "groups" / f"{name}.json").write_text(text)
    assert 0 == run("import", data)
    (data / "groups" / "a.json").rename(data / "groups" / "c.json")
    (data / "groups" / "other.json").write_text("{}")
    capsys.readouterr()
    assert 1 == run("import", data)
    output = capsys.readouterr()
    refusal = (
        "matchboxctl: group 'c': with it the entry of its selector would exceed 409600 bytes (400 KB), DynamoDB's "
        "limit for an item (other groups, deleted ones included: 2)"
    )
    assert refusal in output.err.splitlines()
    assert "groups, profiles and templates: 1 added, 0 changed, 0 removed, 5 unchanged" in output.out
    assert "G#other" in contents(stores)
    assert "G#c" not in contents(stores)


# moto counts an attribute twice that is set again, as an import into an empty table does at its end.
@pytest.mark.parametrize(
    ("stores", "filled"),
    [
        ("moto", True),
        pytest.param("real", True, marks=pytest.mark.real),
        pytest.param("real", False, marks=pytest.mark.real),
    ],
    indirect=["stores"],
)
def test_group_that_exceeds_shapes_is_named(
    data: Path, stores: Stores, run: Run, filled: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    if filled:
        assert 0 == run("import", data)
    for name in "lmnopqrs":
        (data / "groups" / f"{name}.json").write_text(json.dumps({"profile": "p", "selector": {name * 60_000: "x"}}))
    (data / "groups" / "too-long.json").write_text(json.dumps({"selector": {"x" * 65_535: "x"}}))
    capsys.readouterr()
    for added, unchanged in ((6, 4) if filled else (10, 0), (0, 10)):
        assert 1 == run("import", data)
        output = capsys.readouterr()
        refusals = [
            f"matchboxctl: group '{name}': with its selector's keys the item of all shapes would exceed 409600 bytes "
            "(400 KB), DynamoDB's limit for an item (shapes in it: 7)"
            for name in ("r", "s")
        ]
        assert refusals == [line for line in output.err.splitlines() if "all shapes" in line]
        assert "matchboxctl: group 'too-long': its selector's keys have 65539 bytes together" in output.err
        summary = f"groups, profiles and templates: {added} added, 0 changed, 0 removed, {unchanged} unchanged"
        assert summary in output.out.splitlines()
    assert "G#q" in contents(stores)
    assert 0 == run("fsck", "--repair")


def test_writer_reports_full_shapes(data: Path, stores: Stores) -> None:
    stores.create()
    writer = stores.writer()
    for name in "abcdef":
        writer.put_group(Group(name, selector={name * 60_000: "x"}))
    with pytest.raises(UnwritableError, match=r"group 'g': .* the item of all shapes would exceed 409600"):
        writer.put_group(Group("g", selector={"g" * 60_000: "x"}))
    with pytest.raises(UnwritableError, match=r"group 'h': the selector's keys have 70004 bytes together"):
        writer.put_group(Group("h", selector={"h" * 70_000: "x"}))


def lose_objects(stores: Stores) -> None:
    with closing(stores.buckets.client("s3")) as s3:
        for listed in s3.list_objects_v2(Bucket=stores.name, Prefix=TEMPLATES_PREFIX)["Contents"]:
            s3.delete_object(Bucket=stores.name, Key=listed["Key"])


def test_export_names_lost_objects_and_import_restores_them(
    data: Path, stores: Stores, run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (data / "generic" / "long").write_bytes(b"x" * 100_000)
    (data / "groups" / "long.json").write_text(json.dumps({"metadata": {"a": "x" * 100_000}}))
    assert 0 == run("import", data)
    assert 0 == run("export", tmp_path / "out")
    whole = files(tmp_path / "out")
    lose_objects(stores)
    capsys.readouterr()
    assert 1 == run("export", tmp_path / "out", "--prune")
    output = capsys.readouterr()
    assert "generic template 'long': the bucket lacks" in output.err
    assert "group 'long': the bucket lacks" in output.err
    assert whole == files(tmp_path / "out")
    assert 1 == run("fsck")
    assert 0 == run("import", data)
    assert 0 == run("fsck")


def test_export_spares_the_file_of_a_damaged_item(data: Path, stores: Stores, run: Run) -> None:
    assert 0 == run("import", data)
    before = files(data)
    with closing(stores.tables.client("dynamodb")) as client:
        client.put_item(TableName=stores.name, Item={"pk": {"S": "P#p"}, "doc": {"S": "{"}})
    assert 1 == run("export", data, "--prune")
    assert before == files(data)


def test_export_directory_that_cannot_be_created_is_one_line(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    capsys.readouterr()
    assert 2 == run("export", tmp_path / "file" / "out")
    line = f"matchboxctl: {tmp_path / 'file' / 'out'} cannot be created: Not a directory"
    assert line == capsys.readouterr().err.splitlines()[-1]


def test_dry_run_shows_names_that_are_not_utf8(data: Path, run: Run) -> None:
    assert 0 == run("import", data)
    (data / "generic" / os.fsdecode(b"\xff")).write_text("x")
    output = subprocess.run(
        [sys.executable, "-m", "matchboxctl.main", "export", str(data), "--prune", "--dry-run"],
        env={**os.environ, "PYTHONIOENCODING": "utf-8:strict"},
        capture_output=True,
        check=True,
    )
    assert b"- generic/\\udcff" in output.stdout.splitlines()
