"""Limits of an image, and verification of its digests, sizes and checksums."""

import gzip
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from lambda_matchbox.oci.errors import DigestError, ImageError
from lambda_matchbox.oci.image import tar_stream
from lambda_matchbox.oci.image.image_files import extract_files
from lambda_matchbox.oci.image.layer_index import LayerIndex, MemoryBudget
from lambda_matchbox.oci.image.tar_stream import EntryType
from tests.support.images import layers as made
from tests.support.images.layers import Entry, Layer, directory, gzipped, plain, raw_file, symlink
from tests.support.images.manifests import digest_of
from tests.unit.oci.image.image_extraction import Extractor, sha256

BIG = b"\xa5" * (2 << 20)


@pytest.fixture
def extractor(tmp_path: Path) -> Extractor:
    return Extractor(tmp_path)


class TestBounds:
    """No image makes the memory grow."""

    @pytest.mark.parametrize("make", [gzipped, made.zstandard_compressed, plain])
    def test_large_file_needs_little_memory(self, extractor: Extractor, make: Callable[..., Layer]) -> None:
        layer = make(Entry("f", bytes(1 << 26)))
        tracemalloc.start()
        try:
            assert 1 << 26 == extractor.one([layer], "f").size
            assert tracemalloc.get_traced_memory()[1] < 1 << 24
        finally:
            tracemalloc.stop()

    def test_size_of_a_file_is_limited(self, extractor: Extractor) -> None:
        """Before it is read."""
        size = (5 << 30) + 1
        part = extractor.blobs.add(raw_file("f", b"f"))._replace(size=size)
        with pytest.raises(ImageError, match=f"'f' has {size} bytes; the limit is {5 << 30}"):
            extract_files([part], extractor.blobs.open, [{"f": ["f"]}], extractor.directory)
        assert [] == list(extractor.directory.iterdir())

    @pytest.mark.parametrize(
        "entry",
        [
            lambda number: tar_stream.LayerEntry(f"d/{number}", EntryType.FILE, "", 0),
            lambda number: tar_stream.LayerEntry(f"{number}/", EntryType.DIRECTORY, "", 0),
            lambda number: tar_stream.LayerEntry(f"{number}{'/d' * 2000}", EntryType.FILE, "", 0),
            lambda number: tar_stream.LayerEntry("l", EntryType.SYMLINK, f"{number}" * 500, 0),
            lambda number: tar_stream.LayerEntry(f"{number}", EntryType.HARD_LINK, "x" * 1000, 0),
            lambda number: tar_stream.LayerEntry(f"d/.wh.{number}", EntryType.FILE, "", 0),
        ],
    )
    def test_number_of_names_is_limited(self, entry: Callable[[int], tar_stream.LayerEntry]) -> None:
        index = LayerIndex(MemoryBudget(1 << 20))
        tracemalloc.start()
        try:
            with pytest.raises(ImageError, match="too many files"):
                any(index.add(entry(number)) is None for number in range(100_000))
            assert tracemalloc.get_traced_memory()[0] < 5 << 18
        finally:
            tracemalloc.stop()


class TestVerification:
    """Nothing is returned that was not verified."""

    def test_wrong_digest_is_an_error(self, extractor: Extractor) -> None:
        """Even where the file precedes the damage."""
        layer = gzipped(Entry("f", b"f"), Entry("other", BIG))
        extractor.blobs.damaged.add(digest_of(layer.body))
        with pytest.raises(DigestError):
            extractor.body([layer], "f")

    def test_damage_is_an_error_with_the_digest(self, extractor: Extractor) -> None:
        layer = Layer(gzip.compress(made.tar([Entry("f", BIG)]))[:-20], made.DOCKER)
        with pytest.raises(ImageError, match=digest_of(layer.body)):
            extractor.body([layer], "f")

    def test_plain_file_outside_the_image_is_an_error(self, extractor: Extractor) -> None:
        with pytest.raises(ImageError, match=digest_of(b"k")):
            extractor.body([raw_file("../k", b"k")], "k")


class TestChecksums:
    """Checksums in the image agree with the files, or nothing is returned."""

    @pytest.mark.parametrize("name", ["f.sha256", "SHA256SUMS", "checksums.sha256"])
    @pytest.mark.parametrize("where", ["before", "behind", "above", "below"])
    def test_checksum_of_any_name_and_layer_is_compared(self, extractor: Extractor, name: str, where: str) -> None:
        file = Entry("boot/f", b"f")
        for digest, agrees in ((sha256(b"f"), True), ("0" * 64, False)):
            sums = Entry(f"boot/{name}", f"{digest}  f\n".encode())
            stacks = {
                "before": [plain(sums, file)],
                "behind": [plain(file, sums)],
                "above": [plain(file), plain(sums)],
                "below": [plain(sums), plain(file)],
            }
            if agrees:
                expected = sums.body if name == "f.sha256" else None
                assert expected == extractor.one(stacks[where], "boot/f").checksum_file
            else:
                with pytest.raises(ImageError, match=f"{sha256(b'f')}.*{digest}"):
                    extractor.one(stacks[where], "boot/f")

    def test_other_or_removed_checksums_are_ignored(self, extractor: Extractor) -> None:
        wrong = f"{'0' * 64}  f\n".encode()
        layers = [plain(Entry("boot/SHA256SUMS", wrong)), plain(Entry("boot/.wh.SHA256SUMS"), Entry("boot/f", b"f"))]
        assert b"f" == extractor.body([plain(Entry("SHA256SUMS", wrong)), *layers], "boot/f")

    def test_checksum_of_a_link_target_is_compared(self, extractor: Extractor) -> None:
        wrong = f"{'0' * 64}  vmlinuz-6\n".encode()
        for sums in (Entry("lib/SHA256SUMS", wrong), Entry("lib/vmlinuz-6.sha256", wrong)):
            with pytest.raises(ImageError, match="'lib/vmlinuz-6' has the SHA-256"):
                extractor.body(
                    [plain(sums, Entry("lib/vmlinuz-6", b"k"), symlink("vmlinuz", "lib/vmlinuz-6"))], "vmlinuz"
                )

    def test_checksum_file_that_sha256sum_rejects_is_not_passed_on(self, extractor: Extractor) -> None:
        assert (
            extractor.one([plain(Entry("f", b"f"), Entry("f.sha256", sha256(b"f").encode()))], "f").checksum_file
            is None
        )

    @pytest.mark.parametrize(
        ("entry", "reason"),
        [
            (Entry("f.sha256", b"none"), "has no SHA-256 checksum"),
            (Entry("f.sha256", bytes((1 << 20) + 1)), "the limit is 1048576"),
            (directory("SHA256SUMS"), "is a directory"),
            (symlink("SHA256SUMS", "gone"), "which is missing"),
        ],
    )
    def test_unreadable_checksum_file_is_an_error(self, extractor: Extractor, entry: Entry, reason: str) -> None:
        with pytest.raises(ImageError, match=reason):
            extractor.body([plain(Entry("f", b"f"), entry)], "f")

    def test_checksums_of_plain_files_are_compared(self, extractor: Extractor) -> None:
        sums = raw_file("f.sha256", f"{'0' * 64}  f\n".encode(), "text/plain")
        for layers in ([raw_file("f", b"f"), sums], [sums, raw_file("large", BIG), raw_file("f", b"f")]):
            with pytest.raises(ImageError, match="says"):
                extractor.body(layers, "f")
