"""Files are extracted completely and verified, from the layers that matter."""

import re
from pathlib import Path

import pytest

from lambda_matchbox.oci.errors import ImageError
from tests.support.images import layers as made
from tests.support.images.layers import Entry, Layer, directory, gzipped, plain, raw_file, symlink
from tests.unit.oci.image.image_extraction import Extractor, sha256

BIG = b"\xa5" * (2 << 20)


@pytest.fixture
def extractor(tmp_path: Path) -> Extractor:
    return Extractor(tmp_path)


class TestLayers:
    """Layers are applied as the image specification says."""

    def test_file_has_path_size_and_digest(self, extractor: Extractor) -> None:
        found = extractor.one([gzipped(Entry("./boot//vmlinuz", BIG))], "/boot/vmlinuz")
        assert (BIG, "boot/vmlinuz", len(BIG), sha256(BIG), None) == (found.file.read_bytes(), *found[1:])

    def test_upper_layer_replaces_a_lower_one(self, extractor: Extractor) -> None:
        assert b"new" == extractor.body([plain(Entry("a/f", b"old")), plain(Entry("a/f", b"new"))], "a/f")

    def test_later_entry_replaces_an_earlier_one(self, extractor: Extractor) -> None:
        assert b"new" == extractor.body([plain(Entry("f", b"old"), Entry("./f", b"new"))], "f")

    @pytest.mark.parametrize(
        "upper",
        [
            plain(Entry("a/.wh.f")),
            plain(Entry(".wh.a")),
            plain(Entry("a/.wh..wh..opq")),
            plain(Entry(".wh..wh..opq")),
            plain(Entry("a", b"a file")),
            plain(directory("a/f")),
            plain(directory("a"), Entry("a/.wh..wh..opq"), Entry("a/g", b"")),
        ],
    )
    def test_hidden_file_is_missing(self, extractor: Extractor, upper: Layer) -> None:
        """The lower layer is not even read."""
        with pytest.raises(ImageError, match=r"lacks files|directory"):
            extractor.body([plain(Entry("a/f", b"old")), upper], "a/f")
        assert [1] == extractor.opened

    def test_whiteout_does_not_hide_its_own_layer(self, extractor: Extractor) -> None:
        upper = plain(Entry("a/f", b"new"), Entry("a/.wh.f"), Entry(".wh.a"), Entry("a/.wh..wh..opq"))
        assert b"new" == extractor.body([plain(Entry("a/f", b"old")), upper], "a/f")

    def test_recreated_directory_hides_the_old_content(self, extractor: Extractor) -> None:
        layers = [plain(Entry("a/f", b"old")), plain(Entry("a", b"file")), plain(directory("a"), Entry("a/g", b"g"))]
        assert b"g" == extractor.body(layers, "a/g")
        with pytest.raises(ImageError, match="lacks files"):
            extractor.body(layers, "a/f")

    @pytest.mark.parametrize("name", [".wh.", ".wh..", ".wh..."])
    def test_whiteout_without_a_name_is_an_error(self, extractor: Extractor, name: str) -> None:
        with pytest.raises(ImageError, match="invalid whiteout"):
            extractor.body([plain(Entry("f", b"f"), Entry(f"a/{name}"))], "g")

    def test_aufs_records_are_not_whiteouts(self, extractor: Extractor) -> None:
        assert b"f" == extractor.body([plain(Entry("wh.plnk", b"f")), plain(directory(".wh..wh.plnk"))], "wh.plnk")

    def test_entry_outside_the_image_is_an_error(self, extractor: Extractor) -> None:
        with pytest.raises(ImageError, match=re.escape("'a/../../f' leads out of the image")):
            extractor.body([plain(Entry("a/../../f", b"f"))], "f")

    def test_entry_below_a_link_of_a_lower_layer_is_found(self, extractor: Extractor) -> None:
        layers = [plain(directory("usr/lib"), symlink("lib", "usr/lib")), plain(Entry("lib/modules/vmlinuz", b"k"))]
        assert b"k" == extractor.body(layers, "usr/lib/modules/vmlinuz")
        assert b"k" == extractor.body(layers, "lib/modules/vmlinuz")


class TestChoice:
    """Alternatives and paths are tried in their order."""

    def test_first_complete_alternative_is_chosen(self, extractor: Extractor) -> None:
        """Even where its layer is lower."""
        layers = [plain(Entry("b/k", b"k"), Entry("b/i", b"i")), plain(Entry("a/k"), Entry("c/k"), Entry("c/i"))]
        alternatives = [{"k": [f"{place}/k"], "i": [f"{place}/i"]} for place in "abc"]
        assert {"k": "b/k", "i": "b/i"} == {
            name: file.path for name, file in extractor.all(layers, *alternatives).items()
        }
        assert 2 == len(list(extractor.directory.iterdir()))

    def test_first_existing_path_is_chosen(self, extractor: Extractor) -> None:
        """Even where its layer is lower."""
        assert "b" == extractor.one([plain(Entry("b")), plain(Entry("c"))], "a", "b", "c").path

    def test_error_lists_what_each_alternative_lacks(self, extractor: Extractor) -> None:
        with pytest.raises(ImageError) as error:
            extractor.all([plain(Entry("k"), Entry("d/f"))], {"k": ["k"], "i": ["i", "d/f/i"]}, {"u": ["u"]})
        expected = "the image lacks files: i ('i', 'd/f/i': 'd/f' is not a directory); or u ('u')"
        assert expected == str(error.value)

    def test_image_without_layers_lacks_everything(self, extractor: Extractor) -> None:
        with pytest.raises(ImageError, match="lacks files: f"):
            extractor.body([], "f")


class TestEconomy:
    """Only layers that can still matter are read, and most of them once."""

    def test_lower_layers_are_skipped(self, extractor: Extractor) -> None:
        """Except small ones, which may hold checksums."""
        base = Layer(made.tar([Entry("etc/x", BIG)]), made.OCI)
        extractor.body(
            [base, plain(Entry("small")), base, plain(Entry("other")), plain(Entry("boot/f", b"f"))], "boot/f"
        )
        assert [4, 3] == extractor.opened

    def test_opaque_directory_ends_the_search(self, extractor: Extractor) -> None:
        upper = plain(directory("d"), Entry("d/.wh..wh..opq"), Entry("d/f", b"f"))
        extractor.body([plain(Entry("small")), upper], "d/f")
        assert [1] == extractor.opened

    def test_link_before_its_target_needs_one_pass(self, extractor: Extractor) -> None:
        extractor.body(
            [plain(symlink("boot", "usr/boot"), symlink("usr/boot/f", "k"), Entry("usr/boot/k", BIG))], "boot/f"
        )
        assert [0] == extractor.opened

    def test_link_after_its_target_needs_two_passes(self, extractor: Extractor) -> None:
        extractor.body([plain(symlink("f", "k")), plain(Entry("k", BIG), Entry("later"))], "f")
        assert [1, 0, 1] == extractor.opened

    def test_only_chosen_plain_files_are_read(self, extractor: Extractor) -> None:
        layers = [raw_file("other", b"other"), raw_file("boot/vmlinuz", b"k"), raw_file("README.md", b"text")]
        assert b"k" == extractor.body(layers, "boot/vmlinuz")
        assert [1] == extractor.opened

    def test_other_candidates_are_removed(self, extractor: Extractor) -> None:
        layers = [plain(Entry("a", b"1")), plain(Entry("a", b"2"), Entry("b", b"3"), Entry("a", b"4"))]
        extractor.body(layers, "a", "b")
        assert [b"4"] == [file.read_bytes() for file in extractor.directory.iterdir()]

    def test_undistributed_layer_is_an_error_if_needed(self, extractor: Extractor) -> None:
        foreign = Layer(b"", "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip")
        assert b"f" == extractor.body([foreign, plain(Entry("f", b"f"))], "f")
        with pytest.raises(ImageError, match="do not distribute"):
            extractor.body([foreign, plain(Entry("f", b"f"))], "g")


@pytest.mark.parametrize(
    "layer",
    [
        gzipped(Entry("f", BIG), media_type=made.DOCKER),
        gzipped(Entry("f", BIG), media_type=made.FLUX),
        made.zstandard_compressed(Entry("f", BIG)),
        raw_file("f", BIG, made.OCI),
    ],
)
def test_file_is_extracted_from_every_layer_format(extractor: Extractor, layer: Layer) -> None:
    assert BIG == extractor.body([layer], "f")
