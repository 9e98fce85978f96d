"""Files out of an image, written down while they stream."""

import hashlib
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

LARGEST_FILE = 5 << 30
"""Bytes of a file that can be published: S3 takes and verifies this much in one piece."""

_AT_ONCE = 8 << 20
"""Bytes after which the disk begins to write, so that whoever publishes a large file need not wait for all of it."""


class TakenFile(NamedTuple):
    """A file out of an image.

    `file` is where it lies now; `path` where it lay in the image, without a leading slash; then its size in bytes and
    its SHA-256 in hexadecimal digits. `checksum_file` is the image's own `<path>.sha256`, where it has one that
    `sha256sum -c` takes for this file by its base name.
    """

    file: Path
    path: str
    size: int
    sha256: str
    checksum_file: bytes | None = None


class Spooled(NamedTuple):
    """A file that was written: where, its size in bytes, and its SHA-256 in hexadecimal digits."""

    file: Path
    size: int
    sha256: str


def spool(pieces: Iterable[bytes], file: Path) -> Spooled:
    """Write `pieces` to `file`, which there is not yet. Raises what `pieces` and the file system raise."""
    size = begun = 0
    digest = hashlib.sha256()
    with file.open("xb") as target:
        for piece in pieces:
            size += len(piece)
            digest.update(piece)
            target.write(piece)
            if size - begun >= _AT_ONCE and sys.platform == "linux":
                # Linux writes out what is dirty before it lets go of it, and does not wait for that.
                os.posix_fadvise(target.fileno(), begun, size - begun, os.POSIX_FADV_DONTNEED)
                begun = size
    return Spooled(file, size, digest.hexdigest())
