"""The bytes of a part of an image as they arrive: checked, and resumed where the download breaks."""

import hashlib
import re
from collections.abc import Callable, Mapping
from contextlib import closing
from http import HTTPStatus

from lambda_matchbox.oci.descriptors import Descriptor
from lambda_matchbox.oci.distribution.patience import Attempts, Patience, TransientError
from lambda_matchbox.oci.distribution.registry_http import Reply
from lambda_matchbox.oci.errors import DigestError

PIECE = 1 << 20
"""The most bytes that are held at once."""

WORTHWHILE = 4 << 20
"""Bytes after which a download that broke has got on, and is worth all attempts again when it breaks anew."""

_CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,18})-[0-9]{1,18}/([0-9]{1,18}|\*)", re.ASCII)


class BlobStream:
    """A part of an image as `descriptors.Blob`; `ask` asks for it, with the headers it is given.

    Every break starts over at the registry, whose answer leads to a storage address that is good again.
    """

    def __init__(
        self, descriptor: Descriptor, what: str, ask: Callable[[Mapping[str, str]], Reply], patience: Patience
    ) -> None:
        self._descriptor = descriptor
        self._what = what
        self._ask = ask
        self._attempts = Attempts(patience)
        self._reply: Reply | None = None
        self._sha256 = hashlib.sha256()
        self._offset = 0
        self._behind = 0
        self._broke_at = 0
        self._ranges = True

    def read(self, size: int) -> bytes:
        """At most `size` bytes, none at the end. Raises DigestError and RegistryError as `descriptors.Blob` says."""
        if self._offset == self._descriptor.size:
            self._end()
            return b""
        while True:
            try:
                piece = self._piece(size)
            except TransientError as error:
                self._break(error)
                continue
            self._sha256.update(piece)
            self._offset += len(piece)
            # With the last piece rather than after it: who counts bytes need not ask for more to be told.
            if self._offset == self._descriptor.size:
                self._end()
            return piece

    def close(self) -> None:
        """Give up the connection, where not everything was read."""
        if self._reply is not None:
            self._reply.body.close()
            self._reply = None

    def _piece(self, size: int) -> bytes:
        if self._reply is None:
            self._reply = self._open()
        while self._behind:
            self._behind -= len(self._some(min(PIECE, self._behind)))
        return self._some(max(1, min(size, PIECE, self._descriptor.size - self._offset)))

    def _some(self, size: int) -> bytes:
        assert self._reply is not None  # noqa: S101 - for the type checker
        piece = self._reply.body.read(size)
        if not piece:
            raise TransientError(f"{self._what}: {self._reply.host} ends it before its {self._descriptor.size} bytes")
        return piece

    def _open(self) -> Reply:
        """An answer that goes on at the offset, or `_behind` bytes before it."""
        partly = self._offset > 0 and self._ranges
        reply = self._ask({"Range": f"bytes={self._offset}-"} if partly else {})
        if reply.status == HTTPStatus.OK:
            self._behind, total = self._offset, reply.body.length
        else:
            found = _CONTENT_RANGE.fullmatch(reply.headers.get("Content-Range", ""))
            if not partly or reply.status != HTTPStatus.PARTIAL_CONTENT or not found or int(found[1]) > self._offset:
                self._ranges = False
                reply.body.close()
                raise TransientError(f"{self._what}: {reply.host} answers {reply.status}, and not with what was asked")
            self._behind, total = self._offset - int(found[1]), None if found[2] == "*" else int(found[2])
        if total is not None and total != self._descriptor.size:
            reply.body.close()
            raise DigestError(
                f"{self._what}: {reply.host} has {total} bytes, where the manifest announces {self._descriptor.size}"
            )
        return reply

    def _break(self, error: TransientError) -> None:
        self.close()
        if self._offset - self._broke_at >= WORTHWHILE:
            self._attempts.start_afresh()
        self._broke_at = self._offset
        self._attempts.wait_after(error)

    def _end(self) -> None:
        if self._reply is not None:
            host, body = self._reply.host, self._reply.body
            self._reply = None
            with closing(body):
                # A body without a length ends with the connection or with an empty chunk, and may have more to say.
                more = body.length is None and _has_more(body.read)
            if more:
                raise DigestError(f"{self._what}: {host} sends more than the {self._descriptor.size} bytes announced")
        digest = f"sha256:{self._sha256.hexdigest()}"
        if digest != self._descriptor.digest:
            raise DigestError(f"{self._what}: the bytes that came have the digest {digest}")


def _has_more(read: Callable[[int], bytes]) -> bool:
    try:
        return bool(read(1))
    except TransientError:
        # What is wanted is there, and its digest tells whether it is right.
        return False
