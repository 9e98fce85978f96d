"""Files below /assets/ as they are served: releases of image sources, and the operator's own files elsewhere.

Once a source has a release, its part of /assets/ is served from releases only.
"""

from typing import TYPE_CHECKING, NamedTuple

from lambda_matchbox.assets.stores import AssetFile, AssetStore, DirectoryListing, Releases
from lambda_matchbox.errors import NotFoundError
from lambda_matchbox.releases.pointers import Covered, Pointers, covering

if TYPE_CHECKING:
    from pathlib import Path


class _StoredAsset(NamedTuple):
    store: AssetStore
    path: str


class ReleasedAssets:
    """The asset store of one request (see `assets.stores.AssetStore`).

    `release` is the digest in the request's query, None for the current one. A release that is not kept has no files.
    """

    def __init__(self, own: AssetStore, releases: Releases, pointers: Pointers, release: str | None) -> None:
        self._own = own
        self._releases = releases
        self._pointers = pointers
        self._release = release

    def file(self, path: str) -> AssetFile | None:
        """The file at that path."""
        location = self._location(path)
        # The root of a source's part is a directory.
        return None if location is None or (not location.path and path) else location.store.file(location.path)

    def listing(self, path: str) -> DirectoryListing | None:
        """The contents of the directory at that path."""
        location = self._location(path)
        found = None if location is None else location.store.listing(location.path)
        above = f"{path}/" if path else ""
        below = [p.assets.removeprefix(above) for p in self._pointers.values() if p.assets.startswith(above)]
        if not below or covering(self._pointers, path) is not None:
            return found
        files, directories = found or DirectoryListing([], [])
        return DirectoryListing(files, sorted({*directories, *(part.partition("/")[0] for part in below)}))

    def read(self, path: str, start: int, length: int) -> bytes:
        """`length` bytes from `start`."""
        store, path = self._existing(path)
        return store.read(path, start, length)

    def location(self, path: str, origin: str) -> "Path | str":
        """The file's path on this machine, or a signed address."""
        store, path = self._existing(path)
        return store.location(path, origin)

    def plain_address(self, path: str) -> str | None:
        """The token-free address of the file."""
        location = self._location(path)
        return None if location is None else location.store.plain_address(location.path)

    def _location(self, path: str) -> _StoredAsset | None:
        """The store and path of a file; None for a release that is not kept."""
        covered = covering(self._pointers, path)
        if covered is None:
            return _StoredAsset(self._own, path)
        return self._released(covered)

    def _released(self, covered: Covered) -> _StoredAsset | None:
        digest = self._release or covered.pointer.current
        directories = [release.directory for release in covered.pointer.releases if release.digest == digest]
        stores = [self._releases.files(covered.source_id, directory) for directory in directories]
        if not stores:
            return None
        newest, *former = stores
        # After an edit of a source's files, machines that are booting still find the former ones, for an hour.
        if former and covered.rest and newest.file(covered.rest) is None:
            found = (store for store in former if store.file(covered.rest) is not None)
            return _StoredAsset(next(found, newest), covered.rest)
        return _StoredAsset(newest, covered.rest)

    def _existing(self, path: str) -> _StoredAsset:
        location = self._location(path)
        if location is None:
            raise NotFoundError(f"asset {path!r}: the release {self._release!r} is not kept")
        return location
