"""One sync of one image source: resolve, take the files out, stage them, then move the pointer in one write.

Until the pointer moves, and after any fault, the release before is served whole. Whoever is killed leaves files that no
pointer names; the next sync of the source removes them.
"""

import re
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from lambda_matchbox.errors import MatchboxError
from lambda_matchbox.image_sync.byte_count import ByteCount, counted
from lambda_matchbox.image_sync.release_files import release_files
from lambda_matchbox.image_sync.scratch import emptied
from lambda_matchbox.oci.descriptors import Descriptor, Manifest
from lambda_matchbox.oci.distribution.registry import Registry
from lambda_matchbox.oci.errors import OciError
from lambda_matchbox.releases.pointers import RECORD, Pointer, Release, directory_prefix, pruned, published
from lambda_matchbox.releases.records import RecordedFile, ReleaseRecord, record_in
from lambda_matchbox.releases.sources import Source
from lambda_matchbox.releases.store import BusyError, MovedError, ReleaseFile, ReleaseStore, ReleaseStoreError

_VERSION = "org.opencontainers.image.version"
_VERSION_TEXT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+:~-]{0,127}", re.ASCII)
_MOVES = 5

TIME_LIMIT = 1800.0
"""Seconds in which an image's layers have to come, unless otherwise said."""


class SyncError(Exception):
    """A sync that failed: which image (and digest, once it is known), at which step, why."""


class Outcome(NamedTuple):
    """What a sync found: `changed`, that another release is served now; `held`, that an operator holds it."""

    source_id: str
    digest: str
    changed: bool
    held: bool


class Sync:
    """Syncs of one source; a leftover of a sync that was killed is finished or removed.

    `scratch` is the path of a directory for this source's files under way, which is emptied; None for one of the
    system's. `received` is told of bytes as they arrive; `clock` gives seconds since 1970;
    `time_limit` is in seconds, for the download.
    """

    def __init__(
        self,
        source: Source,
        registry: Registry,
        store: ReleaseStore,
        *,
        scratch: Path | None = None,
        received: ByteCount | None = None,
        clock: Callable[[], float] = time.time,
        time_limit: float = TIME_LIMIT,
    ) -> None:
        self._source = source
        self._registry = registry
        self._store = store
        self._scratch = scratch
        self._received = received
        self._clock = clock
        self._time_limit = time_limit
        self._digest = ""

    def run(self) -> Outcome:
        """Make the source's newest release current. Raises SyncError, and BusyError where another sync is under way."""
        with ExitStack() as held:
            with self._step("begin"):
                # Before the lease: what another sync puts, should this one lose it, is not among them.
                found = self._store.directories()
                lease = held.enter_context(self._store.lease())
            with self._step("resolve the image"):
                descriptor = self._registry.resolve(self._source.image, self._source.platform)
            self._digest = descriptor.digest
            with self._step("read what is served"):
                pointer = self._store.pointer()
            if pointer is not None and pointer.held:
                outcome = Outcome(self._source.id, pointer.current, changed=False, held=True)
            else:
                outcome = self._publish(descriptor, pointer, lease)
            with self._step("remove what is kept no longer"):
                self._tidy(found, lease)
                self._store.note_checked(int(self._clock()))
            return outcome

    def _publish(self, descriptor: Descriptor, pointer: Pointer | None, lease: str) -> Outcome:
        stem = directory_prefix(descriptor.digest, self._source)
        release = None if pointer is None else pointer.release(descriptor.digest)
        if pointer is None or release is None or not release.directory.startswith(stem) or not self._is_whole(release):
            # No two syncs put into the same directory, should the lease of one end.
            directory = stem + secrets.token_hex(4)
            self._stage(descriptor, directory, pointer)
            release = Release(descriptor.digest, directory, int(self._clock()))
        elif pointer.current == release.digest and pointer.assets == self._source.assets:
            return Outcome(self._source.id, release.digest, changed=False, held=False)
        with self._step("make the release current"):
            served = self._move(release, lease)
        return Outcome(self._source.id, served.current, changed=not served.held, held=served.held)

    def _move(self, release: Release, lease: str) -> Pointer:
        """Move the pointer, unless an operator holds it by now, whatever else moves it; the pointer as it is then."""
        for _ in range(_MOVES):
            pointer = self._store.pointer()
            if pointer is not None and pointer.held:
                return pointer
            moved = published(pointer, self._source, release, int(self._clock()))
            try:
                self._store.move(pointer, moved, lease)
            except MovedError:
                continue
            return moved
        raise MovedError("others keep moving the pointer")

    def _is_whole(self, release: Release) -> bool:
        """Whether all files are there that the release's record names: somebody may have taken them away."""
        with self._step("look at what is stored"):
            record = self._record(release)
            return record is not None and not record.lacks(self._store.sizes(release.directory))

    def _stage(self, descriptor: Descriptor, directory: str, pointer: Pointer | None) -> None:
        with self._step("read the manifest"):
            manifest = self._registry.manifest(self._source.image, descriptor)
            version = self._version(manifest)
        known = self._known_files(pointer)
        with ExitStack() as opened:
            with self._step("make a directory for files under way"):
                scratch = opened.enter_context(emptied(self._scratch))
            with self._step("take the files out of the layers"):
                files = release_files(
                    manifest.layers,
                    counted(self._registry, self._source.image, manifest.layers, self._received, self._time_limit),
                    self._source.alternatives,
                    scratch,
                )
            recorded = {name: RecordedFile(file.size, file.sha256, file.path) for name, file in files.recorded.items()}
            record = ReleaseRecord(
                self._source.id,
                str(self._source.image),
                descriptor.digest,
                int(self._clock()),
                version,
                recorded,
            )
            with self._step("write checksums and record"):
                stored = files.with_record(record.document())
            for name, file in stored.items():
                with self._step(f"store {name!r}"):
                    self._put(directory, name, file, known)

    def _put(self, directory: str, name: str, file: ReleaseFile, known: dict[str, tuple[str, str]]) -> None:
        """Store the file, from what is stored already where that has the same bytes."""
        origin = known.get(file.sha256)
        if origin is None or not self._store.copy(directory, name, *origin, file.sha256):
            self._store.put(directory, name, file)
        known.setdefault(file.sha256, (directory, name))

    def _known_files(self, pointer: Pointer | None) -> dict[str, tuple[str, str]]:
        """Where files lie that are kept and as large as recorded, by their SHA-256."""
        known: dict[str, tuple[str, str]] = {}
        with self._step("read the records of the releases that are kept"):
            for release in () if pointer is None else pointer.releases:
                record, sizes = self._record(release), self._store.sizes(release.directory)
                for name, file in {} if record is None else record.files.items():
                    if sizes.get(name) == file.size:
                        known.setdefault(file.sha256, (release.directory, name))
        return known

    def _record(self, release: Release) -> ReleaseRecord | None:
        text = self._store.read(release.directory, RECORD)
        return None if text is None else record_in(text)

    def _version(self, manifest: Manifest) -> str:
        config = self._registry.config(self._source.image, manifest)
        inner = config.get("config")
        labels = inner.get("Labels") if isinstance(inner, Mapping) else None
        found = (labels if isinstance(labels, Mapping) else {}).get(_VERSION) or manifest.annotations.get(_VERSION)
        # It is printed as a shell's variable, and anybody may label an image.
        return found if isinstance(found, str) and _VERSION_TEXT.fullmatch(found) else ""

    def _tidy(self, found: set[str], lease: str) -> None:
        """Drop the releases that are kept no longer, then the directories among `found` that no release names."""
        pointer = self._store.pointer()
        if pointer is not None:
            rest = pruned(pointer, self._source.keep, int(self._clock()))
            if rest != pointer:
                try:
                    self._store.move(pointer, rest, lease)
                except MovedError:
                    # A rollback, just now: the next sync sees to it.
                    return
                pointer = rest
        kept = set() if pointer is None else {release.directory for release in pointer.releases}
        for directory in found - kept:
            self._store.discard(directory)

    @contextmanager
    def _step(self, step: str) -> Iterator[None]:
        """Raise SyncError that names image, digest and step for what goes wrong in the body."""
        try:
            yield
        except BusyError:
            raise
        except (OciError, ReleaseStoreError, MatchboxError, OSError) as error:
            digest = f" ({self._digest})" if self._digest else ""
            raise SyncError(f"{self._source.id}: {self._source.image}{digest}: cannot {step}: {error}") from error
