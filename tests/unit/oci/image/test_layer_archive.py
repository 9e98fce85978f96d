"""Entries of layers in any archive format and compression; damaged ones are refused."""

import gzip
import random
import tarfile
import threading
import tracemalloc

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from lambda_matchbox.oci.descriptors import Descriptor
from lambda_matchbox.oci.errors import DigestError, ImageError
from lambda_matchbox.oci.image.layer_archive import open_layer
from lambda_matchbox.oci.image.read_ahead import PIECE, read_ahead
from lambda_matchbox.oci.image.tar_stream import EntryType
from tests.support.images import layers as made
from tests.support.images.manifests import digest_of
from tests.unit.oci.image.layer_reading import Drip, opener, read

NOISE = random.Random(1).randbytes(300_000)
TWO = made.tar([made.Entry("a", b"first"), made.Entry("dir/b", NOISE)])
BOTH = [("a", EntryType.FILE, b"first"), ("dir/b", EntryType.FILE, NOISE)]


@pytest.mark.parametrize(
    "body",
    [
        TWO,
        gzip.compress(TWO),
        gzip.compress(TWO[:1000]) + gzip.compress(b"") + gzip.compress(TWO[1000:]) + bytes(20),
        zstandard.compress(TWO),
        zstandard.compress(TWO[:1000]) + zstandard.compress(b"") + zstandard.compress(TWO[1000:]),
        b"\x50\x2a\x4d\x18\x03\0\0\0abc" + zstandard.compress(TWO),
        zstandard.ZstdCompressor(write_content_size=False, write_checksum=True).compress(TWO),
        TWO.rstrip(b"\0") + bytes(-len(TWO.rstrip(b"\0")) % 512),
        made.tar([made.Entry("a", b"first"), made.Entry("dir/b", NOISE)], tarfile.GNU_FORMAT),
        made.tar([made.Entry("a", b"first"), made.Entry("dir/b", NOISE)], tarfile.USTAR_FORMAT),
    ],
)
@pytest.mark.parametrize(
    "media_type",
    [made.OCI, f"{made.OCI}+gzip", f"{made.OCI}+zstd", made.DOCKER, made.FLUX, "application/octet-stream"],
)
def test_compression_is_recognized_by_content(body: bytes, media_type: str) -> None:
    assert BOTH == read(body, media_type)


def test_entry_has_name_type_and_target() -> None:
    pipe = made.Entry("pipe", type=tarfile.FIFOTYPE)
    body = made.tar([made.directory("./d"), made.symlink("/s", "../t"), made.hard_link("h", "d//x"), pipe])
    layer = Descriptor(made.OCI, digest_of(body), len(body))
    with open_layer(layer, opener(Drip(body, 512))) as entries:
        found = [(entry.name.rstrip("/"), entry.type, entry.target) for entry, _ in entries]
    expected = [
        ("./d", EntryType.DIRECTORY, ""),
        ("/s", EntryType.SYMLINK, "../t"),
        ("h", EntryType.HARD_LINK, "d//x"),
        ("pipe", EntryType.OTHER, ""),
    ]
    assert expected == found


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_long_names_apply_to_their_entry_only(form: int) -> None:
    long = "/".join(["directory" * 5] * 20) + "/ümlaut"
    body = made.tar([made.Entry(long, b"1"), made.symlink("s", long), made.hard_link(f"{long}2", long)], form)
    body = body.rstrip(b"\0")
    body += bytes(-len(body) % 512) + made.tar([made.Entry("short", b"2")], form)
    layer = Descriptor(made.OCI, digest_of(body), len(body))
    with open_layer(layer, opener(Drip(body, 1000))) as entries:
        found = [(entry.name, entry.target) for entry, _ in entries]
    assert [(long, ""), ("s", long), (f"{long}2", long), ("short", "")] == found


NAMES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=300).filter(
    lambda name: not name.endswith("/")
)
ENTRIES = st.one_of(
    st.tuples(NAMES, st.binary(max_size=2000)).map(lambda file: made.Entry(*file)),
    st.builds(made.symlink, NAMES, NAMES),
    st.builds(made.hard_link, NAMES, NAMES),
)


@given(st.lists(ENTRIES, max_size=5), st.sampled_from([tarfile.PAX_FORMAT, tarfile.GNU_FORMAT]), st.integers(1, 3000))
def test_any_archive_of_tarfile_is_read(entries: list[made.Entry], form: int, piece: int) -> None:
    body = made.tar(entries, form)
    layer = Descriptor(made.OCI, digest_of(body), len(body))
    with open_layer(layer, opener(Drip(body, piece))) as found:
        assert [(entry.name, entry.target, entry.body) for entry in entries] == [
            (entry.name, entry.target, b"".join(content)) for entry, content in found
        ]


@pytest.mark.parametrize("title_type", ["application/octet-stream", "application/gzip", "text/plain"])
def test_layer_with_a_title_is_a_file(title_type: str) -> None:
    for body in (b"kernel", gzip.compress(TWO), TWO, b""):
        assert [("boot/vmlinuz", EntryType.FILE, body)] == read(body, title_type, "boot/vmlinuz")


@pytest.mark.parametrize(
    "body", [b"kernel", b"", gzip.compress(NOISE), zstandard.compress(NOISE), gzip.compress(b"x")[:-3], b"\x1f\x8b" * 9]
)
def test_titled_file_with_an_archive_type_is_a_file(body: bytes) -> None:
    """ORAS gives plain files an archive's type."""
    assert [("vmlinuz", EntryType.FILE, body)] == read(body, made.OCI, "vmlinuz")


def test_titled_archive_is_unpacked() -> None:
    assert BOTH == read(gzip.compress(TWO), f"{made.OCI}+gzip", "boot")
    assert BOTH == read(gzip.compress(TWO), "application/x-any", "boot", unpack=True)


@pytest.mark.parametrize("body", [bytes(1024), gzip.compress(bytes(1024)), gzip.compress(bytes(10240)), b""])
def test_empty_archive_has_no_entries(body: bytes) -> None:
    assert [] == read(body)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"kernel", "truncated"),
        (b"k" * 1000, "not a tar archive"),
        (gzip.compress(b"k" * 1000), "not a tar archive"),
        (TWO[:700], "truncated"),
        (TWO[:1100], "truncated"),
        (TWO[:200_000], "truncated"),
        (gzip.compress(TWO)[:-4], "truncated"),
        (gzip.compress(TWO)[:100_000], "truncated"),
        (gzip.compress(TWO) + b"rest", "damaged"),
        (gzip.compress(TWO)[:500] + b"x" * 100 + gzip.compress(TWO)[600:], "damaged"),
        (zstandard.compress(TWO)[:-1], "truncated"),
        (zstandard.compress(TWO)[:100_000], "truncated"),
        (zstandard.compress(TWO)[:500] + b"x" * 100 + zstandard.compress(TWO)[600:], "damaged|not a tar archive"),
        (TWO[:1024] + b"\1" * 512 + TWO[1024:], "damaged tar archive: invalid header"),
        (TWO[:1024] + b"\1" * 100, "truncated"),
    ],
)
def test_damaged_layer_is_an_error_with_its_digest(body: bytes, reason: str) -> None:
    with pytest.raises(ImageError, match=reason) as error:
        read(body)
    assert digest_of(body) in str(error.value)


def test_truncated_layer_is_an_error() -> None:
    whole = made.tar([made.Entry("a", NOISE[:600])])
    for body in (gzip.compress(whole), zstandard.compress(whole), zstandard.compress(b"") + zstandard.compress(whole)):
        for end in (*range(10, 40), *range(40, len(body) - 20, 7), *range(len(body) - 20, len(body) - 1)):
            with pytest.raises(ImageError):
                read(body[:end])


def _header(name: str, size: int, type: bytes, count: int = 1) -> bytes:  # noqa: A002
    info = tarfile.TarInfo(name)
    info.size, info.type = size, type
    return info.tobuf(tarfile.GNU_FORMAT) * count


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (_header("x", 1 << 33, tarfile.XHDTYPE), "an extended header in the tar archive has 8589934592 bytes"),
        (_header("x", 1 << 40, tarfile.GNUTYPE_LONGNAME), "an extended header"),
        (_header("x", 5000, tarfile.GNUTYPE_LONGNAME) + b"n" * 5120 + _header("y", 0, tarfile.REGTYPE), "longer than"),
        (_header("x", 3, tarfile.XHDTYPE) + b"abc".ljust(512, b"\0"), "invalid extended header"),
        (
            _header("x", 12, tarfile.XHDTYPE) + b"12 size=-10\n".ljust(512, b"\0") + _header("y", 0, b"0"),
            "invalid number",
        ),
        (_header("x", 10, tarfile.XHDTYPE) + b"99 path=a\n".ljust(512, b"\0"), "invalid extended header"),
        (_header("x", 10, tarfile.XHDTYPE) + b"10 path=a\0".ljust(512, b"\0"), "invalid extended header"),
        (_header("x", 11, tarfile.XHDTYPE) + b"11 path=\0a\n".ljust(512, b"\0"), "zero byte"),
        (_header("x", 1 << 60, b"0") + NOISE, "truncated"),
        (_header("x", 10, tarfile.GNUTYPE_LONGNAME, count=1)[:-1], "truncated"),
    ],
)
def test_hostile_header_is_an_error(body: bytes, reason: str) -> None:
    with pytest.raises(ImageError, match=reason):
        read(body)


def test_last_extended_header_counts() -> None:
    long = b"".join(_header("x", 512, tarfile.GNUTYPE_LONGNAME) + (b"n%d" % n).ljust(512, b"\0") for n in range(10_000))
    assert [("n9999", EntryType.FILE, b"")] == read(long + _header("y", 0, tarfile.REGTYPE))


def test_large_size_is_read() -> None:
    """As GNU writes it from 8 GiB on, and in an extended header."""
    binary = bytearray(_header("a", 3, tarfile.REGTYPE))
    binary[124:136] = b"\x80" + (3).to_bytes(11, "big")
    binary[148:156] = b" " * 8
    binary[148:156] = b"%06o\0 " % sum(binary)
    pax = _header("x", 9, tarfile.XHDTYPE) + b"9 size=3\n".ljust(512, b"\0") + _header("b", 0, tarfile.REGTYPE)
    body = bytes(binary) + b"abc".ljust(512, b"\0") + pax + b"def".ljust(512, b"\0")
    assert [("a", EntryType.FILE, b"abc"), ("b", EntryType.FILE, b"def")] == read(body)


def test_size_of_a_layer_is_limited() -> None:
    bomb = gzip.compress(_header("zeros", 1 << 25, tarfile.REGTYPE) + bytes(1 << 25))
    with pytest.raises(ImageError, match="more than 1048576 bytes when decompressed"):
        read(bomb, limit=1 << 20)


@pytest.mark.parametrize("compress", [gzip.compress, zstandard.compress])
def test_skipped_file_needs_no_memory(compress: object) -> None:
    assert callable(compress)
    bomb = compress(_header("zeros", 1 << 26, tarfile.REGTYPE) + bytes(1 << 26) + made.tar([made.Entry("a", b"1")]))
    layer = Descriptor(made.OCI, digest_of(bomb), len(bomb))
    tracemalloc.start()
    try:
        with open_layer(layer, opener(Drip(bomb, 1 << 20))) as entries:
            assert ["zeros", "a"] == [entry.name for entry, _ in entries]
        assert tracemalloc.get_traced_memory()[1] < 1 << 24
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("kind", ["foreign.diff.tar.gzip", "foreign.diff.tar"])
def test_undistributed_layer_is_not_requested(kind: str) -> None:
    layer = Descriptor(f"application/vnd.docker.image.rootfs.{kind}", digest_of(b""), 0)
    with pytest.raises(ImageError, match="do not distribute"), open_layer(layer, opener(Drip(b"", 1))):
        pass


def test_error_of_the_blob_ends_the_thread() -> None:
    before = set(threading.enumerate())
    error = DigestError("these are not the bytes")
    layer = Descriptor(made.OCI, digest_of(TWO), len(TWO))
    with pytest.raises(DigestError) as raised, open_layer(layer, opener(Drip(TWO, 1000, error))) as entries:
        list(entries)
    assert error is raised.value
    assert set(threading.enumerate()) <= before


def test_early_end_ends_the_thread() -> None:
    before = set(threading.enumerate())
    layer = Descriptor(made.OCI, digest_of(TWO), len(TWO))
    with open_layer(layer, opener(Drip(TWO * 20, 1000))) as entries:
        next(entries)
    assert set(threading.enumerate()) <= before


def test_read_ahead_is_bounded() -> None:

    class Endless:
        pieces = 0

        def read(self, size: int) -> bytes:
            self.pieces += 1
            return bytes(size)

    blob = Endless()
    with read_ahead(blob) as pieces:
        assert bytes(PIECE) == next(pieces)
    assert blob.pieces <= 6
