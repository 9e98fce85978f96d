"""Copies of release files under keys that path and release alone give, for a front door that reads no pointers.

CloudFront serves assets from the bucket. The copy of a current file has its path as its key, that of a kept release's
file the path and the release's digest, `vmlinuz.release-<digits>`. Its signature covers the key: no character of that
suffix has two spellings.
"""

import re
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, TypeAlias

from lambda_matchbox.aws.clients.errors import AWSError
from lambda_matchbox.aws.clients.light_clients import CALL_SECONDS, FILE_SECONDS, LightClients
from lambda_matchbox.aws.clients.request_deadline import deadline_within
from lambda_matchbox.aws.keys import ASSETS_PREFIX, RELEASES_PREFIX, SERVED_PREFIX, release_prefix
from lambda_matchbox.aws.releases.source_table import SourceTable
from lambda_matchbox.releases.pointers import GRACE, Pointer, Pointers, covering

_OF_A_RELEASE = re.compile(r"\.release-[0-9a-f]{64}$")
# A cache keeps a release's file no longer than the release itself is kept after it was current.
_RELEASED, _CURRENT = f"max-age={GRACE}", "max-age=60"
_ATTEMPTS = 5

_Present: TypeAlias = Mapping[str, tuple[str, datetime]]
_Wanted: TypeAlias = Mapping[str, tuple[str, str]]


class Differences(NamedTuple):
    """Between what CloudFront finds and what the app serves, by keys.

    Copies that are missing or old, with the keys of their originals; copies that nobody needs; the operator's own files
    whose place belongs to a source, and whose name the current release lacks, so that no copy hides them.
    """

    missing: Mapping[str, str]
    superfluous: Sequence[str]
    unhidden: Sequence[str]


class ReleaseCopies:
    """The copies for the sources in a table. Every method raises StoreUnavailableError and AWSError.

    `required` says whether CloudFront reads them; None where that is not known: then a bucket has them that has some.
    """

    def __init__(self, clients: LightClients, *, required: bool | None = None) -> None:
        self._clients = clients
        self._table = SourceTable(clients)
        self._required = required

    def prepare(self, source_id: str, pointer: Pointer) -> None:
        """Copy the files that scripts will name once this is the source's pointer."""
        if (present := self._present()) is not None:
            pointers = {**self._table.pointers(), source_id: pointer}
            missing = _missing(present, self._wanted(pointers))
            self._copy({key: origin for key, origin in missing.items() if is_of_a_release(key)})

    def complete(self) -> None:
        """Copy what is missing, and delete what is no longer served.

        Somebody may move a pointer meanwhile: the last to finish has seen it.
        """
        for _ in range(_ATTEMPTS):
            if (present := self._present()) is None:
                return
            pointers = self._table.pointers()
            wanted = self._wanted(pointers)
            self._copy(_missing(present, wanted))
            for key in _superfluous(present, wanted):
                self._clients.s3.delete(key, deadline_within(CALL_SECONDS))
            if pointers == self._table.pointers():
                return

    def differences(self, settled: float) -> Differences:
        """All but those of sources whose pointer has moved in that many seconds: somebody is making copies."""
        if (present := self._present()) is None:
            return Differences({}, [], [])
        pointers = self._table.pointers()
        before = time.time() - settled
        moving = tuple(f"{SERVED_PREFIX}{each.assets}/" for each in pointers.values() if each.moved > before)
        wanted = self._wanted(pointers)
        missing = {key: origin for key, origin in _missing(present, wanted).items() if not key.startswith(moving)}
        superfluous = sorted(key for key in _superfluous(present, wanted) if not key.startswith(moving))
        parts = [f"{ASSETS_PREFIX}{each.assets}/" for each in pointers.values()]
        own = [each.key for part in parts for each in self._clients.objects(part)]
        hidden = {key.replace(SERVED_PREFIX, ASSETS_PREFIX, 1) for key in wanted}
        return Differences(missing, superfluous, sorted({*own} - hidden))

    def _present(self) -> _Present | None:
        """ETag and age of each copy; None if there are to be none."""
        if self._required is False:
            return None
        found = {each.key: (each.etag, each.last_modified) for each in self._clients.objects(SERVED_PREFIX)}
        return found if found or self._required else None

    def _wanted(self, pointers: Pointers) -> _Wanted:
        """The keys of all copies, those of releases first; for each the original's key and ETag."""
        stored = {each.key: each.etag for each in self._clients.objects(RELEASES_PREFIX)}
        of_releases: dict[str, tuple[str, str]] = {}
        current: dict[str, tuple[str, str]] = {}
        for source_id, pointer in pointers.items():
            # The newest first: of one digest it counts, and a former one has what it lacks.
            for release in pointer.releases:
                prefix = release_prefix(source_id, release.directory)
                for origin in (each for each in stored if each.startswith(prefix)):
                    path = f"{pointer.assets}/{origin.removeprefix(prefix)}"
                    covered = covering(pointers, path)
                    if covered is None or covered.source_id != source_id:
                        continue
                    of_releases.setdefault(_released_key(path, release.digest), (origin, stored[origin]))
                    if release.digest == pointer.current:
                        current.setdefault(SERVED_PREFIX + path, (origin, stored[origin]))
        return of_releases | current

    def _copy(self, missing: Mapping[str, str]) -> None:
        for key, origin in missing.items():
            if (head := self._clients.s3.head(origin, deadline_within(CALL_SECONDS))) is None:
                raise AWSError("NoSuchKey", f"the bucket lacks {origin!r}", 404)
            headers = {
                "X-Amz-Metadata-Directive": "REPLACE",
                "Content-Type": head.content_type,
                "Cache-Control": _RELEASED if is_of_a_release(key) else _CURRENT,
            }
            self._clients.files.copy(key, origin, headers, deadline_within(FILE_SECONDS))


def is_of_a_release(key: str) -> bool:
    """Whether the copy is that of a release which its key names, not of what is current."""
    return _OF_A_RELEASE.search(key) is not None


def _missing(present: _Present, wanted: _Wanted) -> dict[str, str]:
    return {key: origin for key, (origin, etag) in wanted.items() if key not in present or present[key][0] != etag}


def _superfluous(present: _Present, wanted: _Wanted) -> list[str]:
    return [key for key in present.keys() - wanted.keys() if _may_go(key, present[key][1])]


def _released_key(path: str, digest: str) -> str:
    """What the distribution's function makes of path and release (template.yaml, `DoorFunction`)."""
    return f"{SERVED_PREFIX}{path}.release-{digest.removeprefix('sha256:')}"


def _may_go(key: str, copied: datetime) -> bool:
    """Whether the copy is nobody's: a young one of a release may belong to a pointer that is about to move."""
    return not is_of_a_release(key) or copied < datetime.now(UTC) - timedelta(seconds=GRACE)
