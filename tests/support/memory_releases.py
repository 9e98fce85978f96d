"""Releases in memory, the model of the stores that are shipped."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count

from lambda_matchbox.assets.stores import AssetFile, DirectoryListing
from lambda_matchbox.errors import NotFoundError
from lambda_matchbox.golang.http import content_type
from lambda_matchbox.image_sync.sources import ImageSources, SourceStores
from lambda_matchbox.releases.pointers import Pointer, Pointers
from lambda_matchbox.releases.sources import Source
from lambda_matchbox.releases.store import BusyError, LeaseLostError, MovedError, ReleaseFile


class MemoryFiles:
    """The asset store over bytes (see `assets.stores.AssetStore`); its addresses serve nothing."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self._files = files

    def file(self, path: str) -> AssetFile | None:
        """The file at that path."""
        body = self._files.get(path)
        return None if body is None else AssetFile(len(body), content_type.of_file(path, body), None, None)

    def listing(self, path: str) -> DirectoryListing | None:
        """The names below the path."""
        above = f"{path}/" if path else ""
        below = [name.removeprefix(above) for name in self._files if name.startswith(above)]
        if not below:
            return None
        directories = sorted({name.partition("/")[0] for name in below if "/" in name})
        return DirectoryListing([name for name in below if "/" not in name], directories)

    def read(self, path: str, start: int, length: int) -> bytes:
        """`length` bytes from `start`."""
        if path not in self._files:
            raise NotFoundError(f"no file {path!r}")
        return self._files[path][start : start + length]

    def location(self, path: str, origin: str) -> str:
        """An address on the host of the request."""
        return f"{origin}/memory/{path}"

    def plain_address(self, path: str) -> str | None:
        """None."""
        return None


class MemoryReleases:
    """What is published (see `assets.stores.Releases`)."""

    def __init__(self) -> None:
        self.served: dict[str, Pointer] = {}
        self.stored: dict[tuple[str, str], dict[str, bytes]] = {}
        self.leases: dict[str, str] = {}
        self.checks: dict[str, int] = {}
        self.tokens = count(1)

    def pointers(self) -> Pointers:
        """What is served of each source."""
        return dict(self.served)

    def files(self, source_id: str, directory: str) -> MemoryFiles:
        """The files at this directory."""
        return MemoryFiles(self.stored.get((source_id, directory), {}))


def memory_stores(
    releases: MemoryReleases, sources: Mapping[str, Source] | None = None, refused: Sequence[str] = ()
) -> SourceStores:
    """Stores of these sources over `releases`."""
    found = ImageSources(sources or {}, list(refused), frozenset(sources or {}))
    return SourceStores(
        "memory",
        lambda: found,
        releases.pointers,
        lambda source_id: MemoryReleaseStore(releases, source_id),
        lambda _: None,
    )


class MemoryReleaseStore:
    """The releases of one source (see `releases.store.ReleaseStore`)."""

    def __init__(self, releases: MemoryReleases, source_id: str) -> None:
        self._releases = releases
        self._source_id = source_id

    def pointer(self) -> Pointer | None:
        """What is served now."""
        return self._releases.served.get(self._source_id)

    def move(self, old: Pointer | None, new: Pointer | None, lease: str | None = None) -> None:
        """Serve `new` from now on."""
        if self.pointer() != old:
            raise MovedError(f"another command moved the pointer of {self._source_id!r}")
        if lease is not None and self._releases.leases.get(self._source_id) != lease:
            raise LeaseLostError(f"another sync of {self._source_id!r} has begun")
        if new is None:
            self._releases.served.pop(self._source_id, None)
        else:
            self._releases.served[self._source_id] = new

    @contextmanager
    def lease(self) -> Iterator[str]:
        """Hold the one lease."""
        if self._source_id in self._releases.leases:
            raise BusyError(f"another sync of {self._source_id!r} is running")
        token = self._releases.leases[self._source_id] = str(next(self._releases.tokens))
        try:
            yield token
        finally:
            if self._releases.leases.get(self._source_id) == token:
                del self._releases.leases[self._source_id]

    def checked(self) -> int | None:
        """When the source was last up to date."""
        return self._releases.checks.get(self._source_id)

    def note_checked(self, moment: int) -> None:
        """Remember it."""
        self._releases.checks[self._source_id] = moment

    def directories(self) -> Mapping[str, Mapping[str, int]]:
        """The bytes of each file, by directory."""
        own = [directory for source_id, directory in self._releases.stored if source_id == self._source_id]
        return {directory: self.sizes(directory) for directory in own}

    def sizes(self, directory: str) -> Mapping[str, int]:
        """The bytes of each file."""
        return {name: len(body) for name, body in self._releases.stored.get((self._source_id, directory), {}).items()}

    def put(self, directory: str, name: str, file: ReleaseFile) -> None:
        """Keep the file's bytes."""
        self._at(directory)[name] = file.file.read_bytes()

    def copy(self, directory: str, name: str, origin_directory: str, origin_name: str, sha256: str) -> bool:
        """Keep the bytes under this name, too."""
        body = self.read(origin_directory, origin_name)
        if body is None or hashlib.sha256(body).hexdigest() != sha256:
            return False
        self._at(directory)[name] = body
        return True

    def read(self, directory: str, name: str) -> bytes | None:
        """The file's bytes."""
        return self._releases.stored.get((self._source_id, directory), {}).get(name)

    def discard(self, directory: str) -> None:
        """Forget the files."""
        self._releases.stored.pop((self._source_id, directory), None)

    def _at(self, directory: str) -> dict[str, bytes]:
        return self._releases.stored.setdefault((self._source_id, directory), {})
