"""docs/seed.md has a row for every line of the note, and names tests that exist."""

import re
import shlex
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import click
import pytest

from matchboxctl.main import command_line
from tests.seed.bastion import DOCUMENT
from tests.support.paths import PROJECT

TESTS = PROJECT / "tests"
PAGE = PROJECT / "docs" / "seed.md"
OUTLINE = Path(__file__).with_name("outline.txt")
"""The lines of the note, by their numbers, as the first column has them."""

LAST = 299
FILES: Mapping[str, range] = {
    "extract-talos-assets.sh": range(31, 52),
    "matchbox/profiles/cozystack-arm64.json": range(53, 72),
    "matchbox/groups/default.json": range(73, 85),
    "matchbox/ignition/cozystack-config.yaml": range(86, 131),
    "docker-compose.yml": range(133, 174),
    "dnsmasq.conf": range(175, 195),
    "talos-custom-images.yaml": range(197, 229),
    "01-asset-extraction.sh": range(231, 245),
    "02-matchbox-api.sh": range(246, 259),
    "03-netboot-e2e.sh": range(260, 268),
}
"""Where the files of tests/seed/document are in the note."""


class Row(NamedTuple):
    says: str
    wrong: str
    instead: str
    tests: str


def rows() -> list[Row]:
    lines = PAGE.read_text().splitlines()
    cells = [
        re.split(r" ?(?<!\\)\| ?", line.removeprefix("| ").removesuffix(" |")) for line in lines if line[:2] == "| "
    ]
    return [Row(*each) for each in cells if each[0] != "what it says"]


def outline() -> list[tuple[range, str]]:
    found = []
    for line in OUTLINE.read_text().splitlines():
        numbers, _, says = line.partition("\t")
        first, _, last = numbers.partition("-")
        found.append((range(int(first), int(last or first) + 1), says))
    return found


def named_tests() -> set[str]:
    return {name for row in rows() for name in re.findall(r"`([\w/]+::\w+)`", row.tests)}


def names_in(module: Path) -> Iterator[str]:
    name = module.relative_to(TESTS).with_suffix("")
    return (f"{name}::{test}" for test in re.findall(r"^def (test_\w+)", module.read_text(), re.MULTILINE))


def test_every_line_of_the_note_has_a_row() -> None:
    """Two rows may share a line."""
    ranges = [lines for lines, _ in outline()]
    assert (1, LAST) == (ranges[0][0], ranges[-1][-1])
    assert [] == [(one, other) for one, other in pairwise(ranges) if other[0] - one[-1] not in (0, 1)]
    assert [says for _, says in outline()] == [row.says for row in rows()]


@pytest.mark.parametrize("file", FILES)
def test_files_have_the_notes_lines_and_rows_quote_them(file: str) -> None:
    text = (DOCUMENT / file).read_text().splitlines()
    place = FILES[file]
    assert len(text) == len(place)
    for lines, says in outline():
        if common := range(max(lines[0], place[0]), min(lines[-1], place[-1]) + 1):
            quoted = "\n".join(text[number - place[0]] for number in common)
            assert any(snippet in quoted for snippet in re.findall("`([^`]+)`", says)), says


def test_files_are_all_of_the_notes() -> None:
    assert sorted(FILES) == sorted(str(path.relative_to(DOCUMENT)) for path in DOCUMENT.rglob("*") if path.is_file())


def test_every_row_says_what_takes_the_lines_place_and_what_tests_it() -> None:
    for row in rows():
        assert row.instead, row
        shown = re.sub(
            r"`[\w/]+::test_\w+`|`make test-aws STACK=… ONLY=\w+`|by hand: [^,]+(, the [^,]+)?", "", row.tests
        )
        assert (True, "") == (bool(row.tests), shown.strip(", ")), row


def test_named_tests_exist() -> None:
    existing = {name for module in TESTS.rglob("test_*.py") for name in names_in(module)}
    assert set() == named_tests() - existing


def test_named_checks_of_a_stack_exist() -> None:
    checks = {name.partition("::test_")[2] for module in (TESTS / "aws").glob("test_*.py") for name in names_in(module)}
    assert {name for row in rows() for name in re.findall(r"ONLY=(\w+)", row.tests)} <= checks


def test_named_commands_exist_with_their_options() -> None:
    for words in map(shlex.split, re.findall("`matchboxctl ([^`]+)`", PAGE.read_text())):
        command: click.Command | None = command_line
        while isinstance(command, click.Group):
            command = command.get_command(click.Context(command), words.pop(0))
        assert command is not None, words
        known = {option for parameter in (*command.params, *command_line.params) for option in parameter.opts}
        assert {word for word in words if word.startswith("-")} <= known, words


def test_every_test_of_this_directory_is_named_by_a_row() -> None:
    own = {name for module in OUTLINE.parent.glob("test_*.py") if module != Path(__file__) for name in names_in(module)}
    assert set() == own - named_tests()
