"""Files below /assets/: releases of sources, the operator's own files elsewhere."""

import json

import pytest

from lambda_matchbox.assets.file_server import Delivery
from lambda_matchbox.assets.released import ReleasedAssets
from lambda_matchbox.assets.stores import DirectoryListing
from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.labels import read_query
from lambda_matchbox.catalog.profiles import NetBoot, Profile
from lambda_matchbox.errors import NotFoundError, StoreUnavailableError
from lambda_matchbox.http import Request, Response
from lambda_matchbox.oci.image_reference import ImageReference
from lambda_matchbox.releases.pointers import Pointer, Release, published, rolled_back
from lambda_matchbox.releases.sources import Source
from lambda_matchbox.web.alb import BODY_LIMIT
from lambda_matchbox.web.route import MachineRoute
from lambda_matchbox.web.routes import Routes, Stores
from tests.support.memory_catalog import MemoryCatalog
from tests.support.memory_releases import MemoryFiles, MemoryReleases

A, B, C = (f"sha256:{letter * 64}" for letter in "abc")
SOURCE = Source("arm", ImageReference("ghcr.io", "team/boot", "v1", ""), "talos/arm64", keep=2)
OWN = {
    "readme": b"own readme",
    "talos/arm64/vmlinuz": b"own kernel",
    "talos/arm64/own": b"own",
    "talos/arm64x": b"own, not below the part",
    "talos/amd64/vmlinuz": b"own kernel of another part",
}


@pytest.fixture
def releases() -> MemoryReleases:
    return MemoryReleases()


def publish(releases: MemoryReleases, digest: str, moment: int, **files: bytes) -> None:
    """Publish a release of the source with a kernel, a record and these files."""
    place = digest[7:15]
    releases.stored["arm", place] = {
        "vmlinuz": f"kernel {place}".encode(),
        "dir/extra": b"x",
        "release.json": json.dumps({"digest": digest}).encode(),
        **files,
    }
    pointer = releases.served.get("arm")
    releases.served["arm"] = published(pointer, SOURCE, Release(digest, place, moment), moment)


def served(releases: MemoryReleases, release: str | None = None) -> ReleasedAssets:
    return ReleasedAssets(MemoryFiles(OWN), releases, releases.pointers(), release)


def body(store: ReleasedAssets, path: str) -> bytes | None:
    file = store.file(path)
    return None if file is None else store.read(path, 0, file.size)


def test_own_files_are_served_before_the_first_release(releases: MemoryReleases) -> None:
    store = served(releases)
    assert OWN == {path: body(store, path) for path in OWN}
    assert DirectoryListing(["own", "vmlinuz"], []) == _sorted(store.listing("talos/arm64"))


def test_release_replaces_own_files_of_its_part(releases: MemoryReleases) -> None:
    publish(releases, A, 1)
    store = served(releases)
    assert {**OWN, "talos/arm64/vmlinuz": b"kernel aaaaaaaa", "talos/arm64/own": None} == {
        path: body(store, path) for path in OWN
    }
    assert (b"x", f'{{"digest": "{A}"}}'.encode()) == (
        body(store, "talos/arm64/dir/extra"),
        body(store, "talos/arm64/release.json"),
    )
    assert b"rnel" == store.read("talos/arm64/vmlinuz", 2, 4)
    assert "http://h/memory/vmlinuz" == store.location("talos/arm64/vmlinuz", "http://h")
    assert "http://h/memory/readme" == store.location("readme", "http://h")
    assert store.plain_address("talos/arm64/vmlinuz") is None


def test_part_of_a_source_is_a_directory(releases: MemoryReleases) -> None:
    """As is every directory above it, whatever files the operator has there."""
    publish(releases, A, 1)
    own = MemoryFiles({"talos/arm64": b"a file"})
    store = ReleasedAssets(own, releases, releases.pointers(), None)
    assert (None, None, None) == (store.file("talos/arm64"), store.file("talos"), store.file(""))
    assert store.listing("talos/arm64") is not None


def test_listings_show_what_is_served(releases: MemoryReleases) -> None:
    publish(releases, A, 1)
    releases.served["deep"] = Pointer("x/y/z", A, held=False, releases=(Release(A, "p", 1),))
    listings = {
        "": DirectoryListing(["readme"], ["talos", "x"]),
        "talos": DirectoryListing(["arm64x"], ["amd64", "arm64"]),
        "talos/arm64": DirectoryListing(["release.json", "vmlinuz"], ["dir"]),
        "talos/arm64/dir": DirectoryListing(["extra"], []),
        "talos/arm64/vmlinuz": None,
        "talos/arm": None,
        "talos/amd64": DirectoryListing(["vmlinuz"], []),
        "x": DirectoryListing([], ["y"]),
        "x/y": DirectoryListing([], ["z"]),
        "x/y/z": None,
        "x/z": None,
    }
    store = served(releases)
    assert listings == {path: _sorted(store.listing(path)) for path in listings}


def test_kept_release_is_served_by_its_digest(releases: MemoryReleases) -> None:
    publish(releases, A, 1, old=b"o")
    publish(releases, B, 2)
    assert [b"kernel bbbbbbbb", b"kernel aaaaaaaa", b"kernel bbbbbbbb", b"kernel bbbbbbbb"] == [
        body(served(releases, digest), "talos/arm64/vmlinuz") for digest in (None, A, B, "")
    ]
    older = served(releases, A)
    assert (b"o", b"own readme") == (body(older, "talos/arm64/old"), body(older, "readme"))
    assert DirectoryListing(["old", "release.json", "vmlinuz"], ["dir"]) == _sorted(older.listing("talos/arm64"))
    releases.served["arm"] = rolled_back(releases.served["arm"], A, 3)
    assert b"kernel aaaaaaaa" == body(served(releases), "talos/arm64/vmlinuz")


def test_unknown_release_has_no_files(releases: MemoryReleases) -> None:
    """A read names it."""
    publish(releases, A, 1)
    store = served(releases, C)
    assert (None, None, None) == (
        store.file("talos/arm64/vmlinuz"),
        store.listing("talos/arm64"),
        store.plain_address("talos/arm64/vmlinuz"),
    )
    for send in (
        lambda: store.read("talos/arm64/vmlinuz", 0, 1),
        lambda: store.location("talos/arm64/vmlinuz", "http://h"),
    ):
        with pytest.raises(NotFoundError, match=f"the release '{C}' is not kept"):
            send()
    assert b"own readme" == body(store, "readme")


class _NoResponses:
    """A response store that refuses every body."""

    def put(self, body: bytes, content_type: str, origin: str) -> str:
        raise StoreUnavailableError("no response is kept")


@pytest.fixture
def routes(releases: MemoryReleases) -> Routes:
    boot = NetBoot(
        "/assets/talos/arm64/vmlinuz",
        ("--name main /assets/talos/arm64/initramfs.xz", "http://other.test/assets/talos/arm64/x"),
        ("initrd=main", "a=/assets/talos/arm64/x"),
    )
    catalog = MemoryCatalog([Group("default", profile="p")], [Profile("p", boot=boot)], {}, releases.pointers)
    return Routes(Stores(catalog, MemoryFiles(OWN), releases, _NoResponses()), Delivery(BODY_LIMIT, "-"))


def asked(routes: Routes, path: str, query: str = "") -> Response:
    request = Request("GET", path, query, {"host": "boot.test"})
    route = routes.find(request)
    return (
        route.respond(routes.select(read_query(request.raw_query), ""))
        if isinstance(route, MachineRoute)
        else route.respond(request)
    )


def test_ipxe_script_is_pinned_to_the_current_release(releases: MemoryReleases, routes: Routes) -> None:
    script = b"""#!ipxe
kernel /assets/talos/arm64/vmlinuz%b initrd=main a=/assets/talos/arm64/x
initrd --name main /assets/talos/arm64/initramfs.xz%b
initrd http://other.test/assets/talos/arm64/x
boot
"""
    assert script % (b"", b"") == asked(routes, "/ipxe").body
    for digest in (A, B):
        publish(releases, digest, 1)
        pin = f"?release={digest}".encode()
        assert script % (pin, pin) == asked(routes, "/ipxe").body


def test_grub_configuration_is_pinned_in_both_entries(releases: MemoryReleases, routes: Routes) -> None:
    plain = asked(routes, "/grub").body
    publish(releases, A, 1)
    pin = f"?release={A}".encode()
    pinned = asked(routes, "/grub").body
    assert 4 == pinned.count(pin)
    assert plain == pinned.replace(pin, b"")


def test_machine_gets_the_release_of_its_script(releases: MemoryReleases, routes: Routes) -> None:
    """Whatever was published since."""
    assert b"own kernel" == asked(routes, "/assets/talos/arm64/vmlinuz").body
    publish(releases, A, 1)
    publish(releases, B, 2)
    older = asked(routes, "/assets/talos/arm64/vmlinuz", f"release={A}")
    assert (200, b"kernel aaaaaaaa") == (older.status, older.body)
    assert b"kernel aaaaaaaa" == asked(routes, "/assets/talos%2Farm64/vmlinuz", "a=b&release=sha256%3A" + "a" * 64).body
    assert b"kernel bbbbbbbb" == asked(routes, "/assets/talos/arm64/vmlinuz").body
    with pytest.raises(NotFoundError):
        asked(routes, "/assets/talos/arm64/vmlinuz", f"release={C}")


def test_record_of_a_release_is_served(releases: MemoryReleases, routes: Routes) -> None:
    publish(releases, A, 1)
    response = asked(routes, "/assets/talos/arm64/release.json")
    assert (200, "application/json", {"digest": A}) == (
        response.status,
        response.headers["content-type"],
        json.loads(response.body),
    )
    assert b'<a href="release.json">release.json</a>' in asked(routes, "/assets/talos/arm64/").body
    assert b'<a href="arm64/">arm64/</a>' in asked(routes, "/assets/talos/").body


def _sorted(listing: DirectoryListing | None) -> DirectoryListing | None:
    return None if listing is None else DirectoryListing(sorted(listing.files), listing.directories)


def test_former_files_of_a_release_are_found_after_an_edit(releases: MemoryReleases) -> None:
    publish(releases, A, 5)
    releases.stored["arm", "again"] = {"kernel": b"kernel again", "dir/extra": b"new"}
    releases.served["arm"] = published(releases.served["arm"], SOURCE, Release(A, "again", 9), 9)
    for store in (served(releases), served(releases, A)):
        assert (b"kernel again", b"kernel aaaaaaaa") == (
            body(store, "talos/arm64/kernel"),
            body(store, "talos/arm64/vmlinuz"),
        )
        assert b"new" == body(store, "talos/arm64/dir/extra")
        assert body(store, "talos/arm64/absent") is None
