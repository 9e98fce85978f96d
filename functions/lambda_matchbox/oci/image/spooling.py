"""Files of an image, written to disk as they stream."""

import hashlib
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

MAX_FILE_SIZE = 5 << 30
"""Bytes of a file: the most that S3 accepts in one verified request."""

_FLUSH_SIZE = 8 << 20
"""Bytes after which writing to disk begins, so that publishing a large file does not wait for all of it."""


class ExtractedFile(NamedTuple):
    """A file extracted from an image.

    `file` is the extracted copy, `path` the path in the image, without a leading slash; then its size in bytes and its
    SHA-256 in hexadecimal digits. `checksum_file` is the content of the image's `<path>.sha256`, if `sha256sum -c` can
    check this file with it.
    """

    file: Path
    path: str
    size: int
    sha256: str
    checksum_file: bytes | None = None


class Spooled(NamedTuple):
    """A written file, its size in bytes, and its SHA-256 in hexadecimal digits."""

    file: Path
    size: int
    sha256: str


def spool(pieces: Iterable[bytes], file: Path) -> Spooled:
    """Write `pieces` to the new file `file`."""
    size = begun = 0
    digest = hashlib.sha256()
    with file.open("xb") as target:
        for piece in pieces:
            size += len(piece)
            digest.update(piece)
            target.write(piece)
            if size - begun >= _FLUSH_SIZE and sys.platform == "linux":
                # Linux starts writing dirty pages before it drops them, without waiting.
                os.posix_fadvise(target.fileno(), begun, size - begun, os.POSIX_FADV_DONTNEED)
                begun = size
    return Spooled(file, size, digest.hexdigest())
