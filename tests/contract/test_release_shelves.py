"""What every store of releases promises: in memory, in a directory, in table and bucket."""

from __future__ import annotations

import base64
import hashlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from lambda_matchbox.aws.catalog.layout import KEY
from lambda_matchbox.aws.clients.boto3_items import typed
from lambda_matchbox.aws.clients.errors import AWSError
from lambda_matchbox.aws.releases.source_items import POINTERS, source_name
from lambda_matchbox.releases.store import MovedError, ReleaseFile, ShelfError
from tests.contract.release_subjects import ON_SERVICES, OnStores, ReleaseSubject, pointer

if TYPE_CHECKING:
    from pathlib import Path

    from lambda_matchbox.releases.store import ReleaseShelf

PLACE, OTHER = f"{'a' * 64}-01234567-89abcdef", f"{'b' * 64}-01234567-89abcdef"
NAMES = ["vmlinuz", "vmlinuz.sha256", "boot/dir/a file+ü%41", ".hidden", "q&a;b=c#d?"]
BODY = bytes(range(256)) * 40
SHA256 = hashlib.sha256(BODY).hexdigest()
KIND = "application/octet-stream"


@pytest.fixture
def shelf(releases: ReleaseSubject) -> ReleaseShelf:
    return releases.shelf("arm")


def put(shelf: ReleaseShelf, directory: Path, place: str, name: str, body: bytes = BODY) -> None:
    """Put a file as a sync does, whose own copy is gone afterwards."""
    file = directory / "under way"
    file.write_bytes(body)
    shelf.put(place, name, ReleaseFile(file, len(body), hashlib.sha256(body).hexdigest(), KIND))
    file.unlink()


@pytest.mark.parametrize("name", NAMES)
def test_put(releases: ReleaseSubject, shelf: ReleaseShelf, tmp_path: Path, name: str) -> None:
    """A file of any name is read as it was put, has its size, and is one of the release's."""
    put(shelf, tmp_path, PLACE, name)
    files = releases.served.files("arm", PLACE)
    found = files.file(name)
    assert found is not None
    assert (BODY, {name: len(BODY)}) == (shelf.read(PLACE, name), shelf.sizes(PLACE))
    assert (len(BODY), KIND) == (found.size, found.content_type)
    assert BODY == files.read(name, 0, len(BODY))
    assert {PLACE} == shelf.places()


def test_put_again(shelf: ReleaseShelf, tmp_path: Path) -> None:
    """A file that is put again has its new bytes; an empty one has none."""
    put(shelf, tmp_path, PLACE, "a")
    put(shelf, tmp_path, PLACE, "a", b"new")
    put(shelf, tmp_path, PLACE, "empty", b"")
    assert (b"new", b"") == (shelf.read(PLACE, "a"), shelf.read(PLACE, "empty"))
    assert {"a": 3, "empty": 0} == shelf.sizes(PLACE)


def test_copy(releases: ReleaseSubject, shelf: ReleaseShelf, tmp_path: Path) -> None:
    """A copy has the same bytes, in the same place and in another one, and outlives what it was made from."""
    put(shelf, tmp_path, PLACE, "boot/a")
    assert [True] * 2 == [
        shelf.copy(PLACE, "b", PLACE, "boot/a", SHA256),
        shelf.copy(OTHER, "deep/c", PLACE, "boot/a", SHA256),
    ]
    assert BODY == shelf.read(PLACE, "b")
    shelf.discard(PLACE)
    assert BODY == releases.served.files("arm", OTHER).read("deep/c", 0, len(BODY))
    put(shelf, tmp_path, PLACE, "boot/a", b"new")
    assert shelf.copy(OTHER, "deep/c", PLACE, "boot/a", hashlib.sha256(b"new").hexdigest())
    assert b"new" == shelf.read(OTHER, "deep/c")


def test_copy_of_other_bytes(shelf: ReleaseShelf, tmp_path: Path) -> None:
    """What is stored is copied only if it still has the SHA-256 that it was put with."""
    put(shelf, tmp_path, PLACE, "a", b"overwritten")
    assert not shelf.copy(PLACE, "b", PLACE, "a", SHA256)


def test_copy_of_what_is_absent(shelf: ReleaseShelf, tmp_path: Path) -> None:
    """Nothing is copied from a place or a name that is not there, and what was there stays."""
    put(shelf, tmp_path, PLACE, "a")
    assert [False] * 2 == [
        shelf.copy(PLACE, "a", PLACE, "b", SHA256),
        shelf.copy(OTHER, "a", f"{OTHER}x", "a", SHA256),
    ]
    assert (BODY, None) == (shelf.read(PLACE, "a"), shelf.read(OTHER, "a"))


def test_absent(releases: ReleaseSubject, shelf: ReleaseShelf) -> None:
    """Where nothing was put there is nothing to read, to list or to serve, and nothing to discard."""
    shelf.discard(PLACE)
    assert (None, None, None, set(), {}) == (
        shelf.pointer(),
        shelf.checked(),
        shelf.read(PLACE, "a"),
        shelf.places(),
        shelf.sizes(PLACE),
    )
    assert {} == releases.served.pointers()
    assert releases.served.files("arm", PLACE).file("a") is None


def test_discard(shelf: ReleaseShelf, tmp_path: Path) -> None:
    """A place is discarded whole, and no other one, also where its name is the beginning of another's."""
    for place in (PLACE, f"{PLACE}0", OTHER):
        for name in NAMES:
            put(shelf, tmp_path, place, name, b"x")
    shelf.discard(PLACE)
    assert {f"{PLACE}0", OTHER} == shelf.places()
    assert (None, {}, set(NAMES)) == (
        shelf.read(PLACE, "vmlinuz"),
        shelf.sizes(PLACE),
        set(shelf.sizes(f"{PLACE}0")),
    )


def test_listing(releases: ReleaseSubject, shelf: ReleaseShelf, tmp_path: Path) -> None:
    """The files of a release are listed as other assets are, without what lies in other places."""
    for place, name in ((PLACE, "a"), (PLACE, "boot/b"), (OTHER, "c"), (f"{PLACE}0", "d")):
        put(shelf, tmp_path, place, name, b"x")
    files = releases.served.files("arm", PLACE)
    assert [(["a"], ["boot"]), (["b"], []), None] == [files.listing(path) for path in ("", "boot", "bo")]


def test_move(releases: ReleaseSubject, shelf: ReleaseShelf) -> None:
    """A move is seen at once, by this shelf, by others, and by whoever serves; None takes the source out."""
    moves = [None, pointer("a"), pointer("b", "a"), pointer("a", "b", held=True), pointer("a", assets="x/ü"), None]
    for old, new in pairwise(moves):
        shelf.move(old, new)
        assert [new] * 3 == [shelf.pointer(), releases.shelf("arm").pointer(), releases.served.pointers().get("arm")]
    shelf.move(None, None)
    assert {} == releases.served.pointers()


def test_moved_meanwhile(releases: ReleaseSubject, shelf: ReleaseShelf) -> None:
    """Whoever moves what is not served any more changes nothing."""
    shelf.move(None, pointer("a"))
    shelf.move(pointer("a"), pointer("b", "a"))
    for old in (None, pointer("a"), pointer("b"), pointer("b", "a", held=True)):
        for new in (pointer("c"), None):
            with pytest.raises(MovedError, match="'arm'"):
                releases.shelf("arm").move(old, new)
    assert pointer("b", "a") == shelf.pointer()


def test_sources_side_by_side(releases: ReleaseSubject, tmp_path: Path) -> None:
    """Sources share nothing: neither pointers, nor files, nor leases, nor when they were up to date."""
    arm, other = releases.shelf("arm"), releases.shelf("arm64")
    with arm.lease() as first, other.lease() as second:
        arm.move(None, pointer("a"), first)
        other.move(None, pointer("b", assets="talos/amd64"), second)
    put(arm, tmp_path, PLACE, "a", b"arm")
    put(other, tmp_path, PLACE, "a", b"other")
    arm.note_checked(5)
    assert {"arm": pointer("a"), "arm64": pointer("b", assets="talos/amd64")} == releases.served.pointers()
    assert (5, None) == (arm.checked(), other.checked())
    arm.move(pointer("a"), None)
    arm.discard(PLACE)
    assert ({}, b"other") == (arm.sizes(PLACE), other.read(PLACE, "a"))
    assert {"arm64": pointer("b", assets="talos/amd64")} == releases.served.pointers()
    with pytest.raises(MovedError):
        arm.move(pointer("a"), pointer("c"))


def test_concurrent_moves(releases: ReleaseSubject) -> None:
    """Moves of different sources at the same time all succeed."""
    ids = [f"source{number}" for number in range(4)]
    shelves = {source_id: releases.shelf(source_id) for source_id in ids}

    def move_often(source_id: str) -> None:
        old = None
        for number in range(5):
            new = pointer(f"{source_id}-{number}", assets=source_id)
            with shelves[source_id].lease() as lease:
                shelves[source_id].move(old, new, lease)
            old = new

    with ThreadPoolExecutor(len(ids)) as threads:
        list(threads.map(move_often, ids))
    expected = {source_id: pointer(f"{source_id}-4", assets=source_id) for source_id in ids}
    assert expected == releases.served.pointers()


def test_rival_moves(releases: ReleaseSubject) -> None:
    """Of several moves of one source from the same pointer one succeeds, and the others are told."""
    shelves = [releases.shelf("arm") for _ in range(4)]

    def move(number: int) -> bool:
        try:
            shelves[number].move(None, pointer(f"d{number}"))
        except MovedError:
            return False
        return True

    with ThreadPoolExecutor(len(shelves)) as threads:
        (winner,) = [number for number, moved in enumerate(threads.map(move, range(len(shelves)))) if moved]
    assert {"arm": pointer(f"d{winner}")} == releases.served.pointers()


def test_checked(releases: ReleaseSubject, shelf: ReleaseShelf) -> None:
    """The moment when a source was up to date is kept, whatever becomes of leases."""
    shelf.note_checked(5)
    with shelf.lease():
        assert 5 == releases.shelf("arm").checked()
        shelf.note_checked(1_700_000_000)
    assert 1_700_000_000 == releases.shelf("arm").checked()


@pytest.mark.parametrize("stored", ON_SERVICES[1:], indirect=True)
def test_stored_checksum(stored: OnStores, tmp_path: Path) -> None:
    """The bucket (not moto's) keeps the SHA-256 of each whole file, of a copied one, too, and its content type."""
    shelf = stored.subject.shelf("arm")
    put(shelf, tmp_path, PLACE, "a")
    assert shelf.copy(OTHER, "b", PLACE, "a", SHA256)
    expected = base64.b64encode(hashlib.sha256(BODY).digest()).decode()
    heads = [stored.head("arm", PLACE, "a"), stored.head("arm", OTHER, "b")]
    assert [(expected, KIND)] * 2 == [(head["ChecksumSHA256"], head["ContentType"]) for head in heads]
    assert ["FULL_OBJECT"] * 2 == [head.get("ChecksumType", "FULL_OBJECT") for head in heads]


@pytest.mark.parametrize("stored", ON_SERVICES[1:], indirect=True)
def test_wrong_checksum(stored: OnStores, tmp_path: Path) -> None:
    """A file that is not what it should be is refused by the bucket (moto's takes all), and is not there."""
    (tmp_path / "file").write_bytes(BODY)
    shelf = stored.subject.shelf("arm")
    with pytest.raises(AWSError):
        shelf.put(PLACE, "a", ReleaseFile(tmp_path / "file", len(BODY), "0" * 64, KIND))
    assert set() == shelf.places()


def test_damaged_pointer(stored: OnStores) -> None:
    """A pointer that cannot be read is none to machines, and hides no other one."""
    stored.subject.shelf("other").move(None, pointer("a"))
    with closing(stored.stores.tables.client("dynamodb")) as client:
        client.update_item(
            TableName=stored.stores.name,
            Key=typed({KEY: POINTERS}),
            UpdateExpression="SET #source = :text",
            ExpressionAttributeNames={"#source": source_name("arm")},
            ExpressionAttributeValues=typed({":text": "{"}),
        )
    assert {"other": pointer("a")} == stored.subject.served.pointers()
    shelf = stored.subject.shelf("arm")
    with pytest.raises(ShelfError, match=r"'arm' is damaged: `matchboxctl fsck --repair`"):
        shelf.pointer()
    with pytest.raises(MovedError):
        shelf.move(None, pointer("b"))
