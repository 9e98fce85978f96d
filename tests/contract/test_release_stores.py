"""The contract of release stores: in memory, in a directory, in table and bucket."""

import base64
import hashlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest

from lambda_matchbox.aws.clients.dynamodb_json import encode_item
from lambda_matchbox.aws.clients.errors import AWSError
from lambda_matchbox.aws.keys import KEY, POINTERS, source_name
from lambda_matchbox.releases.store import MovedError, ReleaseFile, ReleaseStore, ReleaseStoreError
from tests.contract.release_subjects import ON_SERVICES, OnStores, ReleaseSubject, pointer

DIRECTORY, OTHER = f"{'a' * 64}-01234567-89abcdef", f"{'b' * 64}-01234567-89abcdef"
NAMES = ["vmlinuz", "vmlinuz.sha256", "boot/dir/a file+ü%41", ".hidden", "q&a;b=c#d?"]
BODY = bytes(range(256)) * 40
SHA256 = hashlib.sha256(BODY).hexdigest()
KIND = "application/octet-stream"


@pytest.fixture
def store(releases: ReleaseSubject) -> ReleaseStore:
    return releases.store("arm")


def put(store: ReleaseStore, path: Path, directory: str, name: str, body: bytes = BODY) -> None:
    """Put a file as a sync does, whose own copy is gone afterwards."""
    file = path / "under way"
    file.write_bytes(body)
    store.put(directory, name, ReleaseFile(file, len(body), hashlib.sha256(body).hexdigest(), KIND))
    file.unlink()


@pytest.mark.parametrize("name", NAMES)
def test_file_is_read_as_it_was_put(releases: ReleaseSubject, store: ReleaseStore, tmp_path: Path, name: str) -> None:
    put(store, tmp_path, DIRECTORY, name)
    files = releases.served.files("arm", DIRECTORY)
    found = files.file(name)
    assert found is not None
    assert (BODY, {name: len(BODY)}) == (store.read(DIRECTORY, name), store.sizes(DIRECTORY))
    assert (len(BODY), KIND) == (found.size, found.content_type)
    assert BODY == files.read(name, 0, len(BODY))
    assert {DIRECTORY} == store.directories().keys()


def test_second_put_replaces_the_file(store: ReleaseStore, tmp_path: Path) -> None:
    put(store, tmp_path, DIRECTORY, "a")
    put(store, tmp_path, DIRECTORY, "a", b"new")
    put(store, tmp_path, DIRECTORY, "empty", b"")
    assert (b"new", b"") == (store.read(DIRECTORY, "a"), store.read(DIRECTORY, "empty"))
    assert {"a": 3, "empty": 0} == store.sizes(DIRECTORY)


def test_copy_outlives_the_original(releases: ReleaseSubject, store: ReleaseStore, tmp_path: Path) -> None:
    put(store, tmp_path, DIRECTORY, "boot/a")
    assert [True] * 2 == [
        store.copy(DIRECTORY, "b", DIRECTORY, "boot/a", SHA256),
        store.copy(OTHER, "deep/c", DIRECTORY, "boot/a", SHA256),
    ]
    assert BODY == store.read(DIRECTORY, "b")
    store.discard(DIRECTORY)
    assert BODY == releases.served.files("arm", OTHER).read("deep/c", 0, len(BODY))
    put(store, tmp_path, DIRECTORY, "boot/a", b"new")
    assert store.copy(OTHER, "deep/c", DIRECTORY, "boot/a", hashlib.sha256(b"new").hexdigest())
    assert b"new" == store.read(OTHER, "deep/c")


def test_changed_file_is_not_copied(store: ReleaseStore, tmp_path: Path) -> None:
    put(store, tmp_path, DIRECTORY, "a", b"overwritten")
    assert not store.copy(DIRECTORY, "b", DIRECTORY, "a", SHA256)


def test_missing_file_is_not_copied(store: ReleaseStore, tmp_path: Path) -> None:
    put(store, tmp_path, DIRECTORY, "a")
    assert [False] * 2 == [
        store.copy(DIRECTORY, "a", DIRECTORY, "b", SHA256),
        store.copy(OTHER, "a", f"{OTHER}x", "a", SHA256),
    ]
    assert (BODY, None) == (store.read(DIRECTORY, "a"), store.read(OTHER, "a"))


def test_empty_store_has_nothing(releases: ReleaseSubject, store: ReleaseStore) -> None:
    store.discard(DIRECTORY)
    assert (None, None, None, set(), {}) == (
        store.pointer(),
        store.checked(),
        store.read(DIRECTORY, "a"),
        store.directories().keys(),
        store.sizes(DIRECTORY),
    )
    assert {} == releases.served.pointers()
    assert releases.served.files("arm", DIRECTORY).file("a") is None


def test_discard_removes_one_directory(store: ReleaseStore, tmp_path: Path) -> None:
    for directory in (DIRECTORY, f"{DIRECTORY}0", OTHER):
        for name in NAMES:
            put(store, tmp_path, directory, name, b"x")
    store.discard(DIRECTORY)
    assert {f"{DIRECTORY}0", OTHER} == store.directories().keys()
    assert (None, {}, set(NAMES)) == (
        store.read(DIRECTORY, "vmlinuz"),
        store.sizes(DIRECTORY),
        set(store.sizes(f"{DIRECTORY}0")),
    )


def test_release_is_listed_like_assets(releases: ReleaseSubject, store: ReleaseStore, tmp_path: Path) -> None:
    for directory, name in ((DIRECTORY, "a"), (DIRECTORY, "boot/b"), (OTHER, "c"), (f"{DIRECTORY}0", "d")):
        put(store, tmp_path, directory, name, b"x")
    files = releases.served.files("arm", DIRECTORY)
    assert [(["a"], ["boot"]), (["b"], []), None] == [files.listing(path) for path in ("", "boot", "bo")]


def test_move_is_visible_at_once(releases: ReleaseSubject, store: ReleaseStore) -> None:
    moves = [None, pointer("a"), pointer("b", "a"), pointer("a", "b", held=True), pointer("a", assets="x/ü"), None]
    for old, new in pairwise(moves):
        store.move(old, new)
        assert [new] * 3 == [store.pointer(), releases.store("arm").pointer(), releases.served.pointers().get("arm")]
    store.move(None, None)
    assert {} == releases.served.pointers()


def test_move_from_an_old_pointer_changes_nothing(releases: ReleaseSubject, store: ReleaseStore) -> None:
    store.move(None, pointer("a"))
    store.move(pointer("a"), pointer("b", "a"))
    for old in (None, pointer("a"), pointer("b"), pointer("b", "a", held=True)):
        for new in (pointer("c"), None):
            with pytest.raises(MovedError, match="'arm'"):
                releases.store("arm").move(old, new)
    assert pointer("b", "a") == store.pointer()


def test_sources_share_nothing(releases: ReleaseSubject, tmp_path: Path) -> None:
    arm, other = releases.store("arm"), releases.store("arm64")
    with arm.lease() as first, other.lease() as second:
        arm.move(None, pointer("a"), first)
        other.move(None, pointer("b", assets="talos/amd64"), second)
    put(arm, tmp_path, DIRECTORY, "a", b"arm")
    put(other, tmp_path, DIRECTORY, "a", b"other")
    arm.note_checked(5)
    assert {"arm": pointer("a"), "arm64": pointer("b", assets="talos/amd64")} == releases.served.pointers()
    assert (5, None) == (arm.checked(), other.checked())
    arm.move(pointer("a"), None)
    arm.discard(DIRECTORY)
    assert ({}, b"other") == (arm.sizes(DIRECTORY), other.read(DIRECTORY, "a"))
    assert {"arm64": pointer("b", assets="talos/amd64")} == releases.served.pointers()
    with pytest.raises(MovedError):
        arm.move(pointer("a"), pointer("c"))


def test_concurrent_moves_of_different_sources_succeed(releases: ReleaseSubject) -> None:
    ids = [f"source{number}" for number in range(4)]
    stores = {source_id: releases.store(source_id) for source_id in ids}

    def move_often(source_id: str) -> None:
        old = None
        for number in range(5):
            new = pointer(f"{source_id}-{number}", assets=source_id)
            with stores[source_id].lease() as lease:
                stores[source_id].move(old, new, lease)
            old = new

    with ThreadPoolExecutor(len(ids)) as threads:
        list(threads.map(move_often, ids))
    expected = {source_id: pointer(f"{source_id}-4", assets=source_id) for source_id in ids}
    assert expected == releases.served.pointers()


def test_one_of_concurrent_moves_of_a_source_succeeds(releases: ReleaseSubject) -> None:
    stores = [releases.store("arm") for _ in range(4)]

    def move(number: int) -> bool:
        try:
            stores[number].move(None, pointer(f"d{number}"))
        except MovedError:
            return False
        return True

    with ThreadPoolExecutor(len(stores)) as threads:
        (winner,) = [number for number, moved in enumerate(threads.map(move, range(len(stores)))) if moved]
    assert {"arm": pointer(f"d{winner}")} == releases.served.pointers()


def test_time_of_the_last_check_is_kept(releases: ReleaseSubject, store: ReleaseStore) -> None:
    store.note_checked(5)
    with store.lease():
        assert 5 == releases.store("arm").checked()
        store.note_checked(1_700_000_000)
    assert 1_700_000_000 == releases.store("arm").checked()


@pytest.mark.parametrize("stored", ON_SERVICES[1:], indirect=True)
def test_bucket_keeps_checksum_and_content_type(stored: OnStores, tmp_path: Path) -> None:
    """Not moto's."""
    store = stored.subject.store("arm")
    put(store, tmp_path, DIRECTORY, "a")
    assert store.copy(OTHER, "b", DIRECTORY, "a", SHA256)
    expected = base64.b64encode(hashlib.sha256(BODY).digest()).decode()
    heads = [stored.head("arm", DIRECTORY, "a"), stored.head("arm", OTHER, "b")]
    assert [(expected, KIND)] * 2 == [(head["ChecksumSHA256"], head["ContentType"]) for head in heads]
    assert ["FULL_OBJECT"] * 2 == [head.get("ChecksumType", "FULL_OBJECT") for head in heads]


@pytest.mark.parametrize("stored", ON_SERVICES[1:], indirect=True)
def test_bucket_refuses_a_wrong_checksum(stored: OnStores, tmp_path: Path) -> None:
    """moto's does not."""
    (tmp_path / "file").write_bytes(BODY)
    store = stored.subject.store("arm")
    with pytest.raises(AWSError):
        store.put(DIRECTORY, "a", ReleaseFile(tmp_path / "file", len(BODY), "0" * 64, KIND))
    assert set() == store.directories().keys()


def test_damaged_pointer_hides_no_other(stored: OnStores) -> None:
    stored.subject.store("other").move(None, pointer("a"))
    with closing(stored.stores.tables.client("dynamodb")) as client:
        client.update_item(
            TableName=stored.stores.name,
            Key=encode_item({KEY: POINTERS}),
            UpdateExpression="SET #source = :text",
            ExpressionAttributeNames={"#source": source_name("arm")},
            ExpressionAttributeValues=encode_item({":text": "{"}),
        )
    assert {"other": pointer("a")} == stored.subject.served.pointers()
    store = stored.subject.store("arm")
    with pytest.raises(ReleaseStoreError, match=r"'arm' in the table is damaged; run `matchboxctl fsck --repair`"):
        store.pointer()
    with pytest.raises(MovedError):
        store.move(None, pointer("b"))
