"""The entries of a tar archive as a stream, in bounded memory.

It reads POSIX.1-2001 ("pax", ustar) and the formats of GNU and V7, as in `man 5 tar`. The standard library's reader
treats a damaged header as the end of the archive, and reads extended headers of any length into memory.
"""

from collections.abc import Iterable, Iterator
from enum import Enum
from typing import NamedTuple

from lambda_matchbox.oci.errors import ImageError

BLOCK = 512
MAX_NAME = 4096
"""Bytes of a name or of a link's target (Linux's PATH_MAX)."""

_MAX_EXTENSION = 1 << 20
"""Bytes of an extended header."""

_PAX, _PAX_GLOBAL, _GNU_LONG_NAME, _GNU_LONG_LINK, _GNU_SPARSE, _GNU_VOLUME = b"x", b"g", b"L", b"K", b"S", b"V"
_KEYS = {b"path": "path", b"linkpath": "linkpath", b"size": "size", b"GNU.sparse.name": "sparse path"}
_SIGNED = bytes.maketrans(bytes(range(256)), bytes((value + 128) % 256 for value in range(256)))


class EntryType(Enum):
    """The type of an entry."""

    FILE = "file"
    DIRECTORY = "directory"
    SYMLINK = "symbolic link"
    HARD_LINK = "hard link"
    SPARSE = "sparse file"
    OTHER = "device or pipe"


_TYPES = {
    b"0": EntryType.FILE,
    b"\0": EntryType.FILE,
    b"7": EntryType.FILE,
    b"1": EntryType.HARD_LINK,
    b"2": EntryType.SYMLINK,
    b"5": EntryType.DIRECTORY,
    _GNU_SPARSE: EntryType.SPARSE,
}
_WITHOUT_BODY = frozenset(b"123456")


class LayerEntry(NamedTuple):
    """An entry: its name as written, its type, a link's target, and the bytes of its body in the archive."""

    name: str
    type: EntryType
    target: str
    size: int


def entries(pieces: Iterator[bytes]) -> Iterator[tuple[LayerEntry, Iterable[bytes]]]:
    """The entries of the archive in `pieces` with their bodies; a body can be read until the next entry is requested.

    After the last entry all of `pieces` has been read. Raises ImageError for a damaged archive.
    """
    stream = _Stream(pieces)
    extensions: dict[str, bytes] = {}
    while (header := stream.block()).strip(b"\0"):
        _check(header, at_start=stream.position == BLOCK)
        flag, size = header[156:157], _number(header[124:136])
        if flag in (_PAX, _GNU_LONG_NAME, _GNU_LONG_LINK):
            extensions |= _extension(flag, stream.whole(size))
        elif flag in (_PAX_GLOBAL, _GNU_VOLUME):
            # A name or a size for every file makes no sense; other readers ignore global headers, too.
            stream.skip(size)
        else:
            entry = _entry(header, extensions)
            extensions = {}
            extended = flag == _GNU_SPARSE and header[482]
            while extended:
                extended = stream.exactly(BLOCK)[504]
            body = _Body(stream, entry.size)
            yield entry, body
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
        expected = _number(header[148:156])
    except ImageError:
        return False
    blanked = header[:148] + b" " * 8 + header[156:]
    if expected == sum(blanked):
        return True
    # Some old programs summed signed bytes.
    return expected == sum(blanked.translate(_SIGNED)) - 128 * BLOCK


def _entry(header: bytes, extensions: dict[str, bytes]) -> LayerEntry:
    flag = header[156:157]
    name = _text(header[:100])
    if header[257:263] == b"ustar\0" and header[345]:
        name = _text(header[345:500]) + b"/" + name
    name = extensions.get("sparse path") or extensions.get("path") or extensions.get("gnu path") or name
    target = extensions.get("linkpath") or extensions.get("gnu linkpath") or _text(header[157:257])
    if max(len(name), len(target)) > MAX_NAME:
        raise ImageError(f"a name in the tar archive is longer than {MAX_NAME} bytes: {name[:80]!r}…")
    if flag[0] in _WITHOUT_BODY:
        size = 0
    elif text := extensions.get("size"):
        size = _decimal(text)
    else:
        size = _number(header[124:136])
    entry_type = _TYPES.get(flag, EntryType.OTHER)
    if entry_type is EntryType.FILE and flag == b"\0" and name.endswith(b"/"):
        entry_type = EntryType.DIRECTORY
    elif entry_type is EntryType.FILE and ("sparse" in extensions or "sparse path" in extensions):
        entry_type = EntryType.SPARSE
    return LayerEntry(_decoded(name), entry_type, _decoded(target), size)


def _extension(flag: bytes, body: bytes) -> dict[str, bytes]:
    if flag == _GNU_LONG_NAME:
        return {"gnu path": _text(body)}
    if flag == _GNU_LONG_LINK:
        return {"gnu linkpath": _text(body)}
    records = {}
    start = 0
    while start < len(body):
        # `LENGTH KEY=VALUE\n`, where the length is that of the whole record.
        blank = body.find(b" ", start, start + 20)
        end = start + _decimal(body[start:blank]) if blank > start else 0
        key, equals, value = body[blank + 1 : end - 1].partition(b"=")
        if not blank < end - 1 < len(body) or body[end - 1 : end] != b"\n" or not equals:
            raise ImageError("damaged tar archive: invalid extended header")
        if key in _KEYS:
            if b"\0" in value:
                raise ImageError(f"a name in the tar archive has a zero byte: {value[:80]!r}")
            records[_KEYS[key]] = value
        elif key.startswith(b"GNU.sparse."):
            records["sparse"] = b"yes"
        start = end
    return records


def _text(field: bytes) -> bytes:
    return field.partition(b"\0")[0]


def _decoded(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")


def _decimal(text: bytes) -> int:
    if not text.isdigit() or len(text) > 19:
        raise ImageError(f"damaged tar archive: invalid number {text[:20]!r}")
    return int(text)


def _number(field: bytes) -> int:
    """A number of a header: octal digits, or big-endian bytes after one of 128 (GNU's format for larger numbers)."""
    if field[0] == 128:
        return int.from_bytes(field[1:], "big")
    text = _text(field).strip(b" ")
    if text.strip(b"01234567"):
        raise ImageError(f"damaged tar archive: invalid number {field!r}")
    return int(text or b"0", 8)


class _Body:
    """The body of an entry; its rest is skipped before the next entry."""

    def __init__(self, stream: "_Stream", size: int) -> None:
        self._stream = stream
        self._padding = -size % BLOCK
        self._left = size

    def __iter__(self) -> Iterator[bytes]:
        while self._left:
            data = self._stream.some(self._left)
            self._left -= len(data)
            yield data

    def skip(self) -> None:
        self._stream.skip(self._left)
        self._left = 0
        self._stream.skip(self._padding)


class _Stream:
    """Pieces as a stream."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._piece = b""
        self._used = 0
        self.position = 0

    def block(self) -> bytes:
        """The next header; empty at the end of the pieces: archives may lack the zeros at their end."""
        if self._used == len(self._piece) and not self._next():
            return b""
        return self.exactly(BLOCK)

    def exactly(self, size: int) -> bytes:
        data = self.some(size)
        while len(data) < size:
            data += self.some(size - len(data))
        return data

    def whole(self, size: int) -> bytes:
        """The body of an extended header."""
        if size > _MAX_EXTENSION:
            raise ImageError(f"an extended header in the tar archive has {size} bytes; the limit is {_MAX_EXTENSION}")
        body = b"".join(_Body(self, size))
        self.skip(-size % BLOCK)
        return body

    def some(self, size: int) -> bytes:
        """At least one byte, at most `size`."""
        if self._used == len(self._piece) and not self._next():
            raise ImageError("truncated tar archive")
        start, self._used = self._used, min(self._used + size, len(self._piece))
        self.position += self._used - start
        return self._piece[start : self._used]

    def skip(self, size: int) -> None:
        while size > 0:
            if self._used == len(self._piece) and not self._next():
                raise ImageError("truncated tar archive")
            step = min(size, len(self._piece) - self._used)
            self._used += step
            self.position += step
            size -= step

    def drain(self) -> None:
        while self._next():
            pass

    def _next(self) -> bool:
        """Go to the next piece; returns whether there is one."""
        self._piece, self._used = next(self._pieces, b""), 0
        return bool(self._piece)
