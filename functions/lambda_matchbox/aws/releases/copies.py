"""Copies of release files under keys that path and release alone give, for a front door that reads no pointers.

CloudFront serves assets from the bucket. The copy of a current file has its path as its key, that of a kept release's
file the path and the release's digest, `vmlinuz.release-<digits>`. Its signature covers the key: no character of that
suffix has two spellings.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

from lambda_matchbox.aws.clients.boto3_errors import translated
from lambda_matchbox.aws.clients.store_clients import StoreClients
from lambda_matchbox.aws.keys import RELEASES_PREFIX, SERVED_PREFIX, release_prefix
from lambda_matchbox.aws.releases.source_table import SourceTable
from lambda_matchbox.releases.pointers import GRACE, Pointer, Pointers, covering

_OF_A_RELEASE = re.compile(r"\.release-[0-9a-f]{64}$")
# A cache keeps a release's file no longer than the release itself is kept after it was current.
_RELEASED, _CURRENT = f"max-age={GRACE}", "max-age=60"
_ATTEMPTS = 5


class ReleaseCopies:
    """The copies for the sources in a table. Every method raises StoreUnavailableError and AWSError.

    Without `required` they are completed only in a bucket that has some: behind a load balancer nobody reads them.
    """

    def __init__(self, clients: StoreClients, *, required: bool = False) -> None:
        self._clients = clients
        self._table = SourceTable(clients)
        self._required = required

    def prepare(self, source_id: str, pointer: Pointer) -> None:
        """Copy the files that scripts will name once this is the source's pointer."""
        if (present := self._present()) is not None:
            wanted = self._wanted({**self._table.pointers(), source_id: pointer})
            self._copy({key: origin for key, origin in wanted.items() if _OF_A_RELEASE.search(key)}, present)

    def complete(self) -> None:
        """Copy what is missing, and delete what is no longer served.

        Somebody may move a pointer meanwhile: the last to finish has seen it.
        """
        for _ in range(_ATTEMPTS):
            if (present := self._present()) is None:
                return
            pointers = self._table.pointers()
            wanted = self._wanted(pointers)
            self._copy(wanted, present)
            self._delete(key for key in present.keys() - wanted.keys() if _may_go(key, present[key][1]))
            if pointers == self._table.pointers():
                return

    def _present(self) -> dict[str, tuple[str, datetime]] | None:
        """ETag and age of each copy; None if there are to be none."""
        with translated():
            found = {each["Key"]: (each["ETag"], each["LastModified"]) for each in self._clients.objects(SERVED_PREFIX)}
        return found if found or self._required else None

    def _wanted(self, pointers: Pointers) -> dict[str, tuple[str, str]]:
        """The keys of all copies, those of releases first; for each the original's key and ETag."""
        with translated():
            stored = {each["Key"]: each["ETag"] for each in self._clients.objects(RELEASES_PREFIX)}
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

    def _copy(self, wanted: Mapping[str, tuple[str, str]], present: Mapping[str, tuple[str, datetime]]) -> None:
        s3, bucket = self._clients.s3, self._clients.bucket
        for key, (origin, etag) in wanted.items():
            if key in present and present[key][0] == etag:
                continue
            with translated():
                s3.copy_object(
                    Bucket=bucket,
                    Key=key,
                    CopySource={"Bucket": bucket, "Key": origin},
                    MetadataDirective="REPLACE",
                    ContentType=s3.head_object(Bucket=bucket, Key=origin)["ContentType"],
                    CacheControl=_RELEASED if _OF_A_RELEASE.search(key) else _CURRENT,
                )

    def _delete(self, keys: Iterator[str]) -> None:
        for key in keys:
            with translated():
                self._clients.s3.delete_object(Bucket=self._clients.bucket, Key=key)


def _released_key(path: str, digest: str) -> str:
    """What the distribution's function makes of path and release (template.yaml, `DoorFunction`)."""
    return f"{SERVED_PREFIX}{path}.release-{digest.removeprefix('sha256:')}"


def _may_go(key: str, copied: datetime) -> bool:
    """Whether the copy is nobody's: a young one of a release may belong to a pointer that is about to move."""
    return not _OF_A_RELEASE.search(key) or copied < datetime.now(UTC) - timedelta(seconds=GRACE)
