"""Checksum files agree with the files of an image, or are refused."""

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lambda_matchbox.oci.errors import ImageError
from lambda_matchbox.oci.image import checksums

PATH = "output/talos/arm64/vmlinuz"
OWN = f"{PATH}.sha256"
LIST = "output/talos/arm64/SHA256SUMS"
GOOD = "a" * 64
BAD = "b" * 64


def test_companions_are_in_the_directory_of_the_file() -> None:
    assert [OWN, "output/talos/arm64/checksums.sha256", LIST] == checksums.companions(PATH)
    assert ["vmlinuz.sha256", "checksums.sha256", "SHA256SUMS"] == checksums.companions("vmlinuz")


AGREEING = [
    (OWN, f"{GOOD}  vmlinuz\n"),
    (OWN, f"{GOOD} *vmlinuz\n"),
    (OWN, f"{GOOD.upper()}  vmlinuz\r\n"),
    (OWN, f"{GOOD}  ./vmlinuz"),
    (OWN, f"{GOOD}  /build/_out/vmlinuz\n"),
    (OWN, f"SHA256 (vmlinuz) = {GOOD}\n"),
    (OWN, GOOD),
    (OWN, f"{GOOD}\n"),
    (OWN, f"{BAD}  kernel\n"),
    (LIST, f"{BAD}  initramfs.xz\n{GOOD}  vmlinuz\n"),
    (LIST, f"# made by hand\n\n{GOOD}  vmlinuz\n"),
    (LIST, f"{GOOD}  vmlinuz\n{BAD}  old/vmlinuz\n"),
    (LIST, f"{BAD}  talos/amd64/vmlinuz\n{GOOD}  talos/arm64/vmlinuz\n"),
    (LIST, f"\\{BAD}  a\\\\vmlinuz\n"),
    (LIST, f"{BAD}  vmlinuz.efi\n"),
]


@pytest.mark.parametrize(("where", "text"), AGREEING)
def test_matching_or_unrelated_checksums_agree(where: str, text: str) -> None:
    checksums.check(PATH, GOOD, where, text.encode())


@pytest.mark.parametrize(
    ("where", "text"),
    [
        (OWN, f"{BAD}  vmlinuz\n"),
        (OWN, f"{BAD} *vmlinuz\n"),
        (OWN, BAD),
        (OWN, f"SHA256 (vmlinuz) = {BAD}\n"),
        (OWN, f"{BAD}  _out/arm64/vmlinuz\n"),
        (LIST, f"{GOOD}  initramfs.xz\n{BAD}  vmlinuz\n"),
        (LIST, f"{GOOD}  vmlinuz\n{BAD}  vmlinuz\n"),
        (LIST, f"{BAD}  talos/arm64/vmlinuz\n{GOOD}  talos/amd64/vmlinuz\n"),
    ],
)
def test_different_checksum_is_an_error(where: str, text: str) -> None:
    with pytest.raises(ImageError) as error:
        checksums.check(PATH, GOOD, where, text.encode())
    assert all(part in str(error.value) for part in (GOOD, BAD, PATH, where))


@pytest.mark.parametrize(
    ("where", "text"), [(OWN, ""), (LIST, "\n"), (OWN, "<html>"), (LIST, GOOD), (OWN, f"{GOOD[:-1]}  vmlinuz")]
)
def test_file_without_checksums_is_an_error(where: str, text: str) -> None:
    with pytest.raises(ImageError, match="has no SHA-256 checksum"):
        checksums.check(PATH, GOOD, where, text.encode())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{GOOD}  vmlinuz\n", True),
        (f"{GOOD} *vmlinuz", True),
        (f"SHA256 (vmlinuz) = {GOOD}\n", True),
        (f"{GOOD}  ./vmlinuz\n", False),
        (f"{GOOD}  arm64/vmlinuz\n", False),
        (f"{GOOD}  vmlinuz\n{GOOD}  initramfs.xz\n", False),
        (f"# made by hand\n{GOOD}  vmlinuz\n", False),
        (f"{GOOD}\n", False),
        ("", False),
    ],
)
def test_file_names_only_the_base_name(text: str, expected: bool) -> None:
    assert expected == checksums.names_only(PATH, text.encode())


NAMES = st.text(st.characters(exclude_characters="/\0\r", exclude_categories=["Cs"]), min_size=1, max_size=20).filter(
    lambda name: name not in (".", "..") and len(name.encode()) < 200
)


@pytest.mark.system
@pytest.mark.skipif(not shutil.which("sha256sum"), reason="needs sha256sum")
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(NAMES)
def test_output_of_sha256sum_is_parsed_for_any_name(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"body")
    written = subprocess.run(["sha256sum", "--", name], cwd=tmp_path, capture_output=True, check=True).stdout
    (tmp_path / name).unlink()
    assert checksums.names_only(name, written)
    checksums.check(name, hashlib.sha256(b"body").hexdigest(), f"{name}.sha256", written)
    with pytest.raises(ImageError, match="says"):
        checksums.check(name, GOOD, f"{name}.sha256", written)
