"""Import and export of a data directory: on moto, and on DynamoDB Local with versitygw."""

import json
import resource
import shutil
import stat
from contextlib import closing
from pathlib import Path

import pytest

from lambda_matchbox.aws.catalog.table_contents import scan_table
from lambda_matchbox.documents.groups_and_profiles import parse_group, parse_profile
from tests.conformance.recordings import HERE, SUITES
from tests.contract.conftest import Run
from tests.rigs.stores import Stores

PARSERS = {"groups": parse_group, "profiles": parse_profile}
NOTHING = "0 added, 0 changed, 0 removed, "


def files(root: Path) -> dict[str, bytes]:
    return {file.relative_to(root).as_posix(): file.read_bytes() for file in root.rglob("*") if file.is_file()}


def contents(stores: Stores) -> dict[str, object]:
    """All that the table holds, but for what each write makes anew."""
    found = scan_table(stores.clients())
    items = found.by_key() | found.entries | {"S": found.shapes or {}}
    return {
        key: {name: value for name, value in item.items() if name not in ("rev", "v")} for key, item in items.items()
    }


@pytest.mark.parametrize("suite", SUITES)
def test_export_after_import_is_equal(
    suite: str, stores: Stores, run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A second import changes nothing."""
    data = HERE / suite / "data"
    # The recordings of one suite hold groups that do not parse.
    assert (1 if suite == "selection" else 0) == run("import", data)
    before = contents(stores)
    assert 0 == run("export", tmp_path / "out")
    given, got = files(data), files(tmp_path / "out")
    for path in given.keys() | got.keys():
        directory, _, name = path.partition("/")
        if directory in PARSERS and name.startswith("broken-"):
            assert path not in got
        elif directory in PARSERS:
            parse = PARSERS[directory]
            assert parse("x", given[path]) == parse("x", got[path])
        elif name:  # not secret.txt, which is not part of matchbox's directory
            assert given[path] == got[path]
    capsys.readouterr()
    assert 0 == run("import", tmp_path / "out", "--prune")
    assert [True, True] == [NOTHING in line for line in _lines(capsys)]
    assert before == contents(stores)


def test_dry_run_lists_the_changes_and_writes_nothing(
    data: Path, stores: Stores, run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 0 == run("import", data)
    (data / "groups" / "new.json").write_text('{"profile": "p", "selector": {"os": "b"}}')
    (data / "groups" / "g.json").write_text('{"profile": "p", "selector": {"os": "c"}}')
    (data / "generic" / "t").unlink()
    (data / "assets" / "vmlinuz").write_text("KERNEL")
    (data / "assets" / "dir" / "a file+ü%41.txt").unlink()
    before = contents(stores)
    capsys.readouterr()
    assert 0 == run("import", data, "--prune", "--dry-run")
    assert [
        "+ group new",
        "~ group g",
        "- generic template t",
        "groups, profiles and templates: would be 1 added, 1 changed, 1 removed, 2 unchanged",
        "~ asset vmlinuz",
        "- asset dir/a file+ü%41.txt",
        "assets: would be 0 added, 1 changed, 1 removed, 0 unchanged",
    ] == _lines(capsys)
    assert before == contents(stores)
    out = tmp_path / "out"
    shutil.copytree(data, out)
    assert 0 == run("export", out, "--prune", "--dry-run")
    assert [
        "+ assets/dir/a file+ü%41.txt",
        "+ generic/t",
        "~ assets/vmlinuz",
        "~ groups/g.json",
        "- groups/new.json",
        "files: would be 2 added, 2 changed, 1 removed, 2 unchanged",
    ] == _lines(capsys)
    assert files(data) == files(out)
    assert 0 == run("import", data, "--prune")
    assert [
        "+ group new",
        "~ group g",
        "- generic template t",
        "groups, profiles and templates: 1 added, 1 changed, 1 removed, 2 unchanged",
        "~ asset vmlinuz",
        "- asset dir/a file+ü%41.txt",
        "assets: 0 added, 1 changed, 1 removed, 0 unchanged",
    ] == _lines(capsys)
    assert 0 == run("export", out, "--prune")
    assert ["files: 0 added, 0 changed, 0 removed, 5 unchanged"] == _lines(capsys)


def test_exported_files_keep_their_modes(data: Path, run: Run) -> None:
    """A group's metadata may hold secrets."""
    paths = ("groups/g.json", "generic/t", "assets/vmlinuz")
    assert 0 == run("import", data)
    for path in paths:
        (data / path).write_text("{}")
        (data / path).chmod(0o600)
    assert 0 == run("export", data)
    assert {0o600} == {stat.S_IMODE((data / path).stat().st_mode) for path in paths}
    assert "{}" not in {(data / path).read_text() for path in paths}


def test_only_written_files_are_counted(
    data: Path, run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With a limit on the size of files, which fails as a full disk does: in the middle of a write."""
    (data / "groups/g.json").write_text("{}")
    assert 0 == run("import", data)
    capsys.readouterr()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
    try:
        assert 1 == run("export", tmp_path / "out")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    output = capsys.readouterr()
    assert "files: 0 added, 0 changed, 0 removed, 0 unchanged\n" == output.out
    assert f"matchboxctl: {tmp_path}/out/generic/t: cannot be written: File too large" in output.err.splitlines()
    assert "matchboxctl: 6 could not be exported (see the warnings above); the rest is exported" in output.err
    assert {} == files(tmp_path / "out")


def test_drafts_of_a_killed_export_are_removed_and_not_imported(
    data: Path, stores: Stores, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 0 == run("import", data)
    before = contents(stores)
    for directory in ("groups", "generic/deep", "assets"):
        (data / directory / ".put-0123456789abcdef").write_text("half")
    capsys.readouterr()
    assert 0 == run("import", data)
    assert [True, True] == [NOTHING in line for line in _lines(capsys)]
    assert before == contents(stores)
    assert 0 == run("export", data)
    assert [] == list(data.rglob(".put-*"))


def test_nothing_is_removed_without_prune(data: Path, stores: Stores, run: Run, tmp_path: Path) -> None:
    assert 0 == run("import", data)
    before = contents(stores)
    (tmp_path / "empty").mkdir()
    assert 0 == run("import", tmp_path / "empty")
    assert before == contents(stores)
    (data / "groups" / "other.json").write_text("{}")
    assert 0 == run("export", data)
    assert (data / "groups" / "other.json").exists()


def test_invalid_file_names_are_named_and_skipped(
    data: Path, stores: Stores, run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 0 == run("import", data)
    writer = stores.writer()
    writer.put_template("generic", "../../escaped", b"x")
    writer.put_template("generic", "/rooted", b"x")
    writer.put_group(parse_group("a/b", b"{}"))
    assert 1 == run("export", tmp_path / "out" / "data")
    output = capsys.readouterr().err
    for name in ("'generic/../../escaped'", "'generic//rooted'", "groups 'a/b'"):
        assert name in output
    assert sorted(files(data)) == sorted(files(tmp_path / "out" / "data"))
    assert ["data"] == [path.name for path in (tmp_path / "out").iterdir()]


def test_template_and_metadata_over_400_kb_survive(data: Path, run: Run, tmp_path: Path) -> None:
    metadata = {"list": ["x" * 1000] * 500}
    (data / "groups" / "long.json").write_text(json.dumps({"profile": "p", "metadata": metadata}))
    (data / "generic" / "long").write_bytes(b"x\n" * 300_000)
    assert 0 == run("import", data)
    assert 0 == run("export", tmp_path / "out")
    assert metadata == json.loads((tmp_path / "out" / "groups" / "long.json").read_text())["metadata"]
    assert b"x\n" * 300_000 == (tmp_path / "out" / "generic" / "long").read_bytes()


def test_import_completes_an_interrupted_one(data: Path, stores: Stores, run: Run) -> None:
    assert 0 == run("import", data)
    whole = contents(stores)
    with closing(stores.tables.client("dynamodb")) as client:
        for key in [key for key in whole if key.startswith("E#")] + ["S"]:
            client.delete_item(TableName=stores.name, Key={"pk": {"S": key}})
    assert whole != contents(stores)
    assert 0 == run("import", data)
    assert whole == contents(stores)


def test_fsck_exits_with_1_while_damage_remains(
    data: Path, stores: Stores, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 0 == run("import", data)
    capsys.readouterr()
    assert 0 == run("fsck")
    assert ["damage: 0 (0 repaired); garbage: 0 (0 repaired); notes: 0"] == _lines(capsys)
    with closing(stores.tables.client("dynamodb")) as client:
        client.delete_item(TableName=stores.name, Key={"pk": {"S": "G#g"}})
    assert 1 == run("fsck")
    output = capsys.readouterr()
    dangling = """dangling: the entry of [["os","a"]] names group 'g', which does not exist"""
    assert [dangling, "damage: 1 (0 repaired); garbage: 0 (0 repaired); notes: 0"] == output.out.splitlines()
    assert "matchboxctl: damage that remains: 1; run `matchboxctl fsck --repair`" == output.err.splitlines()[-1]
    assert 0 == run("fsck", "--repair")
    repaired = [f"{dangling} (repaired)", "damage: 1 (1 repaired); garbage: 0 (0 repaired); notes: 0"]
    assert repaired == _lines(capsys)
    assert 0 == run("fsck")


def _lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().out.splitlines()
