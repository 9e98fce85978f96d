"""A release's record says what it is made of, to people, to Flux and to the next sync."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_matchbox.releases.records import RecordedFile, ReleaseRecord, record_in, variables

FILES = {
    "vmlinuz": RecordedFile(5, "a" * 64, "talos/arm64/vmlinuz"),
    "initramfs.xz": RecordedFile(7, "b" * 64, "talos/arm64/initramfs.xz"),
}
RECORD = ReleaseRecord("talos", "ghcr.io/team/boot:v1", f"sha256:{'c' * 64}", 1_700_000_000, "v1.9.0", FILES)


def test_document() -> None:
    """The record is JSON for anybody: source, image, digest, time, version, and of each file size, hash and path."""
    assert {
        "source": "talos",
        "image": "ghcr.io/team/boot:v1",
        "digest": f"sha256:{'c' * 64}",
        "time": "2023-11-14T22:13:20Z",
        "version": "v1.9.0",
        "files": {
            "vmlinuz": {"size": 5, "sha256": "a" * 64, "path": "talos/arm64/vmlinuz"},
            "initramfs.xz": {"size": 7, "sha256": "b" * 64, "path": "talos/arm64/initramfs.xz"},
        },
    } == json.loads(RECORD.document())
    assert 12 == RECORD.size


@given(
    st.builds(
        ReleaseRecord,
        st.text(),
        st.text(),
        st.text(),
        st.integers(0, 4_000_000_000),
        st.text(),
        st.dictionaries(st.text(), st.builds(RecordedFile, st.integers(0), st.text(), st.text()), max_size=3),
    )
)
def test_round_trip(record: ReleaseRecord) -> None:
    """A record comes back from its document."""
    assert record == record_in(record.document())


SOUND = RECORD.document()


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"\xff",
        b"null",
        b"[]",
        b"{}",
        SOUND.replace(b'"source"', b'"origin"'),
        SOUND.replace(b'"2023-11-14T22:13:20Z"', b'"yesterday"'),
        SOUND.replace(b'"2023-11-14T22:13:20Z"', b"5"),
        SOUND.replace(b'"size": 5', b'"size": "5"'),
        SOUND.replace(b'"size": 5', b'"bytes": 5'),
        SOUND.replace(b'"' + b"a" * 64 + b'"', b"null"),
        SOUND.replace(b'"files": {', b'"files": [], "x": {'),
    ],
)
def test_no_record(text: bytes) -> None:
    """What is not a record is none, also where only a type is wrong."""
    assert record_in(text) is None


def test_variables() -> None:
    """Flux is given the version and the digests of kernel and initramfs."""
    assert {
        "TALOS_VERSION": "v1.9.0",
        "KERNEL_DIGEST": f"sha256:{'a' * 64}",
        "INITRAMFS_DIGEST": f"sha256:{'b' * 64}",
    } == variables(RECORD)


def test_variables_of_a_unified_kernel_image() -> None:
    """The kernel is the one that was taken out of the unified image, wherever the two lie."""
    files = {
        "boot/vmlinuz.efi": RecordedFile(9, "d" * 64, "x"),
        "boot/cmdline": RecordedFile(1, "e" * 64, "x"),
        "boot/vmlinuz": FILES["vmlinuz"],
        "boot/initramfs.xz": FILES["initramfs.xz"],
    }
    found = variables(RECORD._replace(files=files, version=""))
    assert {"KERNEL_DIGEST": f"sha256:{'a' * 64}", "INITRAMFS_DIGEST": f"sha256:{'b' * 64}"} == found


def test_variables_of_other_files() -> None:
    """What an image does not have is no variable."""
    assert {} == variables(RECORD._replace(files={"rootfs": FILES["vmlinuz"]}, version=""))
