"""The wanted files come out of an image whole and verified, from the layers that matter, or not at all."""

from __future__ import annotations

import gzip
import hashlib
import io
import re
import tarfile
import tracemalloc
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from oci.descriptors import Descriptor
from oci.errors import DigestError, ImageError
from oci.image import tar_stream
from oci.image.image_files import take_files
from oci.image.layer_index import LayerIndex, Memory
from oci.image.tar_stream import Kind
from tests.images import layers as made
from tests.images.layers import Entry, Layer, directory, gzipped, hard_link, plain, raw_file, symlink
from tests.images.manifests import digest_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from oci.image.spooling import TakenFile

BIG = b"\xa5" * (2 << 20)

TARGET = [directory("d"), symlink("l", "d/x"), Entry("d/x", BIG)]


def sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


@dataclass
class Blobs:
    """Blobs of which is known how often each was opened, and which may be damaged."""

    bodies: dict[str, bytes] = field(default_factory=dict)
    opened: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    damaged: set[str] = field(default_factory=set)

    def add(self, layer: Layer) -> Descriptor:
        digest = digest_of(layer.body)
        self.bodies[digest] = layer.body
        annotations = {"org.opencontainers.image.title": layer.title} if layer.title else {}
        return Descriptor(layer.media_type, digest, len(layer.body), annotations)

    @contextmanager
    def open(self, part: Descriptor) -> Iterator[_Blob]:
        self.opened.append(part.digest)
        yield _Blob(self, part.digest)


class _Blob:
    def __init__(self, blobs: Blobs, digest: str) -> None:
        self._blobs = blobs
        self._digest = digest
        self._body = io.BytesIO(blobs.bodies[digest])

    def read(self, size: int) -> bytes:
        piece = self._body.read(size)
        if not piece:
            self._blobs.ended.append(self._digest)
            if self._digest in self._blobs.damaged:
                raise DigestError(f"{self._digest} has other bytes")
        return piece


@dataclass
class Taker:
    """Takes files out of images, each into a new directory; `opened` are the numbers of the layers that were opened."""

    directory: Path
    blobs: Blobs = field(default_factory=Blobs)
    opened: list[int] = field(default_factory=list)

    def all(self, layers: Sequence[Layer], *alternatives: Mapping[str, Sequence[str]]) -> Mapping[str, TakenFile]:
        descriptors = [self.blobs.add(layer) for layer in layers]
        numbers = {layer.digest: number for number, layer in enumerate(descriptors)}
        self.blobs.opened, self.blobs.ended = [], []
        self.directory /= "next"
        self.directory.mkdir()
        try:
            found = take_files(descriptors, self.blobs.open, alternatives, self.directory)
        finally:
            self.opened = [numbers[digest] for digest in self.blobs.opened]
        assert self.blobs.opened == self.blobs.ended
        assert {file.file for file in found.values()} <= set(self.directory.iterdir())
        return found

    def one(self, layers: Sequence[Layer], *paths: str) -> TakenFile:
        return self.all(layers, {"f": paths})["f"]

    def body(self, layers: Sequence[Layer], *paths: str) -> bytes:
        return self.one(layers, *paths).file.read_bytes()


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
        with pytest.raises(ImageError, match=r"missing|directory"):
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
        with pytest.raises(ImageError, match="missing"):
            taker.body(layers, "a/f")

    @pytest.mark.parametrize("name", [".wh.", ".wh..", ".wh..."])
    def test_a_whiteout_of_nothing(self, taker: Taker, name: str) -> None:
        """A whiteout that names no file is refused."""
        with pytest.raises(ImageError, match="names nothing"):
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


class TestLinks:
    """Links are resolved inside the image."""

    @pytest.mark.parametrize(
        "links",
        [
            [symlink("f", "d/x")],
            [symlink("f", "/d/x")],
            [symlink("f", "./d//x")],
            [symlink("f", "d/../e/../d/x"), directory("e")],
            [symlink("f", "g"), symlink("g", "/h"), symlink("h", "d/x")],
            [symlink("f", "e/x"), symlink("e", "d")],
            [symlink("f", "e/../../d/x"), symlink("e", "d/sub"), directory("d/sub")],
            [symlink("f", "l")],
        ],
    )
    def test_symbolic(self, taker: Taker, links: list[Entry]) -> None:
        """Absolute, relative and chained links, in any part of a path, lead to their target, wherever it is stored."""
        stacks = [
            [plain(*TARGET, *links)],
            [plain(*links, *TARGET)],
            [plain(*TARGET), plain(*links)],
            [plain(*links), plain(*TARGET)],
        ]
        for layers in stacks:
            found = taker.one(layers, "f")
            assert (BIG, "f") == (found.file.read_bytes(), found.path)

    @pytest.mark.parametrize(
        "links",
        [
            [hard_link("f", "d/x")],
            [hard_link("f", "/d/./x")],
            [symlink("e", "d"), hard_link("f", "e/x")],
            [symlink("f", "g"), hard_link("g", "d/x")],
            [hard_link("g", "d/x"), hard_link("f", "g")],
            [hard_link("f", "l")],
        ],
    )
    def test_hard(self, taker: Taker, links: list[Entry]) -> None:
        """Hard links lead to their target, in their own layer or one below."""
        for layers in ([plain(*TARGET, *links)], [plain(*TARGET), plain(*links)]):
            assert BIG == taker.body(layers, "f")

    def test_a_link_keeps_what_it_meant(self, taker: Taker) -> None:
        """A hard link means the file that was there when its layer was applied; a symbolic link the one that is now."""
        layers = [plain(Entry("x", b"old")), plain(hard_link("h", "x"), symlink("s", "x")), plain(Entry("x", b"new"))]
        found = taker.all(layers, {"h": ["h"], "s": ["s"]})
        assert (b"old", b"new") == (found["h"].file.read_bytes(), found["s"].file.read_bytes())

    def test_a_hard_link_before_its_target_is_replaced(self, taker: Taker) -> None:
        """A hard link means the entry that stood before it in its layer."""
        assert b"1" == taker.body([plain(Entry("x", b"1"), hard_link("h", "x"), Entry("x", b"2"))], "h")

    @pytest.mark.parametrize(
        ("entries", "reason"),
        [
            ([symlink("f", "f")], "loop"),
            ([symlink("f", "g"), symlink("g", "f")], "loop"),
            ([symlink("f", "d/f"), symlink("d", ".")], "loop"),
            ([symlink("f", "f/f/f")], "loop"),
            ([symlink("f", "../x"), Entry("x")], "leads out of the image"),
            ([symlink("f", "/d/../../x"), directory("d"), Entry("x")], "leads out of the image"),
            ([symlink("f", "x")], "the link 'f' leads to 'x', which is missing"),
            ([symlink("f", "g"), symlink("g", "d/x"), directory("d")], "the link 'f' leads to 'g', which is missing"),
            ([symlink("f", "x/y"), Entry("x")], "the link 'f' leads to 'x/y', which is missing"),
            ([hard_link("f", "x")], "the hard link 'f' leads to 'x', which is missing"),
            ([hard_link("f", "../x")], "leads out of the image"),
            ([directory("d"), hard_link("f", "d")], "a hard link to a directory"),
            ([directory("f")], "is a directory"),
            ([Entry("f/x")], "is a directory"),
            ([symlink("f", "/")], "is a directory"),
            ([Entry("f", type=tarfile.FIFOTYPE)], "is a device or a pipe"),
            ([Entry("f", type=tarfile.CHRTYPE)], "is a device or a pipe"),
            ([Entry("f", type=tarfile.GNUTYPE_SPARSE)], "is a sparse file"),
        ],
    )
    def test_leading_nowhere(self, taker: Taker, entries: list[Entry], reason: str) -> None:
        """A loop, an escape, a missing target and what is no file are errors that say so."""
        with pytest.raises(ImageError, match=reason):
            taker.body([plain(*entries)], "f", "other")

    def test_a_directory_that_is_a_broken_link(self, taker: Taker) -> None:
        """A directory on the way that leads nowhere holds nothing: the next path is tried."""
        assert b"x" == taker.body([plain(symlink("d", "gone"), Entry("e/f", b"x"))], "d/f", "e/f")


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
        expected = (
            "the image does not hold the wanted files; missing: i ('i', 'd/f/i': 'd/f' is no directory); or u ('u')"
        )
        assert expected == str(error.value)

    def test_no_layers(self, taker: Taker) -> None:
        """An image without layers holds nothing."""
        with pytest.raises(ImageError, match="missing: f"):
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
        with pytest.raises(ImageError, match="not distributed"):
            taker.body([foreign, plain(Entry("f", b"f"))], "g")


class TestBounds:
    """No image makes the memory grow."""

    @pytest.mark.parametrize("make", [gzipped, made.zstandard_compressed, plain])
    def test_large_files(self, taker: Taker, make: Callable[..., Layer]) -> None:
        """A file of 64 MiB is taken in a fraction of its size."""
        layer = make(Entry("f", bytes(1 << 26)))
        tracemalloc.start()
        try:
            assert 1 << 26 == taker.one([layer], "f").size
            assert tracemalloc.get_traced_memory()[1] < 1 << 24
        finally:
            tracemalloc.stop()

    def test_large_files_are_refused(self, taker: Taker) -> None:
        """A file larger than what can be published is refused before it is read."""
        size = (5 << 30) + 1
        part = taker.blobs.add(raw_file("f", b"f"))._replace(size=size)
        with pytest.raises(ImageError, match=f"'f' has {size} bytes; at most {5 << 30} are taken"):
            take_files([part], taker.blobs.open, [{"f": ["f"]}], taker.directory)
        assert [] == list(taker.directory.iterdir())

    @pytest.mark.parametrize(
        "entry",
        [
            lambda number: tar_stream.Entry(f"d/{number}", Kind.FILE, "", 0),
            lambda number: tar_stream.Entry(f"{number}/", Kind.DIRECTORY, "", 0),
            lambda number: tar_stream.Entry(f"{number}{'/d' * 2000}", Kind.FILE, "", 0),
            lambda number: tar_stream.Entry("l", Kind.SYMLINK, f"{number}" * 500, 0),
            lambda number: tar_stream.Entry(f"{number}", Kind.HARD_LINK, "x" * 1000, 0),
            lambda number: tar_stream.Entry(f"d/.wh.{number}", Kind.FILE, "", 0),
        ],
    )
    def test_many_names(self, entry: Callable[[int], tar_stream.Entry]) -> None:
        """Names of any kind are counted, and too many of them refused."""
        index = LayerIndex(Memory(1 << 20))
        tracemalloc.start()
        try:
            with pytest.raises(ImageError, match="too many files"):
                any(index.add(entry(number)) is None for number in range(100_000))
            assert tracemalloc.get_traced_memory()[0] < 5 << 18
        finally:
            tracemalloc.stop()


class TestVerification:
    """Nothing is returned that was not verified."""

    def test_a_digest_that_differs(self, taker: Taker) -> None:
        """A layer with other bytes is an error even where the file came before the fault."""
        layer = gzipped(Entry("f", b"f"), Entry("other", BIG))
        taker.blobs.damaged.add(digest_of(layer.body))
        with pytest.raises(DigestError):
            taker.body([layer], "f")

    def test_damage_names_the_layer(self, taker: Taker) -> None:
        """A damaged layer is an error with its digest."""
        layer = Layer(gzip.compress(made.tar([Entry("f", BIG)]))[:-20], made.DOCKER)
        with pytest.raises(ImageError, match=digest_of(layer.body)):
            taker.body([layer], "f")

    def test_a_plain_file_with_an_impossible_name(self, taker: Taker) -> None:
        """A plain file whose title leads out of the image is an error with its digest."""
        with pytest.raises(ImageError, match=digest_of(b"k")):
            taker.body([raw_file("../k", b"k")], "k")


class TestChecksums:
    """Checksums in the image agree with the files, or nothing is returned."""

    @pytest.mark.parametrize("name", ["f.sha256", "SHA256SUMS", "checksums.sha256"])
    @pytest.mark.parametrize("where", ["before", "behind", "above", "below"])
    def test_beside_the_file(self, taker: Taker, name: str, where: str) -> None:
        """A checksum of any of the names, in any layer, is compared."""
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
                assert expected == taker.one(stacks[where], "boot/f").checksum_file
            else:
                with pytest.raises(ImageError, match=f"{sha256(b'f')}.*{digest}"):
                    taker.one(stacks[where], "boot/f")

    def test_of_another_directory(self, taker: Taker) -> None:
        """Checksums of other directories, and those that an upper layer removed, say nothing."""
        wrong = f"{'0' * 64}  f\n".encode()
        layers = [plain(Entry("boot/SHA256SUMS", wrong)), plain(Entry("boot/.wh.SHA256SUMS"), Entry("boot/f", b"f"))]
        assert b"f" == taker.body([plain(Entry("SHA256SUMS", wrong)), *layers], "boot/f")

    def test_of_a_link(self, taker: Taker) -> None:
        """A link's target may be named by its own name, in its own directory."""
        wrong = f"{'0' * 64}  vmlinuz-6\n".encode()
        for sums in (Entry("lib/SHA256SUMS", wrong), Entry("lib/vmlinuz-6.sha256", wrong)):
            with pytest.raises(ImageError, match="'lib/vmlinuz-6' has the SHA-256"):
                taker.body([plain(sums, Entry("lib/vmlinuz-6", b"k"), symlink("vmlinuz", "lib/vmlinuz-6"))], "vmlinuz")

    def test_its_own_in_another_form(self, taker: Taker) -> None:
        """A checksum file that `sha256sum -c` would not take for the file is compared, and not handed on."""
        assert taker.one([plain(Entry("f", b"f"), Entry("f.sha256", sha256(b"f").encode()))], "f").checksum_file is None

    @pytest.mark.parametrize(
        ("entry", "reason"),
        [
            (Entry("f.sha256", b"none"), "holds no SHA-256 checksum"),
            (Entry("f.sha256", bytes((1 << 20) + 1)), "at most 1048576 are taken"),
            (directory("SHA256SUMS"), "is a directory"),
            (symlink("SHA256SUMS", "gone"), "which is missing"),
        ],
    )
    def test_unreadable(self, taker: Taker, entry: Entry, reason: str) -> None:
        """A checksum file that cannot be read is an error."""
        with pytest.raises(ImageError, match=reason):
            taker.body([plain(Entry("f", b"f"), entry)], "f")

    def test_plain_files(self, taker: Taker) -> None:
        """Plain files have their checksums beside them likewise."""
        sums = raw_file("f.sha256", f"{'0' * 64}  f\n".encode(), "text/plain")
        for layers in ([raw_file("f", b"f"), sums], [sums, raw_file("large", BIG), raw_file("f", b"f")]):
            with pytest.raises(ImageError, match="says"):
                taker.body(layers, "f")


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
