"""A source with its registry and its store, and images to sync."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from lambda_matchbox.image_sync.download import Downloads
from lambda_matchbox.image_sync.sync import Outcome, Sync, SyncError
from lambda_matchbox.image_sync.unchanged import Known
from lambda_matchbox.oci.distribution.docker_config import no_logins
from lambda_matchbox.oci.distribution.registry import Registry
from lambda_matchbox.oci.image_reference import ImageReference
from lambda_matchbox.releases.pointers import RECORD, Pointer
from lambda_matchbox.releases.sources import Source
from tests.support.faulty_registry import FaultyRegistry
from tests.support.images.layers import Entry, gzipped
from tests.support.images.manifests import Image, image
from tests.support.memory_releases import MemoryReleases, MemoryReleaseStore
from tests.support.registry_serving import faulty_registry
from tests.unit.oci.distribution.fast_retries import FAST_RETRIES

REPOSITORY, TAG = "team/boot", "stable"
PLACE = "output/talos/arm64"
"""Where the images have their files."""

NOON = 1_700_000_000


def talos(kernel: bytes, initramfs: bytes = b"initramfs", *more: Entry, version: str = "") -> Image:
    """An image with a kernel and an initramfs, and what else is given."""
    files = (Entry(f"{PLACE}/vmlinuz", kernel), Entry(f"{PLACE}/initramfs.xz", initramfs))
    labels = {"org.opencontainers.image.version": version} if version else {}
    return image([gzipped(*files, *more)], labels=labels)


def sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


class WatchedReleaseStore:
    """A store that records calls; `before` has callbacks by method."""

    def __init__(self, store: MemoryReleaseStore) -> None:
        self.calls: list[tuple[str, tuple[Any, ...]]] = []
        self.before: dict[str, Callable[[], object]] = {}
        self._store = store

    def __getattr__(self, verb: str) -> Callable[..., Any]:
        def call(*arguments: object) -> Any:
            self.calls.append((verb, arguments))
            if happens := self.before.get(verb):
                happens()
            return getattr(self._store, verb)(*arguments)

        return call

    def named(self, verb: str) -> list[str]:
        """The names of the files that the verb was called with."""
        return [arguments[1] for called, arguments in self.calls if called == verb]


class Subject:
    """A source to sync; `now` is the time of the next sync."""

    def __init__(self, faulty: FaultyRegistry, registry: Registry) -> None:
        self.faulty = faulty
        self.source = Source("talos-arm64", ImageReference(faulty.host, REPOSITORY, TAG, ""), "talos/arm64")
        self.releases = MemoryReleases()
        self.store = WatchedReleaseStore(MemoryReleaseStore(self.releases, self.source.id))
        self.now = NOON
        self._registry = registry

    def tag(self, one: Image) -> Image:
        """Move the source's tag to the image."""
        self.faulty.add(REPOSITORY, TAG, one)
        return one

    def sync(
        self,
        registry: Registry | None = None,
        *,
        time_limit: float = 60,
        scratch: Path | None = None,
        known: Known | None = None,
    ) -> Outcome:
        """Sync once, an hour and a second after the time before, by the kept client of the registry or by another."""
        self.now += 3601
        self.store.calls.clear()
        downloads = Downloads(registry or self._registry, time_limit)
        given = (self.source, self.store, downloads)
        return Sync(*given, scratch=scratch, known=known, clock=lambda: self.now).run()  # type: ignore[arg-type]

    @property
    def pointer(self) -> Pointer:
        return self.releases.served[self.source.id]

    def files(self, digest: str = "") -> Mapping[str, bytes]:
        """The files of a release, the current one unless it is named."""
        release = self.pointer.release(digest or self.pointer.current)
        assert release is not None
        return self.releases.stored[self.source.id, release.directory]

    def taken(self, digest: str = "") -> dict[str, bytes]:
        """Those that came out of the image. They must be as the release's record and checksums say."""
        files = self.files(digest)
        recorded = json.loads(files[RECORD])["files"]
        taken = {name: body for name, body in files.items() if name in recorded}
        assert recorded.keys() == taken.keys()
        assert {name: (len(body), sha256(body)) for name, body in taken.items()} == {
            name: (one["size"], one["sha256"]) for name, one in recorded.items()
        }
        assert {sha256(body) for body in taken.values()} == {
            files[f"{name}.sha256"].decode().partition(" ")[0] for name in taken
        }
        return taken

    @property
    def leftovers(self) -> set[str]:
        """The directories that have files and that no release names."""
        return {directory for _, directory in self.releases.stored} - {
            release.directory for release in self.pointer.releases
        }


OLD_FILES = {"vmlinuz": b"old kernel", "initramfs.xz": b"old initramfs"}
NEW_FILES = {"vmlinuz": bytes(range(256)) * 64, "initramfs.xz": b"new initramfs"}
OLD, NEW = talos(*OLD_FILES.values()), talos(*NEW_FILES.values())


@contextmanager
def new_subject() -> Iterator[Subject]:
    """A source that was never synced; each request needs a token of its own."""
    with faulty_registry() as faulty, closing(Registry(no_logins, retry_policy=FAST_RETRIES)) as registry:
        faulty.scheme, faulty.token_uses = "bearer", 1
        yield Subject(faulty, registry)


@contextmanager
def moved_tag() -> Iterator[Subject]:
    """A source whose tag was synced once, at OLD, and has moved to NEW."""
    with new_subject() as subject:
        subject.tag(OLD)
        subject.sync()
        subject.tag(NEW)
        yield subject


def fails(subject: Subject, registry: Registry | None = None) -> str:
    """The line of a sync that fails, after which the release before is served whole."""
    before = subject.pointer
    with pytest.raises(SyncError) as caught:
        subject.sync(registry)
    assert before == subject.pointer
    assert OLD_FILES == subject.taken()
    assert {} == subject.releases.leases
    return str(caught.value)


def completes(subject: Subject) -> None:
    """The next sync publishes the new release, and no file of others is left."""
    subject.faulty.faults.clear()
    assert subject.sync().changed
    assert NEW_FILES == subject.taken()
    subject.sync()
    assert set() == subject.leftovers
