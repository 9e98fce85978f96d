"""The files below /assets/ as they are served: releases of image sources, and the operator's own files elsewhere.

Once a source has a release, its part of /assets/ is served from releases only.
"""

from typing import NamedTuple

from lambda_matchbox.assets.stores import AssetFile, AssetStore, DirectoryListing, Releases
from lambda_matchbox.errors import NotFoundError
from lambda_matchbox.releases.pointers import Covered, Pointers, covering


class _Place(NamedTuple):
    store: AssetStore
    path: str


class ReleasedAssets:
    """The asset store for one request (see `assets.stores.AssetStore`).

    `release` is the digest that the request names, None for the current one. A release that is not kept has no files.
    """

    def __init__(self, own: AssetStore, releases: Releases, pointers: Pointers, release: str | None) -> None:
        self._own = own
        self._releases = releases
        self._pointers = pointers
        self._release = release

    def file(self, path: str) -> AssetFile | None:
        """The file at that path."""
        place = self._place(path)
        # A source's part itself is a directory.
        return None if place is None or (not place.path and path) else place.store.file(place.path)

    def listing(self, path: str) -> DirectoryListing | None:
        """What is served in the directory at that path."""
        place = self._place(path)
        found = None if place is None else place.store.listing(place.path)
        above = f"{path}/" if path else ""
        below = [p.assets.removeprefix(above) for p in self._pointers.values() if p.assets.startswith(above)]
        if not below or covering(self._pointers, path) is not None:
            return found
        files, directories = found or DirectoryListing([], [])
        return DirectoryListing(files, sorted({*directories, *(part.partition("/")[0] for part in below)}))

    def read(self, path: str, start: int, length: int) -> bytes:
        """`length` bytes from `start`."""
        store, path = self._certain(path)
        return store.read(path, start, length)

    def address(self, path: str, origin: str) -> str:
        """An address that serves the file by itself."""
        store, path = self._certain(path)
        return store.address(path, origin)

    def plain_address(self, path: str) -> str | None:
        """The token-free address of the file."""
        place = self._place(path)
        return None if place is None else place.store.plain_address(place.path)

    def accel_redirect(self, path: str) -> str | None:
        """Where the front end finds the file."""
        store, path = self._certain(path)
        return store.accel_redirect(path)

    def _place(self, path: str) -> _Place | None:
        """Where the path leads; None into a release that is not kept."""
        covered = covering(self._pointers, path)
        if covered is None:
            return _Place(self._own, path)
        return self._released(covered)

    def _released(self, covered: Covered) -> _Place | None:
        digest = self._release or covered.pointer.current
        directories = [release.directory for release in covered.pointer.releases if release.digest == digest]
        stores = [self._releases.files(covered.source_id, directory) for directory in directories]
        if not stores:
            return None
        newest, *former = stores
        # Machines that were told of the choice of files before the source was edited find those for an hour.
        if former and covered.rest and newest.file(covered.rest) is None:
            found = (store for store in former if store.file(covered.rest) is not None)
            return _Place(next(found, newest), covered.rest)
        return _Place(newest, covered.rest)

    def _certain(self, path: str) -> _Place:
        place = self._place(path)
        if place is None:
            raise NotFoundError(f"asset {path!r}: the release {self._release!r} is not kept")
        return place
