"""Sparse files in tar archives: their holes, which are runs of zeros, are left out of the archive.

It reads the formats of `tar --sparse`: 0.0, 0.1 and 1.0 in extended headers, and that of GNU's own headers (manual of
GNU tar, "Storing Sparse Files").
"""

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import NamedTuple

from lambda_matchbox.oci.errors import ImageError
from lambda_matchbox.oci.image.archive_stream import BLOCK, ArchiveStream, Body
from lambda_matchbox.oci.image.tar_numbers import MAX_DIGITS, decimal, number

MAX_FRAGMENTS = 100_000
"""Runs of data of a sparse file."""

PREFIX = b"GNU.sparse."

_ZEROS = bytes(1 << 18)
_MAP = slice(386, 482)
_IS_CONTINUED = 482
_SIZE = slice(483, 495)
_MAP_OF_CONTINUATION = slice(0, 504)
_CONTINUES = 504
_NUMBER = 12


class SparseFile(NamedTuple):
    """The size with holes, and the map: offset and length of each run of data in turn; None if it begins the body."""

    size: int
    map: list[int] | None


def in_extended_header(records: Mapping[bytes, bytes]) -> SparseFile | None:
    """The sparse file that an extended header describes, if any. `records` lack the prefix of their keys.

    `map` has the numbers of all `offset` and `numbytes`, if those are given.
    """
    if not records.keys() - {b"name"}:
        return None
    version = records.get(b"major", b"0"), records.get(b"minor", b"")
    if version == (b"1", b"0"):
        return SparseFile(decimal(records.get(b"realsize", b"")), None)
    if version not in {(b"0", b""), (b"0", b"0"), (b"0", b"1")}:
        raise ImageError(f"a sparse file has the format {b'.'.join(version)[:20]!r}; known are 0.0, 0.1 and 1.0")
    texts = records[b"map"].split(b",", 2 * MAX_FRAGMENTS + 1) if records.get(b"map") else []
    _check_count(len(texts) // 2)
    if 2 * decimal(records.get(b"numblocks", b"")) != len(texts):
        raise ImageError("damaged tar archive: the map of a sparse file has another length than its header says")
    return SparseFile(decimal(records.get(b"size", b"")), [decimal(text) for text in texts])


def in_gnu_header(header: bytes, stream: ArchiveStream) -> SparseFile:
    """The sparse file of a header of GNU's own type, whose continuations are read from `stream`."""
    numbers = _numbers(header[_MAP])
    is_continued = header[_IS_CONTINUED]
    while is_continued:
        block = stream.exactly(BLOCK)
        numbers += _numbers(block[_MAP_OF_CONTINUATION])
        is_continued = block[_CONTINUES]
        _check_count(len(numbers) // 2)
    return SparseFile(number(header[_SIZE]), numbers)


def content(name: str, file: SparseFile, body: Body, count: Callable[[int], None]) -> Iterator[bytes]:
    """The content of the sparse file `name`. `count` is called with the length of each run of zeros before it is made.

    Raises ImageError where the map is invalid.
    """
    numbers = _map_in(body) if file.map is None else file.map
    end = data = 0
    for offset, length in zip(numbers[::2], numbers[1::2], strict=True):
        if offset < end:
            raise _damaged(name, "it overlaps")
        end = offset + length
        data += length
    if end > file.size:
        raise _damaged(name, f"it ends at {end} of {file.size} bytes")
    if data != body.left:
        raise _damaged(name, f"it has {data} bytes of data, the archive {body.left}")
    position = 0
    for offset, length in zip([*numbers[::2], file.size], [*numbers[1::2], 0], strict=True):
        yield from _zeros(offset - position, count)
        yield from body.next(length)
        position = offset + length


def _damaged(name: str, reason: str) -> ImageError:
    return ImageError(f"damaged tar archive: the map of the sparse file {name!r} is invalid: {reason}")


def _zeros(size: int, count: Callable[[int], None]) -> Iterator[bytes]:
    count(size)
    for start in range(0, size, len(_ZEROS)):
        yield _ZEROS[: size - start]


def _check_count(fragments: int) -> None:
    if fragments > MAX_FRAGMENTS:
        raise ImageError(f"a sparse file has more than {MAX_FRAGMENTS} runs of data")


def _numbers(entries: bytes) -> list[int]:
    """The numbers of entries in GNU's headers, which end with an empty one."""
    fields = [entries[start : start + _NUMBER] for start in range(0, len(entries), _NUMBER)]
    end = next((index for index in range(0, len(fields), 2) if not fields[index][0]), len(fields))
    return [number(field) for field in fields[:end]]


def _map_in(body: Body) -> list[int]:
    """The map at the beginning of the body: the number of its entries and the entries, each number on a line."""
    lines = _lines(body)
    fragments = decimal(next(lines))
    _check_count(fragments)
    return [decimal(line) for line in islice(lines, 2 * fragments)]


def _lines(body: Body) -> Iterator[bytes]:
    """The lines of whole blocks."""
    rest = b""
    while body.left >= BLOCK:
        *lines, rest = (rest + b"".join(body.next(BLOCK))).split(b"\n")
        yield from lines
        if len(rest) > MAX_DIGITS:
            break
    raise ImageError("damaged tar archive: the map of a sparse file has no end")
