"""Kernel, initramfs and command line of a unified kernel image (UKI specification; "PE Format" of Microsoft).

A section is as long as its VirtualSize says: what its raw data has beyond that is padding, and what it lacks is zeros,
as the firmware loads it and systemd-stub hands it on. (The kernel's section can be larger than the kernel's file: then
the kernel finds its uninitialised data behind itself.)
"""

import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, NamedTuple

from lambda_matchbox.oci.errors import ImageError
from lambda_matchbox.oci.image.spooling import TakenFile, spool

PARTS = {".linux": "vmlinuz", ".initrd": "initramfs.xz", ".cmdline": "cmdline"}
"""Which section is which file. The first one of each name counts: later ones belong to other profiles of the image."""

MOST_SECTIONS = 96
"""Sections that Windows and systemd-stub take."""

MOST_ZEROS = 256 << 20
"""Bytes that a section may have beyond its raw data."""

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


def take_apart(image: TakenFile, directory: Path) -> Mapping[str, TakenFile]:
    """The files in a UKI by their names: `vmlinuz`, and `initramfs.xz` and `cmdline` where it has them.

    They are written to `directory`, under those names. Raises ImageError for what is no UKI, or a damaged one.
    """
    with image.file.open("rb") as file:
        try:
            sections = _sections(file, image.file.stat().st_size)
            if ".linux" not in sections:
                raise ImageError("it has no section `.linux`, so it is no unified kernel image")
        except ImageError as error:
            raise ImageError(f"{image.path!r} cannot be taken apart: {error}") from error
        return {PARTS[name]: _take(image, file, section, directory) for name, section in sections.items()}


def _take(image: TakenFile, file: BinaryIO, section: _Section, directory: Path) -> TakenFile:
    spooled = spool(_content(file, section), directory / PARTS[section.name])
    return TakenFile(spooled.file, f"{image.path}#{section.name}", spooled.size, spooled.sha256)


def _content(file: BinaryIO, section: _Section) -> Iterator[bytes]:
    file.seek(section.start)
    for left in range(section.end - section.start, 0, -_PIECE):
        yield _exactly(file, min(left, _PIECE))
    for left in range(section.size - (section.end - section.start), 0, -_PIECE):
        yield bytes(min(left, _PIECE))


def _sections(file: BinaryIO, size: int) -> dict[str, _Section]:
    """The first section of each name that is a part."""
    dos, start = _DOS_HEADER.unpack(_exactly(file, _DOS_HEADER.size))
    if dos != b"MZ":
        raise ImageError("it is no PE file: it does not begin with `MZ`")
    file.seek(start)
    signature, _, count, _, _, _, optional_size, _ = _PE_HEADER.unpack(_exactly(file, _PE_HEADER.size))
    if signature != b"PE\0\0":
        raise ImageError(f"it is no PE file: there is no PE header at {start}")
    if count > MOST_SECTIONS:
        raise ImageError(f"it is damaged: it has {count} sections, more than {MOST_SECTIONS}")
    file.seek(optional_size, 1)
    parts: dict[str, _Section] = {}
    for _ in range(count):
        written, virtual_size, _, raw_size, raw_start = _SECTION.unpack(_exactly(file, _SECTION.size))
        section = _Section(written.rstrip(b"\0").decode("ascii", "replace"), virtual_size, raw_start, raw_size)
        if section.end > max(size, section.start):
            raise ImageError(f"it is cut short: `{section.name}` ends at {section.end}, the file at {size}")
        if section.name in PARTS:
            parts.setdefault(section.name, section)
    _check(parts, file.tell())
    return parts


def _check(parts: Mapping[str, _Section], headers_end: int) -> None:
    before = headers_end
    for section in sorted(parts.values(), key=lambda part: part.start):
        if not section.size and section.name != ".cmdline":
            raise ImageError(f"it is damaged: its section `{section.name}` is empty")
        if section.size - (section.end - section.start) > MOST_ZEROS:
            raise ImageError(
                f"it is damaged: `{section.name}` has {section.size} bytes, but {section.raw_size} in the file"
            )
        if section.end > section.start:
            if section.start < before:
                raise ImageError(f"it is damaged: its section `{section.name}` overlaps what is before it")
            before = section.end


def _exactly(file: BinaryIO, size: int) -> bytes:
    data = file.read(size)
    if len(data) < size:
        raise ImageError(f"it is cut short: it ends at {file.tell()}")
    return data
