"""One sync of one image source: resolve the image, extract the files, stage them, move the pointer in one write.

Until the pointer moves, and after any failure, the previous release is served. A sync that is killed leaves files that
no pointer names; the next sync of the source removes them.
"""

import re
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from lambda_matchbox.daemon_threads import in_daemon_threads
from lambda_matchbox.errors import MatchboxError
from lambda_matchbox.image_sync.download import Downloads
from lambda_matchbox.image_sync.release_files import release_files
from lambda_matchbox.image_sync.scratch import emptied
from lambda_matchbox.image_sync.unchanged import Known, is_current, is_tidy
from lambda_matchbox.oci.descriptors import Descriptor, Manifest
from lambda_matchbox.oci.errors import OciError
from lambda_matchbox.oci.signatures.signers import VerifiedSignature
from lambda_matchbox.oci.signatures.verification import verify
from lambda_matchbox.releases.pointers import RECORD, Pointer, Release, directory_prefix, pruned, published
from lambda_matchbox.releases.records import RecordedFile, ReleaseRecord, record_in
from lambda_matchbox.releases.sources import Source
from lambda_matchbox.releases.store import (
    BusyError,
    CopiesError,
    MovedError,
    ReleaseFile,
    ReleaseStore,
    ReleaseStoreError,
)

_VERSION = "org.opencontainers.image.version"
_TALOS_VERSION = "alpha.talos.dev/version"
_VERSION_TEXT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+:~-]{0,127}", re.ASCII)
_MAX_MOVES = 5
_UPLOADS = 4


class SyncError(Exception):
    """A failed sync: the image (with its digest, once known), the step, the reason."""


class Outcome(NamedTuple):
    """The result of a sync: `changed` if another release is served now, `held` if an operator holds the current one.

    `signature` is the one that was verified, None where the source asks for none or is held.
    """

    source_id: str
    digest: str
    changed: bool
    held: bool
    signature: VerifiedSignature | None = None


class Sync:
    """A sync of one source; it completes or removes what a killed one left.

    `scratch` is a directory for this source's temporary files, which is emptied; None for one of the system's.
    What is `known` suffices as long as nothing is new.
    `clock` gives seconds since 1970.
    """

    def __init__(
        self,
        source: Source,
        store: ReleaseStore,
        downloads: Downloads,
        *,
        scratch: Path | None = None,
        known: Known | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._source = source
        self._store = store
        self._downloads = downloads
        self._registry = downloads.registry
        self._scratch = scratch
        self._known = known
        self._clock = clock
        self._digest = ""
        self._signature: VerifiedSignature | None = None

    def run(self) -> Outcome:
        """Publish the newest image. Raises SyncError, and BusyError where another sync of the source is publishing."""
        if self._known is not None and (unchanged := self._unchanged(self._known)) is not None:
            return unchanged
        with ExitStack() as opened:
            with self._step("begin"):
                # Before the lease: should this sync lose it, the directory of the next one is not in this list.
                found = {*self._store.directories()}
                lease = opened.enter_context(self._store.lease())
            with self._step("resolve the image"):
                chain = self._registry.resolve(self._source.image, self._source.platform)
            descriptor = chain[-1]
            self._digest = descriptor.digest
            with self._step("read the pointer"):
                pointer = self._store.pointer()
            if pointer is not None and pointer.held:
                outcome = Outcome(self._source.id, pointer.current, changed=False, held=True)
            else:
                self._verify(chain)
                outcome = self._publish(descriptor, pointer, lease)._replace(signature=self._signature)
            with self._step("remove old releases"):
                self._prune(found, lease)
                self._store.note_checked(int(self._clock()))
            return outcome

    def _unchanged(self, known: Known) -> Outcome | None:
        """Note that nothing is new and nothing is left to remove, without a lease; None if something is."""
        pointer = known.pointer
        with ThreadPoolExecutor(1) as beside:
            tidy = beside.submit(self._is_tidy, known)
            with self._step("resolve the image"):
                chain = self._registry.resolve(self._source.image, self._source.platform)
        self._digest = chain[-1].digest
        if not tidy.result() or not (pointer.held or is_current(self._source, self._digest, pointer)):
            return None
        if not pointer.held:
            self._verify(chain)
        with self._step("note the check"):
            self._store.note_checked(int(self._clock()))
        return Outcome(self._source.id, pointer.current, changed=False, held=pointer.held, signature=self._signature)

    def _is_tidy(self, known: Known) -> bool:
        with self._step("check the stored files"):
            return is_tidy(self._source, self._store, known, int(self._clock()))

    def _verify(self, chain: tuple[Descriptor, ...]) -> None:
        if self._source.signer is not None:
            # Each time: the source's key may be another one since the release was published.
            with self._step("verify the signature"):
                self._signature = verify(self._registry, self._source.image, chain, self._source.signer)

    def _publish(self, descriptor: Descriptor, pointer: Pointer | None, lease: str) -> Outcome:
        prefix = directory_prefix(descriptor.digest, self._source)
        release = None if pointer is None else pointer.release(descriptor.digest)
        if (
            pointer is None
            or release is None
            or not release.directory.startswith(prefix)
            or not self._is_whole(release)
        ):
            # Unique, so that a sync that lost its lease does not write into the directory of another.
            directory = prefix + secrets.token_hex(4)
            self._stage(descriptor, directory, pointer)
            release = Release(descriptor.digest, directory, int(self._clock()))
        elif pointer.current == release.digest and pointer.assets == self._source.assets:
            return Outcome(self._source.id, release.digest, changed=False, held=False)
        with self._step("make the release current"):
            served = self._move(release, lease)
        return Outcome(self._source.id, served.current, changed=not served.held, held=served.held)

    def _move(self, release: Release, lease: str) -> Pointer:
        """Move the pointer unless an operator holds it by now; returns the pointer as it is then."""
        for _ in range(_MAX_MOVES):
            pointer = self._store.pointer()
            if pointer is not None and pointer.held:
                return pointer
            moved = published(pointer, self._source, release, int(self._clock()))
            try:
                self._write(pointer, moved, lease)
            except MovedError:
                continue
            return moved
        raise MovedError("other commands keep moving the pointer; run the sync again")

    def _write(self, old: Pointer | None, new: Pointer, lease: str) -> None:
        # The end of the run completes the copies, or says why it cannot.
        with suppress(CopiesError):
            self._store.move(old, new, lease)

    def _is_whole(self, release: Release) -> bool:
        """Whether all files in the release's record exist: they may have been deleted."""
        with self._step("check the stored files"):
            record = self._record(release)
            return record is not None and not record.lacks(self._store.sizes(release.directory))

    def _stage(self, descriptor: Descriptor, directory: str, pointer: Pointer | None) -> None:
        with self._step("read the manifest"):
            manifest = self._registry.manifest(self._source.image, descriptor)
            version = self._version(manifest)
        known = self._known_files(pointer)
        with ExitStack() as opened:
            with self._step("make a temporary directory"):
                scratch = opened.enter_context(emptied(self._scratch))
            with self._step("extract the files", scratch):
                files = release_files(
                    manifest.layers,
                    self._downloads.open_blobs(self._source.image, manifest.layers),
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
                self._signature,
            )
            with self._step("write the checksums and the record", scratch):
                stored = files.with_record(record.document())
            # Of equal files the first is stored, and then copied.
            firsts = {file.sha256: name for name, file in reversed(stored.items())}.values()
            for _ in in_daemon_threads(lambda name: self._put(directory, name, stored[name], known), firsts, _UPLOADS):
                pass
            for name in stored.keys() - firsts:
                self._put(directory, name, stored[name], known)

    def _put(self, directory: str, name: str, file: ReleaseFile, known: dict[str, tuple[str, str]]) -> None:
        """Store the file; copy it from another release where that has the same content."""
        with self._step(f"store {name!r}"):
            origin = known.get(file.sha256)
            if origin is None or not self._store.copy(directory, name, *origin, file.sha256):
                self._store.put(directory, name, file)
            known.setdefault(file.sha256, (directory, name))

    def _known_files(self, pointer: Pointer | None) -> dict[str, tuple[str, str]]:
        """The files of kept releases that have their recorded size, by their SHA-256."""
        known: dict[str, tuple[str, str]] = {}
        with self._step("read the records of the kept releases"):
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
        labels = labels if isinstance(labels, Mapping) else {}
        # Talos's own images have that of their base under the first name, where they have one.
        found = labels.get(_TALOS_VERSION) or labels.get(_VERSION) or manifest.annotations.get(_VERSION)
        # It is printed as a shell variable, and labels are not trusted.
        return found if isinstance(found, str) and _VERSION_TEXT.fullmatch(found) else ""

    def _prune(self, found: set[str], lease: str) -> None:
        """Drop releases that are no longer kept, then the directories among `found` that no release names."""
        pointer = self._store.pointer()
        if pointer is not None:
            rest = pruned(pointer, self._source.keep, int(self._clock()))
            if rest != pointer:
                try:
                    self._write(pointer, rest, lease)
                except MovedError:
                    # A rollback at the same time; left to the next sync.
                    return
                pointer = rest
        kept = set() if pointer is None else {release.directory for release in pointer.releases}
        for directory in found - kept:
            self._store.discard(directory)

    @contextmanager
    def _step(self, step: str, directory: Path | None = None) -> Iterator[None]:
        """Turn errors in the body, which writes to this directory, into a SyncError with image, digest and step."""
        try:
            yield
        except BusyError:
            raise
        except (OciError, ReleaseStoreError, MatchboxError, OSError) as error:
            digest = f" ({self._digest})" if self._digest else ""
            reason = str(error)
            if isinstance(error, OSError):
                # A failed write does not name its file.
                file = error.filename or directory
                reason = f"{file}: {error.strerror}" if file and error.strerror else reason
            raise SyncError(f"{self._source.id}: {self._source.image}{digest}: cannot {step}: {reason}") from error
