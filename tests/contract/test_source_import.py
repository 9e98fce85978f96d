"""Import and export of image sources; a pruned source loses its releases."""

import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from lambda_matchbox.aws.catalog.table_contents import scan_table
from lambda_matchbox.aws.clients.dynamodb_json import encode_item
from lambda_matchbox.aws.keys import KEY, POINTERS, source_name
from lambda_matchbox.aws.releases.source_table import SourceTable
from lambda_matchbox.aws.releases.store import TableReleaseStore
from lambda_matchbox.documents.sources import parse_source
from lambda_matchbox.releases.pointers import Pointer, Release
from lambda_matchbox.releases.sources import Source
from lambda_matchbox.releases.store import ReleaseFile
from tests.contract.conftest import Run
from tests.rigs.stores import Stores
from tests.rigs.tcp_fault import fault_proxy

StoreOf = Callable[[str], TableReleaseStore]

ARM = {"id": "arm", "image": "ghcr.io/team/boot:v1", "assets": "talos/arm64"}
AMD = {
    "id": "amd",
    "image": "ghcr.io/team/boot",
    "assets": "talos/amd64",
    "platform": "linux/amd64",
    "files": {"vmlinuz": ["/boot/vmlinuz", "vmlinuz"]},
    "interval": "10m",
    "keep": 5,
}
SHA256_OF_X = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"


def write(data: Path, *documents: dict[str, Any]) -> None:
    """Put sources beside groups and profiles."""
    (data / "sources").mkdir(exist_ok=True)
    for document in documents:
        (data / "sources" / f"{document['id']}.json").write_text(json.dumps(document, indent=1))


@pytest.fixture
def sources(data: Path) -> Path:
    """The data directory, with two sources."""
    write(data, ARM, AMD)
    return data


@pytest.fixture
def table(stores: Stores) -> SourceTable:
    return SourceTable(stores.light_clients())


@pytest.fixture
def store_of(stores: Stores) -> StoreOf:
    clients = stores.light_clients()
    return lambda source_id: TableReleaseStore(clients, source_id)


def publish(store: TableReleaseStore, directory: Path, assets: str) -> Pointer:
    """Publish a release of one file."""
    file = directory / "x"
    file.write_bytes(b"x")
    store.put("place", "vmlinuz", ReleaseFile(file, 1, SHA256_OF_X, "application/octet-stream"))
    pointer = Pointer(assets, "sha256:d", held=False, releases=(Release("sha256:d", "place", 1),))
    store.move(None, pointer)
    store.note_checked(5)
    return pointer


def parsed(table: SourceTable) -> dict[str, Source]:
    return {name: parse_source(name, text.encode()) for name, text in table.documents().items()}


def _lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """What standard output says of sources."""
    return [line for line in capsys.readouterr().out.splitlines() if "source" in line]


def test_second_import_changes_nothing(
    sources: Path, run: Run, table: SourceTable, capsys: pytest.CaptureFixture[str]
) -> None:
    """A dry run lists the sources and writes none."""
    run("import", sources, "--dry-run")
    assert [
        "+ source amd",
        "+ source arm",
        "image sources: would be 2 added, 0 changed, 0 removed, 0 unchanged",
    ] == _lines(capsys)
    assert {} == table.documents()
    assert 0 == run("import", sources)
    added = ["+ source amd", "+ source arm", "image sources: 2 added, 0 changed, 0 removed, 0 unchanged"]
    assert added == _lines(capsys)
    assert {one["id"]: parse_source(one["id"], json.dumps(one).encode()) for one in (ARM, AMD)} == parsed(table)
    assert 0 == run("import", sources, "--prune")
    assert ["image sources: 0 added, 0 changed, 0 removed, 2 unchanged"] == _lines(capsys)


def test_sources_are_not_mentioned_without_any(data: Path, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == run("import", data)
    assert [] == _lines(capsys)


def test_changed_source_is_written_and_due(
    sources: Path, run: Run, table: SourceTable, store_of: StoreOf, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not one with equal content."""
    assert 0 == run("import", sources)
    store_of("arm").note_checked(5)
    store_of("amd").note_checked(5)
    write(sources, ARM | {"keep": 7}, AMD | {"interval": "600s", "image": "ghcr.io/team/boot:latest"})
    capsys.readouterr()
    assert 0 == run("import", sources, "--dry-run")
    assert ["~ source arm", "image sources: would be 0 added, 1 changed, 0 removed, 1 unchanged"] == _lines(capsys)
    assert 0 == run("import", sources)
    assert (7, None, 5) == (parsed(table)["arm"].keep, store_of("arm").checked(), store_of("amd").checked())


def test_broken_and_overlapping_sources_are_named(
    sources: Path, run: Run, table: SourceTable, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 0 == run("import", sources)
    write(sources, ARM | {"tag": "v2"}, AMD | {"keep": 4})
    write(sources, ARM | {"id": "below", "assets": "talos/amd64/x"}, ARM | {"id": "new", "assets": "new"})
    (sources / "sources" / "absent.json").symlink_to("nowhere")
    capsys.readouterr()
    assert 1 == run("import", sources, "--prune")
    output = capsys.readouterr()
    where = sources / "sources"
    assert {
        f"matchboxctl: {where}/arm.json: line 5: tag: unknown field",
        f"matchboxctl: {where}/absent.json: cannot be read: No such file or directory",
        f"matchboxctl: {where}/below.json: assets: 'talos/amd64/x' overlaps 'talos/amd64' of the source 'amd'",
        "matchboxctl: 3 could not be imported (see the warnings above); the rest is imported",
    } <= set(output.err.splitlines())
    assert "image sources: 1 added, 1 changed, 0 removed, 0 unchanged" in output.out
    assert {"arm": 3, "amd": 4, "new": 3} == {name: source.keep for name, source in parsed(table).items()}


def test_source_overlapping_one_of_the_table_is_refused(
    sources: Path, run: Run, table: SourceTable, capsys: pytest.CaptureFixture[str]
) -> None:
    """Unless that one is pruned."""
    table.put("a", json.dumps(ARM | {"id": "a", "assets": "talos"}))
    capsys.readouterr()
    assert 1 == run("import", sources)
    output = capsys.readouterr().err
    for name, assets in (("arm", "talos/arm64"), ("amd", "talos/amd64")):
        overlap = f"{sources}/sources/{name}.json: assets: '{assets}' overlaps 'talos' of the source 'a'"
        assert overlap in output
    assert {"a"} == table.documents().keys()
    assert 0 == run("import", sources, "--prune")
    assert {"amd", "arm"} == table.documents().keys()


def test_prune(
    sources: Path,
    run: Run,
    stores: Stores,
    table: SourceTable,
    store_of: StoreOf,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Who prunes a source removes its pointer and its files, and no other one's, nor what no document ever named."""
    assert 0 == run("import", sources)
    kept = {name: publish(store_of(name), tmp_path, name) for name in ("amd", "stand-in")}
    publish(store_of("arm"), tmp_path, "arm")
    (sources / "sources" / "arm.json").unlink()
    assert 0 == run("import", sources)
    assert {"amd", "arm"} == table.documents().keys()
    capsys.readouterr()
    assert 0 == run("import", sources, "--prune", "--dry-run")
    assert ["- source arm", "image sources: would be 0 added, 0 changed, 1 removed, 1 unchanged"] == _lines(capsys)
    assert store_of("arm").pointer() is not None
    assert 0 == run("import", sources, "--prune")
    assert {"amd"} == table.documents().keys()
    arm = store_of("arm")
    assert (None, set(), None) == (arm.pointer(), arm.directories().keys(), arm.checked())
    assert kept == {name: store_of(name).pointer() for name in kept}
    assert [{"place"}] * 2 == [store_of(name).directories().keys() for name in kept]
    with arm.lease():
        assert 0 == run("import", sources, "--prune")


def test_source_that_is_being_synced_is_not_removed(
    sources: Path, run: Run, table: SourceTable, store_of: StoreOf, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 0 == run("import", sources)
    pointer = publish(store_of("arm"), tmp_path, "arm")
    (sources / "sources" / "arm.json").unlink()
    (sources / "sources" / "amd.json").unlink()
    with store_of("arm").lease():
        assert 1 == run("import", sources, "--prune")
    output = capsys.readouterr()
    assert "source 'arm' is not removed: another sync of 'arm' is running; run the same command again" in output.err
    assert "image sources: 0 added, 0 changed, 1 removed, 0 unchanged" in output.out
    assert ({"arm"}, pointer) == (table.documents().keys(), store_of("arm").pointer())
    assert 0 == run("import", sources, "--prune")
    assert ({}, None) == (table.documents(), store_of("arm").pointer())


def test_source_stays_until_its_releases_are_removed(
    sources: Path, run: Run, stores: Stores, table: SourceTable, store_of: StoreOf, tmp_path: Path
) -> None:
    assert 0 == run("import", sources)
    publish(store_of("arm"), tmp_path, "arm")
    with closing(stores.tables.client("dynamodb")) as client:
        client.put_item(TableName=stores.name, Item=encode_item({KEY: POINTERS, source_name("arm"): "{"}))
    (sources / "sources" / "arm.json").unlink()
    assert 1 == run("import", sources, "--prune")
    assert ({"amd", "arm"}, {"place"}) == (table.documents().keys(), store_of("arm").directories().keys())
    assert 0 == run("fsck", "--repair")
    assert 0 == run("import", sources, "--prune")
    assert ({"amd"}, set()) == (table.documents().keys(), store_of("arm").directories().keys())


def test_assets_hidden_by_a_source_are_noted(sources: Path, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("talos/arm64/vmlinuz", "talos/arm64/deep/er", "talos/arm640"):
        file = sources / "assets" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("x")
    assert 0 == run("import", sources)
    notes = [line for line in capsys.readouterr().err.splitlines() if line.startswith("note: ")]
    hidden = "assets below talos/arm64/: 2; once the source 'arm' has a release, only its files are served there"
    assert [f"note: {hidden}"] == notes


def test_export_keeps_equal_files_and_prunes(
    sources: Path, run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 0 == run("import", sources)
    out = tmp_path / "out"
    assert 0 == run("export", out)
    for document in (ARM, AMD):
        name = document["id"]
        exported = (out / "sources" / f"{name}.json").read_bytes()
        assert parse_source(name, json.dumps(document).encode()) == parse_source(name, exported)
    capsys.readouterr()
    write(sources, ARM | {"id": "other", "assets": "other"}, AMD | {"keep": 9})
    assert 0 == run("export", sources, "--prune", "--dry-run")
    assert ["~ sources/amd.json", "- sources/other.json"] == _lines(capsys)
    before = (sources / "sources" / "arm.json").read_bytes()
    assert 0 == run("export", sources, "--prune")
    assert before == (sources / "sources" / "arm.json").read_bytes()
    assert ["amd.json", "arm.json"] == sorted(file.name for file in (sources / "sources").iterdir())


def test_damaged_source_is_named_and_its_file_stays(
    sources: Path, run: Run, table: SourceTable, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 0 == run("import", sources)
    table.put("arm", "{")
    capsys.readouterr()
    assert 1 == run("export", sources, "--prune")
    assert "source 'arm' cannot be read: line 1: not JSON" in capsys.readouterr().err
    assert ARM == json.loads((sources / "sources" / "arm.json").read_text())
    assert 1 == run("export", tmp_path / "out")
    assert ["amd.json"] == [file.name for file in (tmp_path / "out" / "sources").iterdir()]
    assert 0 == run("import", sources)
    assert {"amd", "arm"} == parsed(table).keys()


def test_table_with_only_a_sync_is_filled_in_batches(
    sources: Path, run: Run, stores: Stores, store_of: StoreOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with store_of("stand-in").lease():
        pointer = publish(store_of("stand-in"), tmp_path, "x")
    with fault_proxy(stores.tables.endpoint) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", proxy.endpoint)
        assert 0 == run("import", sources)
        calls = proxy.requests()
    assert (True, 0) == (calls["BatchWriteItem"] > 0, calls["TransactWriteItems"])
    found = scan_table(stores.clients())
    assert ({"g"}, []) == (found.groups.keys(), found.others)
    assert (pointer, 5) == (store_of("stand-in").pointer(), store_of("stand-in").checked())
