"""Unified kernel images in memory."""

import struct
from collections.abc import Sequence
from typing import NamedTuple

ALIGNMENT = 512
PE_HEADER = 0x80
OPTIONAL_HEADER_SIZE = 240
SECTIONS = PE_HEADER + 24 + OPTIONAL_HEADER_SIZE
"""Where the table of sections begins."""

SECTION_SIZE = 40


class Section(NamedTuple):
    """A section; its raw data is padded. `virtual_size` is the body's, unless it is given."""

    name: str
    body: bytes
    virtual_size: int | None = None


def uki(sections: Sequence[Section]) -> bytes:
    """A PE file of these sections, in their order."""
    start = _aligned(SECTIONS + SECTION_SIZE * len(sections))
    table, bodies = b"", b""
    for section in sections:
        raw = section.body.ljust(_aligned(len(section.body)), b"\xcc")
        size = len(section.body) if section.virtual_size is None else section.virtual_size
        where = start + len(bodies) if raw else 0
        table += struct.pack("<8sIIII16x", section.name.encode(), size, 0x1000, len(raw), where)
        bodies += raw
    dos = b"MZ".ljust(0x3C, b"\0") + struct.pack("<I", PE_HEADER)
    header = struct.pack("<4sHHIIIHH", b"PE\0\0", 0xAA64, len(sections), 0, 0, 0, OPTIONAL_HEADER_SIZE, 0x22)
    return (dos.ljust(PE_HEADER, b"\0") + header + bytes(OPTIONAL_HEADER_SIZE) + table).ljust(start, b"\0") + bodies


def _aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT
