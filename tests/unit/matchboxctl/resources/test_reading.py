"""A part of many documents, in the order of their ids."""

import pytest

from matchboxctl.resources.reading import Entry, Part, part_of

NAMES = ["a", "a-1", "a-2", "a-3", "b", "\udcff", "ü", "\U0001f600"]
ORDERED = [Entry(name) for name in sorted(NAMES, key=lambda name: name.encode("utf-8", "surrogatepass"))]


def names(part: Part) -> list[str]:
    return [entry.name for entry in part.entries]


@pytest.mark.parametrize("limit", range(1, len(NAMES) + 2))
@pytest.mark.parametrize("prefix", ["", "a", "a-", "ü", "none"])
def test_parts_have_every_entry_once_and_in_order(prefix: str, limit: int) -> None:
    found: list[str] = []
    part = part_of(ORDERED, prefix, "", limit)
    while True:
        assert len(part.entries) <= limit
        found += names(part)
        if not part.last:
            break
        part = part_of(ORDERED, prefix, part.last, limit)
    expected = [entry.name for entry in ORDERED if entry.name.startswith(prefix)]
    assert (expected, len(expected)) == (found, part.number)


def test_entry_that_is_gone_keeps_its_place() -> None:
    assert ["a-3", "b"] == names(part_of([one for one in ORDERED if one.name != "a-2"], "", "a-2", 2))
