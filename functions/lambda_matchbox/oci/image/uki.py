"""Kernel, initramfs and command line of a unified kernel image (UKI specification; Microsoft's "PE Format").

A section has the length of its VirtualSize, as the firmware loads it and systemd-stub passes it on: longer raw data is
padding, and shorter raw data is followed by zeros. (The kernel's section can be longer than the kernel's file, for
uninitialised data.)
"""

import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, NamedTuple

from lambda_matchbox.oci.errors import ImageError
from lambda_matchbox.oci.image.spooling import ExtractedFile, spool

PARTS = {".linux": "vmlinuz", ".initrd": "initramfs.xz", ".cmdline": "cmdline"}
"""The files of sections. The first section of each name counts; later ones belong to other profiles of the image."""

MAX_SECTIONS = 96
"""Sections that Windows and systemd-stub support."""

MAX_ZEROS = 256 << 20
"""Bytes of a section beyond its raw data."""

_DOS_HEADER = struct.Struct("<2s58xI")
_PE_HEADER = struct.Struct("<4sHHIIIHH")
_SECTION = struct.Struct("<8sIIII16x")
_PIECE = 1 << 20


class _Section(NamedTuple):
    name: str
    size: int
    start: int
    raw_size: int

    @property
    def end(self) -> int:
        return self.start + min(self.size, self.raw_size)


def extract_parts(image: ExtractedFile, directory: Path) -> Mapping[str, ExtractedFile]:
    """The parts of a UKI by name: `vmlinuz`, and `initramfs.xz` and `cmdline` if it has them.

    They are written to `directory` under those names. Raises ImageError for an invalid UKI.
    """
    with image.file.open("rb") as file:
        try:
            sections = _sections(file, image.file.stat().st_size)
            if ".linux" not in sections:
                raise ImageError("not a unified kernel image: no section `.linux`")
        except ImageError as error:
            raise ImageError(f"cannot split {image.path!r}: {error}") from error
        return {PARTS[name]: _extract(image, file, section, directory) for name, section in sections.items()}


def _extract(image: ExtractedFile, file: BinaryIO, section: _Section, directory: Path) -> ExtractedFile:
    spooled = spool(_content(file, section), directory / PARTS[section.name])
    return ExtractedFile(spooled.file, f"{image.path}#{section.name}", spooled.size, spooled.sha256)


def _content(file: BinaryIO, section: _Section) -> Iterator[bytes]:
    file.seek(section.start)
    for left in range(section.end - section.start, 0, -_PIECE):
        yield _exactly(file, min(left, _PIECE))
    for left in range(section.size - (section.end - section.start), 0, -_PIECE):
        yield bytes(min(left, _PIECE))


def _sections(file: BinaryIO, size: int) -> dict[str, _Section]:
    """The first section of each name in PARTS."""
    dos, start = _DOS_HEADER.unpack(_exactly(file, _DOS_HEADER.size))
    if dos != b"MZ":
        raise ImageError("not a PE file: it does not begin with `MZ`")
    file.seek(start)
    signature, _, count, _, _, _, optional_size, _ = _PE_HEADER.unpack(_exactly(file, _PE_HEADER.size))
    if signature != b"PE\0\0":
        raise ImageError(f"not a PE file: no PE header at {start}")
    if count > MAX_SECTIONS:
        raise ImageError(f"damaged: {count} sections; the limit is {MAX_SECTIONS}")
    file.seek(optional_size, 1)
    parts: dict[str, _Section] = {}
    for _ in range(count):
        written, virtual_size, _, raw_size, raw_start = _SECTION.unpack(_exactly(file, _SECTION.size))
        section = _Section(written.rstrip(b"\0").decode("ascii", "replace"), virtual_size, raw_start, raw_size)
        if section.end > max(size, section.start):
            raise ImageError(f"truncated: `{section.name}` ends at {section.end}, the file at {size}")
        if section.name in PARTS:
            parts.setdefault(section.name, section)
    _check(parts, file.tell())
    return parts


def _check(parts: Mapping[str, _Section], headers_end: int) -> None:
    before = headers_end
    for section in sorted(parts.values(), key=lambda part: part.start):
        if not section.size and section.name != ".cmdline":
            raise ImageError(f"damaged: section `{section.name}` is empty")
        if section.size - (section.end - section.start) > MAX_ZEROS:
            raise ImageError(f"damaged: `{section.name}` has {section.size} bytes, but {section.raw_size} in the file")
        if section.end > section.start:
            if section.start < before:
                raise ImageError(f"damaged: section `{section.name}` overlaps the previous one")
            before = section.end


def _exactly(file: BinaryIO, size: int) -> bytes:
    data = file.read(size)
    if len(data) < size:
        raise ImageError(f"truncated at {file.tell()}")
    return data
