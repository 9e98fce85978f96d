"""Download of a blob: verified, and resumed where the connection breaks."""

import hashlib
import re
from collections.abc import Callable, Mapping
from contextlib import closing
from http import HTTPStatus

from lambda_matchbox.oci.descriptors import Descriptor
from lambda_matchbox.oci.distribution.registry_http import RegistryResponse
from lambda_matchbox.oci.distribution.retries import Attempts, RetryPolicy, TransientError
from lambda_matchbox.oci.errors import DigestError

PIECE = 1 << 20
"""The most bytes held at once."""

PROGRESS = 4 << 20
"""Bytes after which a broken download has made enough progress to be granted all attempts again."""

_CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,18})-[0-9]{1,18}/([0-9]{1,18}|\*)", re.ASCII)


class BlobStream:
    """A blob as `descriptors.Blob`; `get` requests it, with additional headers.

    Each attempt begins at the registry, which redirects to a storage address that has not expired.
    """

    def __init__(
        self,
        descriptor: Descriptor,
        what: str,
        get: Callable[[Mapping[str, str]], RegistryResponse],
        retry_policy: RetryPolicy,
    ) -> None:
        self._descriptor = descriptor
        self._what = what
        self._get = get
        self._attempts = Attempts(retry_policy)
        self._response: RegistryResponse | None = None
        self._sha256 = hashlib.sha256()
        self._offset = 0
        self._to_skip = 0
        self._broke_at = 0
        self._supports_ranges = True

    def read(self, size: int) -> bytes:
        """At most `size` bytes, none at the end. Raises DigestError and RegistryError as `descriptors.Blob` says."""
        if self._offset == self._descriptor.size:
            self._finish()
            return b""
        while True:
            try:
                piece = self._piece(size)
            except TransientError as error:
                self._retry(error)
                continue
            self._sha256.update(piece)
            self._offset += len(piece)
            # With the last piece rather than after it: a caller that counts bytes does not read on.
            if self._offset == self._descriptor.size:
                self._finish()
            return piece

    def close(self) -> None:
        """Close the connection, unless everything was read."""
        if self._response is not None:
            self._response.body.close()
            self._response = None

    def _piece(self, size: int) -> bytes:
        if self._response is None:
            self._response = self._open()
        while self._to_skip:
            self._to_skip -= len(self._some(min(PIECE, self._to_skip)))
        return self._some(max(1, min(size, PIECE, self._descriptor.size - self._offset)))

    def _some(self, size: int) -> bytes:
        assert self._response is not None  # noqa: S101 - for the type checker
        piece = self._response.body.read(size)
        if not piece:
            raise TransientError(
                f"{self._what}: {self._response.host} sends less than the {self._descriptor.size} bytes announced"
            )
        return piece

    def _open(self) -> RegistryResponse:
        """A response that begins at the offset, or `_to_skip` bytes before it."""
        partial = self._offset > 0 and self._supports_ranges
        response = self._get({"Range": f"bytes={self._offset}-"} if partial else {})
        if response.status == HTTPStatus.OK:
            self._to_skip, total = self._offset, response.body.length
        else:
            found = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
            if (
                not partial
                or response.status != HTTPStatus.PARTIAL_CONTENT
                or not found
                or int(found[1]) > self._offset
            ):
                self._supports_ranges = False
                response.body.close()
                raise TransientError(f"{self._what}: {response.host} answers {response.status} with a wrong range")
            self._to_skip, total = self._offset - int(found[1]), None if found[2] == "*" else int(found[2])
        if total is not None and total != self._descriptor.size:
            response.body.close()
            raise DigestError(
                f"{self._what}: {response.host} has {total} bytes, but the manifest says {self._descriptor.size}"
            )
        return response

    def _retry(self, error: TransientError) -> None:
        self.close()
        if self._offset - self._broke_at >= PROGRESS:
            self._attempts.reset()
        self._broke_at = self._offset
        self._attempts.wait_after(error)

    def _finish(self) -> None:
        if self._response is not None:
            host, body = self._response.host, self._response.body
            self._response = None
            with closing(body):
                # A body without a length may go on after the announced bytes.
                has_more = body.length is None and _has_more(body.read)
            if has_more:
                raise DigestError(f"{self._what}: {host} sends more than the {self._descriptor.size} bytes announced")
        digest = f"sha256:{self._sha256.hexdigest()}"
        if digest != self._descriptor.digest:
            raise DigestError(f"{self._what}: the bytes received have the digest {digest}")


def _has_more(read: Callable[[int], bytes]) -> bool:
    try:
        return bool(read(1))
    except TransientError:
        # The blob is complete; its digest decides.
        return False
