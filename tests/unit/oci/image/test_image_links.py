"""Links are followed over all layers, and not out of the image."""

import tarfile
from pathlib import Path

import pytest

from lambda_matchbox.oci.errors import ImageError
from tests.support.images.layers import Entry, directory, hard_link, plain, symlink
from tests.unit.oci.image.image_extraction import Extractor

BIG = b"\xa5" * (2 << 20)

TARGET = [directory("d"), symlink("l", "d/x"), Entry("d/x", BIG)]


@pytest.fixture
def extractor(tmp_path: Path) -> Extractor:
    return Extractor(tmp_path)


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
    def test_symbolic_links_are_followed(self, extractor: Extractor, links: list[Entry]) -> None:
        stacks = [
            [plain(*TARGET, *links)],
            [plain(*links, *TARGET)],
            [plain(*TARGET), plain(*links)],
            [plain(*links), plain(*TARGET)],
        ]
        for layers in stacks:
            found = extractor.one(layers, "f")
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
    def test_hard_links_are_followed(self, extractor: Extractor, links: list[Entry]) -> None:
        """Within their layer, or to one below."""
        for layers in ([plain(*TARGET, *links)], [plain(*TARGET), plain(*links)]):
            assert BIG == extractor.body(layers, "f")

    def test_hard_link_keeps_the_file_of_its_layer(self, extractor: Extractor) -> None:
        """A symbolic link does not."""
        layers = [plain(Entry("x", b"old")), plain(hard_link("h", "x"), symlink("s", "x")), plain(Entry("x", b"new"))]
        found = extractor.all(layers, {"h": ["h"], "s": ["s"]})
        assert (b"old", b"new") == (found["h"].file.read_bytes(), found["s"].file.read_bytes())

    def test_hard_link_is_to_the_preceding_entry(self, extractor: Extractor) -> None:
        assert b"1" == extractor.body([plain(Entry("x", b"1"), hard_link("h", "x"), Entry("x", b"2"))], "h")

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
        ],
    )
    def test_invalid_link_is_an_error_with_the_reason(
        self, extractor: Extractor, entries: list[Entry], reason: str
    ) -> None:
        with pytest.raises(ImageError, match=reason):
            extractor.body([plain(*entries)], "f", "other")

    def test_broken_directory_link_makes_the_path_missing(self, extractor: Extractor) -> None:
        assert b"x" == extractor.body([plain(symlink("d", "gone"), Entry("e/f", b"x"))], "d/f", "e/f")
