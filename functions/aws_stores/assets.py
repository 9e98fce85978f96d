"""The operator's own assets in the bucket, below `assets/`."""

from aws_stores.request_time import deadline_of
from aws_stores.s3 import S3
from matchbox.errors import NotFoundError
from matchbox.stores import AssetFile, Listing

PREFIX = "assets/"

_LONGEST_KEY = 1024  # bytes (S3's "Naming Amazon S3 objects")


class S3Assets:
    """The asset store over a bucket (see `matchbox.stores.AssetStore`).

    Its addresses last `lifetime` seconds, less where the credentials that signed them end earlier. Each question to the
    bucket ends within `answer_time` seconds.
    """

    def __init__(self, s3: S3, lifetime: int, *, answer_time: float) -> None:
        self._s3 = s3
        self._lifetime = lifetime
        self._answer_time = answer_time

    def file(self, path: str) -> AssetFile | None:
        """The object of that path."""
        key = asset_key(path)
        head = None if key is None else self._s3.head(key, self._deadline())
        return None if head is None else AssetFile(head.size, head.content_type, head.etag, head.last_modified)

    def listing(self, path: str) -> Listing | None:
        """What lies below that path; a prefix without objects is no directory, but the root always is one."""
        prefix = asset_key(f"{path}/" if path else "")
        if prefix is None:
            return None
        found = self._s3.list(prefix, deadline=self._deadline())
        if path and not found.files and not found.directories:
            return None
        files = [file.key.removeprefix(prefix) for file in found.files if file.key != prefix]
        return Listing(files, [name.removeprefix(prefix).rstrip("/") for name in found.directories])

    def read(self, path: str, start: int, length: int) -> bytes:
        """`length` bytes from `start`."""
        if not length:
            return b""
        key = asset_key(path)
        read = None if key is None else self._s3.get(key, start, length, self._deadline())
        if read is None:
            raise NotFoundError(f"asset {path!r} has gone")
        return read

    def address(self, path: str, origin: str) -> str:
        """A presigned address with the scheme that the client used."""
        return self._s3.presigned_get(PREFIX + path, origin.partition("://")[0], self._lifetime)

    def delivered_by_front(self, path: str) -> str | None:  # noqa: ARG002 (nothing in front of a function can)
        """None: the balancer carries no file."""
        return None

    def _deadline(self) -> float:
        return deadline_of(self._answer_time)


def asset_key(path: str) -> str | None:
    """The key of that path; None where no object can have it."""
    try:
        octets = (PREFIX + path).encode()
    except UnicodeEncodeError:
        return None
    return None if len(octets) > _LONGEST_KEY or b"\0" in octets else PREFIX + path
