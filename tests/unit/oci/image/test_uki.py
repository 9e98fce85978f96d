"""A unified kernel image is split into its parts, or refused."""

import hashlib
import struct
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lambda_matchbox.oci.errors import ImageError
from lambda_matchbox.oci.image.spooling import ExtractedFile
from lambda_matchbox.oci.image.uki import extract_parts
from tests.support.images.uki import PE_HEADER, SECTION_SIZE, SECTIONS, Section, uki

Take = Callable[[bytes], Mapping[str, ExtractedFile]]

PATH = "usr/install/arm64/vmlinuz.efi"
KERNEL = b"MZ kernel" * 200
INITRD = b"\xfd7zXZ initrd" * 100
WHOLE = [
    Section(".sbat", b"sbat,1"),
    Section(".linux", KERNEL),
    Section(".initrd", INITRD),
    Section(".cmdline", b"console=tty0"),
]


@pytest.fixture
def taken(tmp_path: Path) -> Take:
    def take(body: bytes) -> Mapping[str, ExtractedFile]:
        image, parts = tmp_path / "image", tmp_path / "parts"
        image.write_bytes(body)
        parts.mkdir(exist_ok=True)
        for old in parts.iterdir():
            old.unlink()
        return extract_parts(ExtractedFile(image, PATH, len(body), hashlib.sha256(body).hexdigest()), parts)

    return take


def test_parts_have_the_size_of_their_sections(taken: Take) -> None:
    found = {name: (part.file.read_bytes(), part.path) for name, part in taken(uki(WHOLE)).items()}
    expected = {
        "vmlinuz": (KERNEL, f"{PATH}#.linux"),
        "initramfs.xz": (INITRD, f"{PATH}#.initrd"),
        "cmdline": (b"console=tty0", f"{PATH}#.cmdline"),
    }
    assert expected == found


def test_part_has_size_and_digest(taken: Take) -> None:
    part = taken(uki(WHOLE))["vmlinuz"]
    assert (len(KERNEL), hashlib.sha256(KERNEL).hexdigest(), None) == (part.size, part.sha256, part.checksum_file)


def test_first_section_of_a_name_counts(taken: Take) -> None:
    found = taken(uki([*WHOLE, Section(".profile", b"ID=two"), Section(".linux", b"other"), Section(".cmdline", b"x")]))
    assert (KERNEL, b"console=tty0") == (found["vmlinuz"].file.read_bytes(), found["cmdline"].file.read_bytes())


def test_section_is_padded_with_zeros(taken: Take) -> None:
    kernel = KERNEL.ljust(2048, b"x")
    found = taken(uki([Section(".linux", kernel, virtual_size=5000)]))["vmlinuz"]
    assert (kernel + bytes(5000 - 2048), 5000) == (found.file.read_bytes(), found.size)


def test_missing_sections_have_no_files(taken: Take) -> None:
    assert {"vmlinuz"} == taken(uki([Section(".linux", KERNEL)])).keys()


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "truncated"),
        (b"MZ", "truncated"),
        (b"\x7fELF" + bytes(200), "does not begin with `MZ`"),
        (b"MZ".ljust(0x3C, b"\0") + struct.pack("<I", 0xFFFFFFF0) + bytes(100), "truncated"),
        (b"MZ".ljust(400, b"\0"), "no PE header at 0"),
        (uki([]), "no section `.linux`"),
        (uki([Section(".text", b"x"), Section(".initrd", INITRD)]), "no section `.linux`"),
        (uki([Section(".linux", b"")]), "`.linux` is empty"),
        (uki([Section(".linux", KERNEL, virtual_size=0)]), "`.linux` is empty"),
        (uki([Section(".linux", KERNEL), Section(".initrd", b"")]), "`.initrd` is empty"),
        (uki([Section(".linux", KERNEL, virtual_size=0xFFFFFFFF)]), "4294967295 bytes, but 2048 in the file"),
        (uki([Section(f".{number}", b"") for number in range(97)]), "97 sections"),
    ],
)
def test_other_file_is_an_error(taken: Take, body: bytes, reason: str) -> None:
    with pytest.raises(ImageError, match=reason) as error:
        taken(body)
    assert PATH in str(error.value)


def _patched(body: bytes, where: int, value: bytes) -> bytes:
    return body[:where] + value + body[where + len(value) :]


@pytest.mark.parametrize(
    ("where", "value", "reason"),
    [
        (PE_HEADER + 6, b"\xff\xff", "65535 sections"),
        (PE_HEADER + 20, b"\xff\xff", "truncated|no section"),
        (SECTIONS + SECTION_SIZE + 20, struct.pack("<I", 0xFFFFFE00), "`.linux` ends at"),
        (SECTIONS + SECTION_SIZE + 20, struct.pack("<I", 0), "`.linux` overlaps"),
        (SECTIONS + 2 * SECTION_SIZE + 20, struct.pack("<I", 1536), "overlaps"),
        (SECTIONS + 20, struct.pack("<I", 1 << 24), "`.sbat` ends at"),
    ],
)
def test_damaged_headers_are_an_error(taken: Take, where: int, value: bytes, reason: str) -> None:
    with pytest.raises(ImageError, match=reason):
        taken(_patched(uki(WHOLE), where, value))


def test_truncated_image_is_an_error(taken: Take) -> None:
    body = uki(WHOLE).rstrip(b"\xcc")
    for end in [*range(0, 700, 13), *range(700, len(body), 101), len(body) - 1]:
        with pytest.raises(ImageError):
            taken(body[:end])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(st.tuples(st.integers(0, SECTIONS + 4 * SECTION_SIZE), st.integers(0, 255)), max_size=6))
def test_any_damage_is_an_error_or_harmless(taken: Take, damage: list[tuple[int, int]]) -> None:
    body = bytearray(uki(WHOLE))
    for where, value in damage:
        body[where] = value
    try:
        found = taken(bytes(body))
    except ImageError:
        return
    for part in found.values():
        assert part.size == part.file.stat().st_size
