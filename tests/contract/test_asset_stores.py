"""The contract of asset stores: a directory, and buckets of moto and versitygw."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lambda_matchbox.errors import NotFoundError
from lambda_matchbox.golang.http.content_type import of_file
from tests.contract.asset_subjects import AssetSubject, Served, in_bucket, in_directory

NAMES = [
    "vmlinuz",
    "x.efi",
    "a file.txt",
    "plus+sign",
    "per%cent",
    "pct%41",
    "ü",
    "<b>",
    "q&a;b=c",
    "a?b#c",
    "a:b",
    "~'()*!,@$",
    "talos/arm64/sub dir/initramfs.xz",
]
BODY = bytes(range(256)) * 40
ON_S3 = ["moto_server", pytest.param("versitygw", marks=pytest.mark.real)]


@pytest.fixture(params=["directory", *ON_S3])
def assets(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[AssetSubject]:
    if request.param == "directory":
        opened = in_directory(tmp_path)
    else:
        opened = in_bucket(request.getfixturevalue(request.param))
    with opened as subject:
        yield subject


@pytest.mark.parametrize("name", NAMES)
def test_file_of_any_name_is_served(assets: AssetSubject, name: str) -> None:
    assets.put(name, BODY)
    found = assets.store.file(name)
    directory, _, last = name.rpartition("/")
    listing = assets.store.listing(directory)
    assert found is not None
    assert listing is not None
    assert (len(BODY), of_file(name, BODY)) == (found.size, found.content_type)
    assert BODY == assets.store.read(name, 0, len(BODY))
    assert ([last], []) == (listing.files, listing.directories)
    assert Served(200, found.content_type, BODY) == assets.served(name)
    assert assets.store.listing(name) is None


def test_file_has_tag_and_modification_time(assets: AssetSubject) -> None:
    assets.put("a", b"one")
    first, second = assets.store.file("a"), assets.store.file("a")
    assets.put("a", b"three")
    changed = assets.store.file("a")
    assert first is not None
    assert changed is not None
    assert first == second
    assert first.etag is not None
    assert (first.etag[0], first.etag[-1]) == ('"', '"')
    assert first.etag != changed.etag
    assert first.modified is not None
    assert (0, UTC) == (first.modified.microsecond, first.modified.tzinfo)
    assert abs(datetime.now(UTC) - first.modified) < timedelta(hours=1)


def test_empty_file_is_a_file(assets: AssetSubject) -> None:
    assets.put("empty", b"")
    found = assets.store.file("empty")
    assert found is not None
    assert (0, b"") == (found.size, assets.store.read("empty", 0, 0))
    assert (200, b"") == assets.served("empty")[::2]


@pytest.mark.parametrize(("start", "length"), [(0, 1), (255, 2), (1_000, 3_000), (len(BODY) - 1, 1)])
def test_part_of_a_file_is_read(assets: AssetSubject, start: int, length: int) -> None:
    assets.put("a", BODY)
    part = BODY[start : start + length]
    assert part == assets.store.read("a", start, length)
    served = assets.served("a", Range=f"bytes={start}-{start + length - 1}")
    assert (206, part) == (served.status, served.body)


def test_listing_has_one_level(assets: AssetSubject) -> None:
    for path in ("a", "dir/b", "dir/sub/c", "dir/sub/d", "dir/sub dir+/e", "dir.txt", "other/dir/f"):
        assets.put(path, b"x")
    listings = [assets.store.listing(path) for path in ("", "dir", "dir/sub", "dir/sub dir+")]
    assert [
        (["a", "dir.txt"], ["dir", "other"]),
        (["b"], ["sub", "sub dir+"]),
        (["c", "d"], []),
        (["e"], []),
    ] == [(sorted(listing.files), sorted(listing.directories)) for listing in listings if listing is not None]
    assert [None] * 3 == [assets.store.file(path) for path in ("dir", "dir/sub", "other/dir")]


def test_listing_of_several_pages_is_complete(assets: AssetSubject) -> None:
    files = [f"file {n:04}" for n in range(1_010)]
    for name in files:
        assets.put(f"dir/{name}", b"")
    assets.put("dir/sub/x", b"")
    listing = assets.store.listing("dir")
    assert listing is not None
    assert (files, ["sub"]) == (sorted(listing.files), listing.directories)


ABSENT = {
    "absent": "absent",
    "beginning of a name": "di",
    "in a directory": "dir/absent",
    "below a file": "dir/file/below",
    "other case": "Dir/file",
    "no UTF-8": "\udcff",
    "half a surrogate pair": "x\ud800",
    "NUL": "a\0b",
    "long name": "x" * 1_100,
    "long path": "ü/" * 400,
}


@pytest.mark.parametrize("path", ABSENT.values(), ids=ABSENT)
def test_absent_path_is_neither_file_nor_directory(assets: AssetSubject, path: str) -> None:
    assets.put("dir/file", b"x")
    assert (None, None) == (assets.store.file(path), assets.store.listing(path))
    with pytest.raises(NotFoundError):
        assets.store.read(path, 0, 1)


def test_empty_root_is_a_directory(assets: AssetSubject) -> None:
    listing = assets.store.listing("")
    assert listing is not None
    assert ([], []) == (listing.files, listing.directories)


def test_deleted_file_cannot_be_read(assets: AssetSubject) -> None:
    assets.put("a", b"x")
    assert assets.store.file("a") is not None
    assets.delete("a")
    with pytest.raises(NotFoundError, match="'a'"):
        assets.store.read("a", 0, 1)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_address_has_the_scheme_of_the_endpoint(assets: AssetSubject, scheme: str) -> None:
    """Whatever the request's, and no byte that a header may not have."""
    address = assets.store.location("ü +%/\r\n", f"{scheme}://boot.test")
    if isinstance(address, Path):
        return
    assert "http://" == address[:7]
    assert address.isascii()
    assert address.isprintable()
    assert " " not in address
