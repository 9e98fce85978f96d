"""What does an object hold that stands for the rest of an item?

Its key tells its bytes (see `aws.catalog.layout`), so what was read once need not be read again while this process
lives.
"""

from threading import Lock

from lambda_matchbox.aws.catalog.layout import Far
from lambda_matchbox.aws.clients.s3 import S3
from lambda_matchbox.errors import StoreUnavailableError

REMEMBERED = 64 * 1024 * 1024
"""How many bytes are kept, those asked for last; a function has some hundred megabytes."""


class LostObjectError(StoreUnavailableError):
    """An object that an item names is not there, and does not come back by itself."""


class DocumentObjects:
    """Reads the objects of a bucket, for any number of threads."""

    def __init__(self, s3: S3) -> None:
        self._s3 = s3
        self._kept: dict[Far, bytes] = {}
        self._lock = Lock()

    def read(self, far: Far, deadline: float) -> bytes:
        """The whole object. Raises StoreUnavailableError where it cannot be had by the deadline of time.monotonic()."""
        with self._lock:
            body = self._kept.pop(far, None)
        if body is None:
            body = self._s3.get(far.key, 0, far.size, deadline)
        # The object is put before the item that names it, so it lacks only where somebody took it away.
        if body is None or len(body) != far.size:
            raise LostObjectError(f"the bucket lacks {far.key!r}, which the table names: see matchboxctl fsck")
        with self._lock:
            self._kept[far] = body
            while sum(known.size for known in self._kept) > REMEMBERED:
                del self._kept[next(iter(self._kept))]
        return body
