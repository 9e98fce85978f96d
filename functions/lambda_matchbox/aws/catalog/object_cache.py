"""The bucket's objects with long templates and metadata, cached in memory.

An object's key is the hash of its bytes (see `aws.keys`), so a cached one is never stale.
"""

from threading import Lock

from lambda_matchbox.aws.catalog.items import ObjectRef
from lambda_matchbox.aws.clients.s3 import S3
from lambda_matchbox.errors import StoreUnavailableError

MAX_CACHED_BYTES = 64 * 1024 * 1024
"""Of the most recently used objects; a function has some hundred megabytes."""


class LostObjectError(StoreUnavailableError):
    """An object that an item names is absent; a retry does not help."""


class ObjectCache:
    """Reads the objects of a bucket, for any number of threads."""

    def __init__(self, s3: S3) -> None:
        self._s3 = s3
        self._cached: dict[ObjectRef, bytes] = {}
        self._lock = Lock()

    def read(self, reference: ObjectRef, deadline: float) -> bytes:
        """The whole object. Raises StoreUnavailableError if it is not read by the deadline of time.monotonic()."""
        with self._lock:
            body = self._cached.pop(reference, None)
        if body is None:
            body = self._s3.get(reference.key, 0, reference.size, deadline)
        # The object is put before the item that names it, so it is absent only if someone deleted it.
        if body is None or len(body) != reference.size:
            raise LostObjectError(f"the bucket lacks {reference.key!r}, which the table names: see matchboxctl fsck")
        with self._lock:
            self._cached[reference] = body
            while sum(cached.size for cached in self._cached) > MAX_CACHED_BYTES:
                del self._cached[next(iter(self._cached))]
        return body
