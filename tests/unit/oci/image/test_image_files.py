"""The wanted files come out of an image whole and verified, from the layers that matter, or not at all."""

import re
from pathlib import Path

import pytest

from lambda_matchbox.oci.errors import ImageError
from tests.support.images import layers as made
from tests.support.images.layers import Entry, Layer, directory, gzipped, plain, raw_file, symlink
from tests.unit.oci.image.image_taker import Taker, sha256

BIG = b"\xa5" * (2 << 20)


@pytest.fixture
def taker(tmp_path: Path) -> Taker:
    return Taker(tmp_path)


class TestLayers:
    """Layers are applied as the image specification says."""

    def test_what_is_taken(self, taker: Taker) -> None:
        """A file comes with its place in the image, its size and its SHA-256."""
        found = taker.one([gzipped(Entry("./boot//vmlinuz", BIG))], "/boot/vmlinuz")
        assert (BIG, "boot/vmlinuz", len(BIG), sha256(BIG), None) == (found.file.read_bytes(), *found[1:])

    def test_the_uppermost_wins(self, taker: Taker) -> None:
        """A later layer's file replaces an earlier one's."""
        assert b"new" == taker.body([plain(Entry("a/f", b"old")), plain(Entry("a/f", b"new"))], "a/f")

    def test_the_last_of_a_layer_wins(self, taker: Taker) -> None:
        """Of two entries of a name the later one counts."""
        assert b"new" == taker.body([plain(Entry("f", b"old"), Entry("./f", b"new"))], "f")

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
    def test_hidden_by_an_upper_layer(self, taker: Taker, upper: Layer) -> None:
        """Whiteouts and replacements hide what is below them, and the lower layer is not even read."""
        with pytest.raises(ImageError, match=r"lacks files|directory"):
            taker.body([plain(Entry("a/f", b"old")), upper], "a/f")
        assert [1] == taker.opened

    def test_whiteouts_spare_their_own_layer(self, taker: Taker) -> None:
        """A whiteout hides nothing of its own layer, wherever it stands there."""
        upper = plain(Entry("a/f", b"new"), Entry("a/.wh.f"), Entry(".wh.a"), Entry("a/.wh..wh..opq"))
        assert b"new" == taker.body([plain(Entry("a/f", b"old")), upper], "a/f")

    def test_a_directory_replaced_and_made_again(self, taker: Taker) -> None:
        """What a file or a whiteout once hid stays hidden under a new directory."""
        layers = [plain(Entry("a/f", b"old")), plain(Entry("a", b"file")), plain(directory("a"), Entry("a/g", b"g"))]
        assert b"g" == taker.body(layers, "a/g")
        with pytest.raises(ImageError, match="lacks files"):
            taker.body(layers, "a/f")

    @pytest.mark.parametrize("name", [".wh.", ".wh..", ".wh..."])
    def test_a_whiteout_of_nothing(self, taker: Taker, name: str) -> None:
        """A whiteout that names no file is refused."""
        with pytest.raises(ImageError, match="invalid whiteout"):
            taker.body([plain(Entry("f", b"f"), Entry(f"a/{name}"))], "g")

    def test_records_of_aufs(self, taker: Taker) -> None:
        """AUFS's own records are no whiteouts."""
        assert b"f" == taker.body([plain(Entry("wh.plnk", b"f")), plain(directory(".wh..wh.plnk"))], "wh.plnk")

    def test_a_name_that_leads_out(self, taker: Taker) -> None:
        """A layer with an entry outside of the image is refused."""
        with pytest.raises(ImageError, match=re.escape("'a/../../f' leads out of the image")):
            taker.body([plain(Entry("a/../../f", b"f"))], "f")

    def test_unlisted_directory_behind_a_link(self, taker: Taker) -> None:
        """An entry whose directory is a link of a layer below lies where the link leads."""
        layers = [plain(directory("usr/lib"), symlink("lib", "usr/lib")), plain(Entry("lib/modules/vmlinuz", b"k"))]
        assert b"k" == taker.body(layers, "usr/lib/modules/vmlinuz")
        assert b"k" == taker.body(layers, "lib/modules/vmlinuz")


class TestChoice:
    """Alternatives and paths are tried in their order."""

    def test_first_whole_alternative(self, taker: Taker) -> None:
        """The first alternative of which every file is there is taken, even where its layer lies lower."""
        layers = [plain(Entry("b/k", b"k"), Entry("b/i", b"i")), plain(Entry("a/k"), Entry("c/k"), Entry("c/i"))]
        alternatives = [{"k": [f"{place}/k"], "i": [f"{place}/i"]} for place in "abc"]
        assert {"k": "b/k", "i": "b/i"} == {name: file.path for name, file in taker.all(layers, *alternatives).items()}
        assert 2 == len(list(taker.directory.iterdir()))

    def test_first_path(self, taker: Taker) -> None:
        """Of a file's paths the first one that is there is taken, even where its layer lies lower."""
        assert "b" == taker.one([plain(Entry("b")), plain(Entry("c"))], "a", "b", "c").path

    def test_nothing_whole(self, taker: Taker) -> None:
        """Where no alternative is whole, one line says what each of them lacks."""
        with pytest.raises(ImageError) as error:
            taker.all([plain(Entry("k"), Entry("d/f"))], {"k": ["k"], "i": ["i", "d/f/i"]}, {"u": ["u"]})
        expected = "the image lacks files: i ('i', 'd/f/i': 'd/f' is not a directory); or u ('u')"
        assert expected == str(error.value)

    def test_no_layers(self, taker: Taker) -> None:
        """An image without layers holds nothing."""
        with pytest.raises(ImageError, match="lacks files: f"):
            taker.body([], "f")


class TestEconomy:
    """Only layers that can still matter are read, and most of them once."""

    def test_layers_below_the_last_that_matters(self, taker: Taker) -> None:
        """Layers below the one where all is found are not read, unless they are so small that they hold checksums."""
        base = Layer(made.tar([Entry("etc/x", BIG)]), made.OCI)
        taker.body([base, plain(Entry("small")), base, plain(Entry("other")), plain(Entry("boot/f", b"f"))], "boot/f")
        assert [4, 3] == taker.opened

    def test_a_directory_that_is_decided(self, taker: Taker) -> None:
        """What an opaque directory does not hold is not looked for below it, checksums included."""
        upper = plain(directory("d"), Entry("d/.wh..wh..opq"), Entry("d/f", b"f"))
        taker.body([plain(Entry("small")), upper], "d/f")
        assert [1] == taker.opened

    def test_links_to_what_comes_later(self, taker: Taker) -> None:
        """A layer is read once where a link stands before its target."""
        taker.body([plain(symlink("boot", "usr/boot"), symlink("usr/boot/f", "k"), Entry("usr/boot/k", BIG))], "boot/f")
        assert [0] == taker.opened

    def test_links_to_what_has_passed(self, taker: Taker) -> None:
        """A layer is read a second time where a link leads to what has passed, and then to its end, too."""
        taker.body([plain(symlink("f", "k")), plain(Entry("k", BIG), Entry("later"))], "f")
        assert [1, 0, 1] == taker.opened

    def test_plain_files(self, taker: Taker) -> None:
        """Of files that have their names in the manifest only those are read that are taken."""
        layers = [raw_file("other", b"other"), raw_file("boot/vmlinuz", b"k"), raw_file("README.md", b"text")]
        assert b"k" == taker.body(layers, "boot/vmlinuz")
        assert [1] == taker.opened

    def test_nothing_else_is_kept(self, taker: Taker) -> None:
        """What could have been wanted, and is not, does not stay in the directory."""
        layers = [plain(Entry("a", b"1")), plain(Entry("a", b"2"), Entry("b", b"3"), Entry("a", b"4"))]
        taker.body(layers, "a", "b")
        assert [b"4"] == [file.read_bytes() for file in taker.directory.iterdir()]

    def test_what_registries_lack(self, taker: Taker) -> None:
        """A layer that registries do not distribute is an error only if it is needed."""
        foreign = Layer(b"", "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip")
        assert b"f" == taker.body([foreign, plain(Entry("f", b"f"))], "f")
        with pytest.raises(ImageError, match="do not distribute"):
            taker.body([foreign, plain(Entry("f", b"f"))], "g")


@pytest.mark.parametrize(
    "layer",
    [
        gzipped(Entry("f", BIG), media_type=made.DOCKER),
        gzipped(Entry("f", BIG), media_type=made.FLUX),
        made.zstandard_compressed(Entry("f", BIG)),
        raw_file("f", BIG, made.OCI),
    ],
)
def test_every_shape(taker: Taker, layer: Layer) -> None:
    """A file comes out of every kind of layer."""
    assert BIG == taker.body([layer], "f")
