"""The objects of a bucket below a prefix: the operator's own assets, and releases."""

from lambda_matchbox.assets.stores import AssetFile, DirectoryListing
from lambda_matchbox.aws.clients.request_deadline import deadline_within
from lambda_matchbox.aws.clients.s3 import S3
from lambda_matchbox.aws.keys import ASSETS_PREFIX
from lambda_matchbox.errors import NotFoundError
from lambda_matchbox.golang.http.paths import escape_path

_MAX_KEY_SIZE = 1024  # bytes (S3's "Naming Amazon S3 objects")


class S3Assets:
    """The asset store over the objects of a bucket whose keys start with `prefix` (see `assets.stores.AssetStore`).

    Its addresses are valid for `lifetime` seconds, or until the credentials that signed them expire. `bucket_url`, or
    an empty text, is the bucket's address without signatures and without a slash at its end. Each call takes
    `call_timeout` seconds at most.
    """

    def __init__(
        self, s3: S3, lifetime: int, *, call_timeout: float, prefix: str = ASSETS_PREFIX, bucket_url: str = ""
    ) -> None:
        self._s3 = s3
        self._lifetime = lifetime
        self._call_timeout = call_timeout
        self._prefix = prefix
        self._bucket_url = bucket_url

    def with_prefix(self, prefix: str) -> "S3Assets":
        """The objects of the same bucket whose keys start with another prefix."""
        return S3Assets(
            self._s3, self._lifetime, call_timeout=self._call_timeout, prefix=prefix, bucket_url=self._bucket_url
        )

    def file(self, path: str) -> AssetFile | None:
        """The object's headers."""
        key = object_key(self._prefix, path)
        head = None if key is None else self._s3.head(key, self._deadline())
        return None if head is None else AssetFile(head.size, head.content_type, head.etag, head.last_modified)

    def listing(self, path: str) -> DirectoryListing | None:
        """The objects below the path; a prefix without objects is not a directory, but the root always is."""
        prefix = object_key(self._prefix, f"{path}/" if path else "")
        if prefix is None:
            return None
        found = self._s3.list(prefix, self._deadline())
        if path and not found.keys and not found.prefixes:
            return None
        files = [key.removeprefix(prefix) for key in found.keys if key != prefix]
        return DirectoryListing(files, [name.removeprefix(prefix).rstrip("/") for name in found.prefixes])

    def read(self, path: str, start: int, length: int) -> bytes:
        """`length` bytes from `start`."""
        if not length:
            return b""
        key = object_key(self._prefix, path)
        read = None if key is None else self._s3.get(key, start, length, self._deadline())
        if read is None:
            raise NotFoundError(f"asset {path!r} is gone")
        return read

    def location(self, path: str, origin: str) -> str:
        """A presigned address with the client's scheme."""
        return self._s3.presigned_get(self._prefix + path, origin.partition("://")[0], self._lifetime)

    def plain_address(self, path: str) -> str | None:
        """The object below the token-free address, where there is one."""
        return f"{self._bucket_url}/{escape_path(self._prefix + path)}" if self._bucket_url else None

    def _deadline(self) -> float:
        return deadline_within(self._call_timeout)


def object_key(prefix: str, path: str) -> str | None:
    """The key of the path below the prefix; None if no object can have it."""
    try:
        key = (prefix + path).encode()
    except UnicodeEncodeError:
        return None
    return None if len(key) > _MAX_KEY_SIZE or b"\0" in key else prefix + path
