"""What does a tar archive hold? Its entries one by one, in memory that no archive can make grow.

POSIX.1-2001 ("pax", ustar) and GNU's and V7's forms, as `man 5 tar` describes them. The standard library's reader takes
a damaged header for the end of the archive, and reads extended headers of any length into memory.
"""

from collections.abc import Iterable, Iterator
from enum import Enum
from typing import NamedTuple

from lambda_matchbox.oci.errors import ImageError

BLOCK = 512
LONGEST_NAME = 4096
"""Bytes of a name or of a link's target (Linux's PATH_MAX)."""

_LARGEST_EXTENSION = 1 << 20
"""Bytes of an extended header."""

_PAX, _PAX_GLOBAL, _GNU_LONG_NAME, _GNU_LONG_LINK, _GNU_SPARSE, _GNU_VOLUME = b"x", b"g", b"L", b"K", b"S", b"V"
_KEYS = {b"path": "path", b"linkpath": "linkpath", b"size": "size", b"GNU.sparse.name": "sparse path"}
_SIGNED = bytes.maketrans(bytes(range(256)), bytes((value + 128) % 256 for value in range(256)))


class Kind(Enum):
    """What an entry is."""

    FILE = "file"
    DIRECTORY = "directory"
    SYMLINK = "symbolic link"
    HARD_LINK = "hard link"
    SPARSE = "sparse file"
    OTHER = "device or pipe"


_KINDS = {
    b"0": Kind.FILE,
    b"\0": Kind.FILE,
    b"7": Kind.FILE,
    b"1": Kind.HARD_LINK,
    b"2": Kind.SYMLINK,
    b"5": Kind.DIRECTORY,
    _GNU_SPARSE: Kind.SPARSE,
}
_WITHOUT_BODY = frozenset(b"123456")


class Entry(NamedTuple):
    """An entry: its name as it is written, what it is, a link's target, and the bytes of its body in the archive."""

    name: str
    kind: Kind
    target: str
    size: int


def entries(pieces: Iterator[bytes]) -> Iterator[tuple[Entry, Iterable[bytes]]]:
    """The entries of the archive in `pieces`, each with its body, which can be read until the next one is asked for.

    All of `pieces` has been read after the last entry. Raises ImageError where they are no archive, or a damaged one.
    """
    stream = _Stream(pieces)
    extensions: dict[str, bytes] = {}
    while (header := stream.block()).strip(b"\0"):
        _check(header, at_start=stream.position == BLOCK)
        kind, size = header[156:157], _number(header[124:136])
        if kind in (_PAX, _GNU_LONG_NAME, _GNU_LONG_LINK):
            extensions |= _extension(kind, stream.whole(size))
        elif kind in (_PAX_GLOBAL, _GNU_VOLUME):
            # What a global header could say of every file (a name, a size) has no sense; others ignore it likewise.
            stream.skip(size)
        else:
            entry = _entry(header, extensions)
            extensions = {}
            extended = kind == _GNU_SPARSE and header[482]
            while extended:
                extended = stream.exactly(BLOCK)[504]
            body = _Body(stream, entry.size)
            yield entry, body
            body.skip()
    stream.drain()


def begins_archive(block: bytes) -> bool:
    """Whether an archive's first block is this one: zeros (of an empty archive) or a header."""
    if len(block) != BLOCK:
        return False
    return not block.strip(b"\0") or _has_checksum(block)


def _check(header: bytes, *, at_start: bool) -> None:
    if not _has_checksum(header):
        raise ImageError("it is no tar archive" if at_start else "its tar archive is damaged: a header is none")


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


def _entry(header: bytes, extensions: dict[str, bytes]) -> Entry:
    kind = header[156:157]
    name = _text(header[:100])
    if header[257:263] == b"ustar\0" and header[345]:
        name = _text(header[345:500]) + b"/" + name
    name = extensions.get("sparse path") or extensions.get("path") or extensions.get("gnu path") or name
    target = extensions.get("linkpath") or extensions.get("gnu linkpath") or _text(header[157:257])
    if max(len(name), len(target)) > LONGEST_NAME:
        raise ImageError(f"a name in its tar archive is longer than {LONGEST_NAME} bytes: {name[:80]!r}…")
    if kind[0] in _WITHOUT_BODY:
        size = 0
    elif text := extensions.get("size"):
        size = _decimal(text)
    else:
        size = _number(header[124:136])
    found = _KINDS.get(kind, Kind.OTHER)
    if found is Kind.FILE and kind == b"\0" and name.endswith(b"/"):
        found = Kind.DIRECTORY
    elif found is Kind.FILE and ("sparse" in extensions or "sparse path" in extensions):
        found = Kind.SPARSE
    return Entry(_decoded(name), found, _decoded(target), size)


def _extension(kind: bytes, body: bytes) -> dict[str, bytes]:
    if kind == _GNU_LONG_NAME:
        return {"gnu path": _text(body)}
    if kind == _GNU_LONG_LINK:
        return {"gnu linkpath": _text(body)}
    records = {}
    start = 0
    while start < len(body):
        # `LENGTH KEY=VALUE\n`, where the length is that of the whole record.
        blank = body.find(b" ", start, start + 20)
        end = start + _decimal(body[start:blank]) if blank > start else 0
        key, equals, value = body[blank + 1 : end - 1].partition(b"=")
        if not blank < end - 1 < len(body) or body[end - 1 : end] != b"\n" or not equals:
            raise ImageError("its tar archive is damaged: an extended header is none")
        if key in _KEYS:
            if b"\0" in value:
                raise ImageError(f"a name in its tar archive has a zero byte: {value[:80]!r}")
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
        raise ImageError(f"its tar archive is damaged: {text[:20]!r} is no number")
    return int(text)


def _number(field: bytes) -> int:
    """A header's number: octal digits, or big-endian bytes after one of 128 (GNU's form for what needs more digits)."""
    if field[0] == 128:
        return int.from_bytes(field[1:], "big")
    text = _text(field).strip(b" ")
    if text.strip(b"01234567"):
        raise ImageError(f"its tar archive is damaged: {field!r} is no number")
    return int(text or b"0", 8)


class _Body:
    """An entry's body: what is left of it is skipped when the next entry is wanted."""

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
    """Pieces, as a file that is read once."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._piece = b""
        self._used = 0
        self.position = 0

    def block(self) -> bytes:
        """The next header; empty at the end of the pieces, where archives may end without the zeros that mark it."""
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
        if size > _LARGEST_EXTENSION:
            raise ImageError(f"an extended header in its tar archive has {size} bytes, more than {_LARGEST_EXTENSION}")
        body = b"".join(_Body(self, size))
        self.skip(-size % BLOCK)
        return body

    def some(self, size: int) -> bytes:
        """At least one byte, at most `size`."""
        if self._used == len(self._piece) and not self._next():
            raise ImageError("its tar archive is cut short")
        start, self._used = self._used, min(self._used + size, len(self._piece))
        self.position += self._used - start
        return self._piece[start : self._used]

    def skip(self, size: int) -> None:
        while size > 0:
            if self._used == len(self._piece) and not self._next():
                raise ImageError("its tar archive is cut short")
            step = min(size, len(self._piece) - self._used)
            self._used += step
            self.position += step
            size -= step

    def drain(self) -> None:
        while self._next():
            pass

    def _next(self) -> bool:
        """Go on to the next piece that is not empty, if there is one."""
        self._piece, self._used = next(self._pieces, b""), 0
        return bool(self._piece)
