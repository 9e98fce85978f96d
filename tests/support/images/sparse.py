"""Archives with sparse files: made here in each format, or by GNU tar."""

import subprocess
import tarfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from tests.rigs.install import on_path
from tests.support.images.layers import Entry

FORMS = ("0.0", "0.1", "1.0", "gnu")
"""The formats of the map in an extended header, and that of GNU's own headers."""

_BLOCK = 512
_HOLE = 4096


def sparse_entry(form: str, name: str, size: int, numbers: Sequence[object], data: bytes) -> bytes:
    """The entry of a file of `size` bytes; `numbers` are its map: offset and length of each run of `data` in turn."""
    if form == "gnu":
        return _gnu_entry(name, size, numbers, data)
    count = len(numbers) // 2
    records: list[tuple[str, object]] = [("GNU.sparse.numblocks", count), ("GNU.sparse.size", size)]
    if form == "0.0":
        keys = ["GNU.sparse.offset", "GNU.sparse.numbytes"] * (count + 1)
        records += zip(keys, numbers, strict=False)
    elif form == "0.1":
        records += [("GNU.sparse.name", name), ("GNU.sparse.map", ",".join(map(str, numbers)))]
    else:
        records = [("GNU.sparse.major", 1), ("GNU.sparse.minor", 0), ("GNU.sparse.realsize", size)]
        records.append(("GNU.sparse.name", name))
        data = _padded("".join(f"{number}\n" for number in [count, *numbers]).encode()) + data
    return extended(records) + _header(name if form == "0.0" else "GNUSparseFile.1/x", len(data)) + _padded(data)


def extended(records: Iterable[tuple[str, object]]) -> bytes:
    """An extended header."""
    written = []
    for key, value in records:
        record = f" {key}={value}\n".encode()
        length = len(record)
        while len(str(length)) + len(record) != length:
            length = len(str(length)) + len(record)
        written.append(str(length).encode() + record)
    body = b"".join(written)
    return _header("x", len(body), tarfile.XHDTYPE) + _padded(body)


def write_with_holes(file: Path, body: bytes) -> None:
    """Write `body` without its whole blocks of zeros, which become holes."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("xb") as target:
        for start in range(0, len(body), _HOLE):
            block = body[start : start + _HOLE]
            if block.strip(b"\0"):
                target.seek(start)
                target.write(block)
        target.truncate(len(body))


def gnu_tar(directory: Path, entries: Iterable[Entry], *options: str) -> bytes:
    """The archive that `tar --sparse` makes of the entries in the new `directory`."""
    names = []
    for entry in entries:
        write_with_holes(directory / entry.name, entry.body)
        names.append(entry.name)
    command = [on_path("tar", "tar"), "--sparse", *options, "--create", "--file=-", "--", *names]
    return subprocess.run(command, cwd=directory, capture_output=True, check=True).stdout


def _gnu_entry(name: str, size: int, numbers: Sequence[object], data: bytes) -> bytes:
    header = bytearray(_header(name, len(data), tarfile.GNUTYPE_SPARSE))
    fields = [_field(number) for number in numbers]
    header[386:482] = b"".join(fields[:8]).ljust(96, b"\0")
    rest = [fields[start : start + 42] for start in range(8, len(fields), 42)]
    header[482] = bool(rest)
    header[483:495] = _field(size)
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    blocks = b"".join(
        b"".join(part).ljust(504, b"\0") + bytes([number < len(rest)]) + bytes(7) for number, part in enumerate(rest, 1)
    )
    return bytes(header) + blocks + _padded(data)


def _field(number: object) -> bytes:
    if isinstance(number, int) and number >= 8**11:
        return b"\x80" + number.to_bytes(11, "big")
    return b"%011o\0" % number if isinstance(number, int) and number >= 0 else str(number).encode().ljust(12, b"\0")


def _header(name: str, size: int, type: bytes = tarfile.REGTYPE) -> bytes:  # noqa: A002 (tarfile's word)
    info = tarfile.TarInfo(name)
    info.size, info.type = size, type
    return info.tobuf(tarfile.GNU_FORMAT)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % _BLOCK)
