"""The entries of a tar archive as a stream, in bounded memory.

It reads POSIX.1-2001 ("pax", ustar) and the formats of GNU and V7, as in `man 5 tar`. The standard library's reader
treats a damaged header as the end of the archive, and reads extended headers of any length into memory.
"""

from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from typing import NamedTuple

from lambda_matchbox.oci.errors import ImageError
from lambda_matchbox.oci.image import sparse_files
from lambda_matchbox.oci.image.archive_stream import BLOCK, ArchiveStream, Body
from lambda_matchbox.oci.image.sparse_files import SparseFile
from lambda_matchbox.oci.image.tar_numbers import decimal, number

MAX_NAME = 4096
"""Bytes of a name or of a link's target (Linux's PATH_MAX)."""

_MAX_EXTENSION = 1 << 20
"""Bytes of an extended header."""

_PAX, _PAX_GLOBAL, _GNU_LONG_NAME, _GNU_LONG_LINK, _GNU_SPARSE, _GNU_VOLUME = b"x", b"g", b"L", b"K", b"S", b"V"
_NAMES = frozenset({b"path", b"linkpath", b"GNU.sparse.name"})
_OFFSET, _LENGTH, _MAP = b"GNU.sparse.offset", b"GNU.sparse.numbytes", b"GNU.sparse.map"
_SIGNED = bytes.maketrans(bytes(range(256)), bytes((value + 128) % 256 for value in range(256)))


class EntryType(Enum):
    """The type of an entry."""

    FILE = "file"
    DIRECTORY = "directory"
    SYMLINK = "symbolic link"
    HARD_LINK = "hard link"
    OTHER = "device or pipe"


_TYPES = {
    b"0": EntryType.FILE,
    b"\0": EntryType.FILE,
    b"7": EntryType.FILE,
    b"1": EntryType.HARD_LINK,
    b"2": EntryType.SYMLINK,
    b"5": EntryType.DIRECTORY,
    _GNU_SPARSE: EntryType.FILE,
}
_WITHOUT_BODY = frozenset(b"123456")


class LayerEntry(NamedTuple):
    """An entry: its name as written, its type, a link's target, and the bytes of its body, with the holes of a file."""

    name: str
    type: EntryType
    target: str
    size: int


Extensions = dict[bytes, bytes]


def entries(
    pieces: Iterator[bytes], count_zeros: Callable[[int], None]
) -> Iterator[tuple[LayerEntry, Iterable[bytes]]]:
    """The entries of the archive in `pieces` with their bodies; a body can be read until the next entry is requested.

    `count_zeros` is called with the length of each hole of a file that is read. After the last entry all of `pieces`
    has been read. Raises ImageError for a damaged archive.
    """
    stream = ArchiveStream(pieces)
    extensions: Extensions = {}
    while (header := stream.block()).strip(b"\0"):
        _check(header, at_start=stream.position == BLOCK)
        flag, size = header[156:157], number(header[124:136])
        if flag in (_PAX, _GNU_LONG_NAME, _GNU_LONG_LINK):
            extensions |= _extension(flag, _whole(stream, size))
        elif flag in (_PAX_GLOBAL, _GNU_VOLUME):
            # A name or a size for every file makes no sense; other readers ignore global headers, too.
            stream.skip(size)
        else:
            entry = _entry(header, extensions)
            sparse = _sparse_file(entry, header, extensions, stream)
            extensions = {}
            body = Body(stream, entry.size)
            if sparse is None:
                yield entry, body
            else:
                yield entry._replace(size=sparse.size), sparse_files.content(entry.name, sparse, body, count_zeros)
            body.skip()
    stream.drain()


def begins_archive(block: bytes) -> bool:
    """Whether the block can be the first of an archive: zeros (an empty archive) or a header."""
    if len(block) != BLOCK:
        return False
    return not block.strip(b"\0") or _has_checksum(block)


def _check(header: bytes, *, at_start: bool) -> None:
    if not _has_checksum(header):
        raise ImageError("not a tar archive" if at_start else "damaged tar archive: invalid header")


def _has_checksum(header: bytes) -> bool:
    try:
        expected = number(header[148:156])
    except ImageError:
        return False
    blanked = header[:148] + b" " * 8 + header[156:]
    if expected == sum(blanked):
        return True
    # Some old programs summed signed bytes.
    return expected == sum(blanked.translate(_SIGNED)) - 128 * BLOCK


def _whole(stream: ArchiveStream, size: int) -> bytes:
    """The body of an extended header."""
    if size > _MAX_EXTENSION:
        raise ImageError(f"an extended header in the tar archive has {size} bytes; the limit is {_MAX_EXTENSION}")
    body = Body(stream, size)
    whole = b"".join(body)
    body.skip()
    return whole


def _entry(header: bytes, extensions: Extensions) -> LayerEntry:
    """The entry with the size of its body in the archive."""
    flag = header[156:157]
    name = _text(header[:100])
    if header[257:263] == b"ustar\0" and header[345]:
        name = _text(header[345:500]) + b"/" + name
    name = extensions.get(b"GNU.sparse.name") or extensions.get(b"path") or extensions.get(_GNU_LONG_NAME) or name
    target = extensions.get(b"linkpath") or extensions.get(_GNU_LONG_LINK) or _text(header[157:257])
    if max(len(name), len(target)) > MAX_NAME:
        raise ImageError(f"a name in the tar archive is longer than {MAX_NAME} bytes: {name[:80]!r}…")
    if flag[0] in _WITHOUT_BODY:
        size = 0
    elif text := extensions.get(b"size"):
        size = decimal(text)
    else:
        size = number(header[124:136])
    entry_type = _TYPES.get(flag, EntryType.OTHER)
    if entry_type is EntryType.FILE and flag == b"\0" and name.endswith(b"/"):
        entry_type = EntryType.DIRECTORY
    return LayerEntry(_decoded(name), entry_type, _decoded(target), size)


def _sparse_file(entry: LayerEntry, header: bytes, extensions: Extensions, stream: ArchiveStream) -> SparseFile | None:
    if header[156:157] == _GNU_SPARSE:
        return sparse_files.in_gnu_header(header, stream)
    if entry.type is not EntryType.FILE:
        return None
    prefix = sparse_files.PREFIX
    return sparse_files.in_extended_header(
        {key.removeprefix(prefix): value for key, value in extensions.items() if key.startswith(prefix)}
    )


def _extension(flag: bytes, body: bytes) -> Extensions:
    if flag != _PAX:
        return {flag: _text(body)}
    records: Extensions = {}
    numbers = []
    start = 0
    while start < len(body):
        # `LENGTH KEY=VALUE\n`, where the length is that of the whole record.
        blank = body.find(b" ", start, start + 20)
        end = start + decimal(body[start:blank]) if blank > start else 0
        key, equals, value = body[blank + 1 : end - 1].partition(b"=")
        if not blank < end - 1 < len(body) or body[end - 1 : end] != b"\n" or not equals:
            raise ImageError("damaged tar archive: invalid extended header")
        if key in _NAMES and b"\0" in value:
            raise ImageError(f"a name in the tar archive has a zero byte: {value[:80]!r}")
        if key in (_OFFSET, _LENGTH):
            numbers.append(value)
        elif key in _NAMES or key == b"size" or key.startswith(sparse_files.PREFIX):
            records[key] = value
        start = end
    if numbers:
        records[_MAP] = b",".join(numbers)
    return records


def _text(field: bytes) -> bytes:
    return field.partition(b"\0")[0]


def _decoded(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")
