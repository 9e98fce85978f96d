"""Records of releases."""

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


def test_document_is_json() -> None:
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
def test_record_survives_a_round_trip(record: ReleaseRecord) -> None:
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
def test_invalid_document_is_no_record(text: bytes) -> None:
    assert record_in(text) is None


def test_variables_are_version_and_digests() -> None:
    assert {
        "TALOS_VERSION": "v1.9.0",
        "KERNEL_DIGEST": f"sha256:{'a' * 64}",
        "INITRAMFS_DIGEST": f"sha256:{'b' * 64}",
    } == variables(RECORD)


def test_kernel_of_a_unified_image_counts() -> None:
    files = {
        "boot/vmlinuz.efi": RecordedFile(9, "d" * 64, "x"),
        "boot/cmdline": RecordedFile(1, "e" * 64, "x"),
        "boot/vmlinuz": FILES["vmlinuz"],
        "boot/initramfs.xz": FILES["initramfs.xz"],
    }
    found = variables(RECORD._replace(files=files, version=""))
    assert {"KERNEL_DIGEST": f"sha256:{'a' * 64}", "INITRAMFS_DIGEST": f"sha256:{'b' * 64}"} == found


def test_missing_files_have_no_variables() -> None:
    assert {} == variables(RECORD._replace(files={"rootfs": FILES["vmlinuz"]}, version=""))
