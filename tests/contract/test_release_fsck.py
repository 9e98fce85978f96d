"""fsck finds and repairs damage and garbage of image sources and releases."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from lambda_matchbox.aws.clients.dynamodb_json import decode_item, encode_item
from lambda_matchbox.aws.fsck.fsck import Ages
from lambda_matchbox.aws.fsck.rules import Finding, Kind
from lambda_matchbox.aws.keys import KEY, POINTERS, SOURCES, release_prefix, source_name
from lambda_matchbox.aws.releases.source_table import SourceTable
from lambda_matchbox.aws.releases.store import TableReleaseStore
from lambda_matchbox.oci.image_reference import ImageReference
from lambda_matchbox.releases.pointers import RECORD, Pointer, Release, published, rolled_back
from lambda_matchbox.releases.records import RecordedFile, ReleaseRecord
from lambda_matchbox.releases.sources import Source
from tests.rigs.catalog_table import CatalogTable

DOCUMENT = {"id": "arm", "image": "ghcr.io/team/boot:v1", "assets": "talos/arm64"}
SOURCE = Source("arm", ImageReference("ghcr.io", "team/boot", "v1", ""), "talos/arm64")
NOW = Ages(object=-1.0)
OLD, NEW = "sha256:old", "sha256:new"


def store_of(table: CatalogTable, source_id: str = "arm") -> TableReleaseStore:
    return TableReleaseStore(table.light, source_id)


def put(table: CatalogTable, name: str, body: bytes, source_id: str = "arm") -> None:
    """Put an object; `name` is directory and file."""
    directory, _, file = name.partition("/")
    table.s3_client.put_object(Bucket=table.name, Key=release_prefix(source_id, directory) + file, Body=body)


def delete(table: CatalogTable, name: str) -> None:
    directory, _, file = name.partition("/")
    table.s3_client.delete_object(Bucket=table.name, Key=release_prefix("arm", directory) + file)


def publish(table: CatalogTable, digest: str, moment: int, source_id: str = "arm") -> None:
    """Publish a release of two files, whose directory is called as the end of its digest."""
    directory = digest.removeprefix("sha256:")
    files = {"vmlinuz": RecordedFile(6, "0", "x"), "dir/extra": RecordedFile(0, "0", "x")}
    put(table, f"{directory}/vmlinuz", b"kernel", source_id)
    put(table, f"{directory}/dir/extra", b"", source_id)
    for name in files:
        put(table, f"{directory}/{name}.sha256", b"0", source_id)
    put(table, f"{directory}/{RECORD}", ReleaseRecord(source_id, "x", digest, moment, "", files).document(), source_id)
    store = store_of(table, source_id)
    old = store.pointer()
    store.move(old, published(old, SOURCE, Release(digest, directory, moment), moment))


def write(table: CatalogTable, key: str, source_id: str, value: Any) -> None:
    """Set what POINTERS or SOURCES has of a source."""
    item = decode_item(
        table.client.get_item(TableName=table.name, Key=encode_item({KEY: key})).get("Item", encode_item({KEY: key}))
    )
    table.client.put_item(TableName=table.name, Item=encode_item(item | {source_name(source_id): value}))


def pointer(table: CatalogTable) -> Pointer:
    found = store_of(table).pointer()
    assert found is not None
    return found


def kinds(findings: list[Finding]) -> list[tuple[Kind, bool]]:
    return [(found.kind, found.repaired) for found in findings]


@pytest.fixture
def sound(table: CatalogTable) -> CatalogTable:
    """A table with a source that has two releases."""
    SourceTable(table.light).put("arm", json.dumps(DOCUMENT))
    publish(table, OLD, 1)
    publish(table, NEW, 2)
    return table


def test_sound_releases_have_no_findings(sound: CatalogTable) -> None:
    store = store_of(sound)
    store.note_checked(5)
    put(sound, "under-way/vmlinuz", b"x")
    assert [] == sound.fsck(repair=True)
    store.discard("under-way")
    held = pointer(sound)
    store.move(held, rolled_back(held, None, 3))
    assert [] == sound.fsck(repair=True, ages=NOW)
    assert {"old", "new"} == store.directories().keys()


@pytest.mark.parametrize(
    "text", ["{", "[]", json.dumps(DOCUMENT | {"id": "x"}), json.dumps(DOCUMENT | {"x": 1}), 5, b"{}"]
)
def test_unreadable_source_is_damage(sound: CatalogTable, text: Any) -> None:
    write(sound, SOURCES, "arm", text)
    for repair in (False, True):
        (found,) = sound.fsck(repair=repair)
        assert (Kind.UNREADABLE, False) == (found.kind, found.repaired)
        assert found.text.startswith("source 'arm' is not synced: line 1: ")
        assert found.text.endswith("; import it again")


def test_overlapping_source_is_reported(sound: CatalogTable) -> None:
    SourceTable(sound.light).put("b", json.dumps(DOCUMENT | {"id": "b", "assets": "talos"}))
    why = "source 'b' is not synced: assets: 'talos' overlaps 'talos/arm64' of the source 'arm'"
    assert [(Kind.NOTE, why)] == [found[:2] for found in sound.fsck()]


@pytest.mark.parametrize("text", ["{", "{}", '{"assets":"a","current":"d","held":false,"releases":[]}'])
def test_unreadable_pointer_is_removed_by_a_repair(sound: CatalogTable, text: str) -> None:
    """Its files are not garbage."""
    write(sound, POINTERS, "arm", text)
    publish(sound, NEW, 2, "other")
    SourceTable(sound.light).put("other", json.dumps(DOCUMENT | {"id": "other", "assets": "other"}))
    assert [(Kind.UNREADABLE, False)] == kinds(sound.fsck(ages=NOW))
    assert [(Kind.UNREADABLE, True)] == kinds(sound.fsck(repair=True, ages=NOW))
    store = store_of(sound)
    assert ({"old", "new"}, None) == (store.directories().keys(), store.pointer())
    assert [] == sound.fsck(repair=True)
    publish(sound, NEW, 2)
    assert NEW == pointer(sound).current
    assert store_of(sound, "other").pointer() is not None


def test_pointer_that_is_not_text_is_reported(sound: CatalogTable) -> None:
    write(sound, POINTERS, "arm", 5)
    assert [(Kind.UNREADABLE, False)] * 2 == kinds(sound.fsck(repair=True) + sound.fsck())


LOSSES: dict[str, tuple[Callable[[CatalogTable, str], object], str]] = {
    "record is gone": (lambda table, directory: delete(table, f"{directory}/{RECORD}"), "its release.json"),
    "record is none": (lambda table, directory: put(table, f"{directory}/{RECORD}", b"{"), "its release.json"),
    "file is gone": (lambda table, directory: delete(table, f"{directory}/vmlinuz"), "'vmlinuz' with its 6 bytes"),
    "file has another size": (
        lambda table, directory: put(table, f"{directory}/vmlinuz", b""),
        "'vmlinuz' with its 6 bytes",
    ),
    "empty file is gone": (
        lambda table, directory: delete(table, f"{directory}/dir/extra"),
        "'dir/extra' with its 0 bytes",
    ),
    "checksum is gone": (lambda table, directory: delete(table, f"{directory}/vmlinuz.sha256"), "'vmlinuz.sha256'"),
    "all is gone": (lambda table, directory: store_of(table).discard(directory), "its release.json"),
}


@pytest.mark.parametrize("loss", LOSSES)
def test_lost_file_of_the_current_release_needs_a_sync(sound: CatalogTable, loss: str) -> None:
    harm, what = LOSSES[loss]
    harm(sound, "new")
    line = f"release {NEW} of source 'arm': the bucket lacks {what}; sync again"
    for repair in (False, True):
        (found,) = sound.fsck(repair=repair)
        assert (Kind.LOST_OBJECT, line, False) == found
    assert NEW == pointer(sound).current


@pytest.mark.parametrize("loss", LOSSES)
def test_old_release_without_a_file_is_removed_by_a_repair(sound: CatalogTable, loss: str) -> None:
    harm, what = LOSSES[loss]
    harm(sound, "old")
    line = f"release {OLD} of source 'arm': the bucket lacks {what}; --repair removes it from the releases"
    (found,) = sound.fsck()
    assert (Kind.LOST_OBJECT, line, False) == found
    assert [(Kind.LOST_OBJECT, True)] == kinds(sound.fsck(repair=True))
    assert [NEW] == [release.digest for release in pointer(sound).releases]
    assert [] == sound.fsck()


def test_held_release_without_a_file_needs_a_rollback(sound: CatalogTable) -> None:
    held = pointer(sound)
    store_of(sound).move(held, rolled_back(held, OLD, 3))
    delete(sound, "old/vmlinuz")
    (found,) = sound.fsck(repair=True)
    assert found.text.endswith("; roll back to another release, or follow and sync again")
    assert (Kind.LOST_OBJECT, False) == (found.kind, found.repaired)


def test_directory_without_a_pointer_is_garbage_after_a_day(sound: CatalogTable) -> None:
    for name in ("killed/vmlinuz", "killed/a/b", "new0/vmlinuz"):
        put(sound, name, b"x")
    put(sound, "gone/vmlinuz", b"x", "gone")
    assert [] == sound.fsck(repair=True)
    lines = {
        (Kind.UNUSED_OBJECT, f"no release has the objects below releases/{where}/")
        for where in ("arm/killed", "arm/new0", "gone/gone")
    }
    assert lines == {found[:2] for found in sound.fsck(ages=NOW)}
    assert [(Kind.UNUSED_OBJECT, True)] * 3 == kinds(sound.fsck(repair=True, ages=NOW))
    assert ({"old", "new"}, set()) == (
        store_of(sound).directories().keys(),
        store_of(sound, "gone").directories().keys(),
    )
    assert [] == sound.fsck(ages=NOW)


def test_garbage_of_a_running_sync_stays(sound: CatalogTable) -> None:
    put(sound, "under-way/vmlinuz", b"x")
    put(sound, "killed/vmlinuz", b"x", "gone")
    with store_of(sound).lease():
        found = sound.fsck(repair=True, ages=NOW)
    assert {(Kind.UNUSED_OBJECT, False), (Kind.UNUSED_OBJECT, True)} == set(kinds(found))
    assert ({"old", "new", "under-way"}, set()) == (
        store_of(sound).directories().keys(),
        store_of(sound, "gone").directories().keys(),
    )


def test_releases_without_a_source_are_a_note(sound: CatalogTable) -> None:
    SourceTable(sound.light).delete("arm")
    line = "source 'arm' has releases but no document: it is synced only if MATCHBOX_SOURCE names it"
    assert [(Kind.NOTE, line)] == [found[:2] for found in sound.fsck(repair=True, ages=NOW)]
    assert {"old", "new"} == store_of(sound).directories().keys()


def test_other_objects_stay(sound: CatalogTable) -> None:
    for key in ("releases/", "releases/file", "releases/arm/file"):
        sound.s3_client.put_object(Bucket=sound.name, Key=key, Body=b"")
    assert [] == sound.fsck(repair=True, ages=NOW)
    listed = sound.s3_client.list_objects_v2(Bucket=sound.name, Prefix="releases/")["Contents"]
    assert {"releases/", "releases/file", "releases/arm/file"} <= {found["Key"] for found in listed}
