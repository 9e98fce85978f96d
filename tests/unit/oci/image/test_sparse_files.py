"""Sparse files in layers, in the formats of GNU tar, are files like others; forged maps are refused."""

import random
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_matchbox.oci.descriptors import Descriptor
from lambda_matchbox.oci.errors import ImageError
from lambda_matchbox.oci.image.layer_archive import open_layer
from lambda_matchbox.oci.image.sparse_files import MAX_FRAGMENTS
from lambda_matchbox.oci.image.tar_stream import EntryType
from tests.support.images import layers as made
from tests.support.images.layers import Layer, plain
from tests.support.images.manifests import digest_of
from tests.support.images.sparse import FORMS, extended, sparse_entry
from tests.unit.oci.image.image_extraction import Extractor
from tests.unit.oci.image.layer_reading import Drip, opener, read

AFTER = made.tar([made.Entry("after", b"next")])
FILE = EntryType.FILE


@st.composite
def layouts(draw: st.DrawFn) -> tuple[list[int], bytes, bytes]:
    """A map, its data, and the dense file."""
    runs = draw(st.lists(st.tuples(st.integers(0, 3000), st.binary(max_size=1500)), max_size=60))
    numbers: list[int] = []
    dense = b""
    for hole, data in runs:
        dense += bytes(hole)
        numbers += [len(dense), len(data)]
        dense += data
    return numbers, b"".join(data for _, data in runs), dense + bytes(draw(st.integers(0, 300_000)))


@given(st.sampled_from(FORMS), layouts())
def test_sparse_file_is_the_dense_file(form: str, layout: tuple[list[int], bytes, bytes]) -> None:
    numbers, data, dense = layout
    body = sparse_entry(form, "dir/holes", len(dense), numbers, data) + AFTER
    assert [("dir/holes", FILE, dense), ("after", FILE, b"next")] == read(body)


@pytest.mark.parametrize("form", FORMS)
def test_size_is_that_with_holes(form: str) -> None:
    """Also beyond 8 GiB, where the file is not read."""
    body = sparse_entry(form, "holes", 1 << 40, [5, 3, 1 << 40, 0], b"abc") + AFTER
    layer = Descriptor(made.OCI, digest_of(body), len(body))
    with open_layer(layer, opener(Drip(body, 1000)), 1 << 20) as entries:
        assert [("holes", 1 << 40), ("after", 4)] == [(entry.name, entry.size) for entry, _ in entries]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("numbers", "data", "reason"),
    [
        ([-1, 3], b"abc", "invalid number"),
        ([0, -3], b"abc", "invalid number"),
        ([0, "x"], b"abc", "invalid number"),
        ([0, 3, 2, 3], b"abcdef", "'holes' is invalid: it overlaps"),
        ([10, 3, 0, 3], b"abcdef", "'holes' is invalid: it overlaps"),
        ([98, 3], b"abc", "'holes' is invalid: it ends at 101 of 100 bytes"),
        ([1 << 62, 1 << 62], b"abc", "'holes' is invalid: it ends at"),
        ([0, 4], b"abc", "'holes' is invalid: it has 4 bytes of data, the archive 3"),
        ([0, 2], b"abc", "'holes' is invalid: it has 2 bytes of data, the archive 3"),
        ([], b"abc", "'holes' is invalid: it has 0 bytes of data, the archive 3"),
    ],
)
def test_forged_map_is_refused(form: str, numbers: list[object], data: bytes, reason: str) -> None:
    with pytest.raises(ImageError, match=reason):
        read(sparse_entry(form, "holes", 100, numbers, data) + AFTER)


@pytest.mark.parametrize("form", FORMS)
def test_number_of_runs_is_limited(form: str) -> None:
    body = sparse_entry(form, "holes", 1 << 30, [0, 0] * (MAX_FRAGMENTS + 1), b"")
    # An extended header is limited by its bytes, too.
    with pytest.raises(
        ImageError, match=f"more than {MAX_FRAGMENTS} runs of data|an extended header in the tar archive"
    ):
        read(body)


@pytest.mark.parametrize("form", ["1.0", "gnu"])
def test_as_many_runs_as_allowed_are_read(form: str) -> None:
    numbers = [number for offset in range(MAX_FRAGMENTS) for number in (2 * offset, 1)]
    body = sparse_entry(form, "holes", 2 * MAX_FRAGMENTS, numbers, b"x" * MAX_FRAGMENTS)
    assert [("holes", FILE, b"x\0" * MAX_FRAGMENTS)] == read(body)


@pytest.mark.parametrize(
    ("records", "body", "reason"),
    [
        ({"major": 2, "minor": 0}, b"", "the format b'2.0'; known are 0.0, 0.1 and 1.0"),
        ({"major": 1, "minor": 0}, b"", "invalid number"),
        ({"major": 1, "minor": 0, "realsize": 9}, b"1000000\n".ljust(512, b"\0"), "more than 100000 runs of data"),
        ({"major": 1, "minor": 0, "realsize": 9}, b"1\n0\n", "has no end"),
        ({"major": 1, "minor": 0, "realsize": 9}, b"1\n0\n".ljust(512, b"\0"), "has no end"),
        ({"major": 1, "minor": 0, "realsize": 9}, b"9" * 1024, "has no end"),
        ({"major": 1, "minor": 0, "realsize": 9}, b"1\n" + b"\n" * 510, "invalid number"),
        ({"major": 1, "minor": 0, "realsize": "9e9"}, b"0\n".ljust(512, b"\0"), "invalid number"),
        ({"size": 9, "numblocks": 2, "map": "0,1"}, b"a", "another length than its header says"),
        ({"size": 9, "numblocks": 1, "map": "0,1,2"}, b"a", "another length than its header says"),
        ({"size": 9, "map": "0,1"}, b"a", "invalid number"),
        ({"numblocks": 1, "map": "0,1"}, b"a", "invalid number"),
    ],
)
def test_damaged_description_is_refused(records: dict[str, object], body: bytes, reason: str) -> None:
    header = extended((f"GNU.sparse.{key}", value) for key, value in records.items())
    with pytest.raises(ImageError, match=reason):
        read(header + made.tar([made.Entry("x", body)]))


@given(st.sampled_from(FORMS), st.integers(0, 10_000), st.binary(min_size=1, max_size=8))
def test_damage_is_an_image_error(form: str, at: int, damage: bytes) -> None:
    whole = sparse_entry(form, "holes", 5000, [number for n in range(60) for number in (n * 50, 7)], b"abcdefg" * 60)
    at %= len(whole)
    try:
        read(whole[:at] + damage + whole[at + len(damage) :], limit=1 << 20)
    except ImageError:
        return


def test_holes_that_are_read_count_for_the_layer() -> None:
    body = b"".join(sparse_entry("1.0", "holes", 400_000, [], b"") for _ in range(3))
    with pytest.raises(ImageError, match="more than 1048576 bytes when decompressed"):
        read(body, limit=1 << 20)


def test_holes_need_no_memory() -> None:
    body = sparse_entry("1.0", "holes", 1 << 27, [1 << 26, 3], b"abc")
    layer = Descriptor(made.OCI, digest_of(body), len(body))
    tracemalloc.start()
    try:
        with open_layer(layer, opener(Drip(body, 1 << 20))) as entries:
            assert [1 << 27] == [sum(map(len, content)) for _, content in entries]
        assert tracemalloc.get_traced_memory()[1] < 1 << 22
    finally:
        tracemalloc.stop()


class TestExtraction:
    @pytest.fixture
    def extractor(self, tmp_path: Path) -> Extractor:
        return Extractor(tmp_path)

    @pytest.mark.parametrize("form", FORMS)
    def test_sparse_file_is_extracted(self, extractor: Extractor, form: str) -> None:
        data = random.Random(1).randbytes(700)
        layer = Layer(sparse_entry(form, "boot/vmlinuz", 9000, [4096, 700, 9000, 0], data) + AFTER, made.OCI)
        assert bytes(4096) + data + bytes(9000 - 4796) == extractor.body([plain(), layer], "boot/vmlinuz")
        link = plain(made.symlink("f", "boot/vmlinuz"))
        assert 9000 == extractor.one([layer, link], "f").size

    @pytest.mark.parametrize("form", FORMS)
    def test_size_of_a_file_counts_its_holes(self, extractor: Extractor, form: str) -> None:
        layer = Layer(sparse_entry(form, "f", 6 << 30, [], b"") + AFTER, made.OCI)
        with pytest.raises(ImageError, match=r"'f' has 6442450944 bytes; the limit is 5368709120"):
            extractor.one([layer], "f")
        assert b"next" == extractor.body([layer], "after")
