"""Which group does a machine belong to?

matchbox's rule: a group matches when each selector equals the machine's label, a missing label reading as the empty
string; the most selectors win; among as many, the greatest `k=v,k=v` (pairs sorted by their bytes). Where two groups
have the same selectors matchbox is undefined; here the smaller id by bytes wins.

The index answers by the same rule without looking at every group: the keys of a selector are its shape, and for given
labels each shape has one candidate at most. There are few shapes, however many the groups.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from matchbox.groups import Group
from matchbox.labels import is_mac

Shape = tuple[str, ...]


def octets(text: str) -> bytes:
    """The bytes by which texts are ordered and compared: UTF-8, surrogates included."""
    return text.encode("utf-8", "surrogatepass")


class Selector(NamedTuple):
    """A group's selectors in normal form: pairs sorted by the bytes of their keys."""

    pairs: tuple[tuple[str, str], ...]

    @property
    def shape(self) -> Shape:
        """The keys."""
        return tuple(key for key, _ in self.pairs)

    @property
    def rank(self) -> tuple[int, bytes]:
        """The greater wins."""
        return len(self.pairs), octets(",".join(f"{key}={value}" for key, value in self.pairs))


def selector_of(selectors: Mapping[str, str]) -> Selector:
    """The normal form of a group's selectors."""
    return Selector(tuple(sorted(selectors.items(), key=lambda pair: octets(pair[0]))))


def candidates(labels: Mapping[str, str] | None, shapes: Iterable[Shape]) -> list[Selector]:
    """For each shape the one selector that these labels match, where a group may have it.

    None is no machine at all, which only a group without selectors takes: with labels, a missing one is empty.
    """
    if labels is None:
        return [Selector(()) for shape in shapes if not shape]
    found = [Selector(tuple((key, labels.get(key, "")) for key in shape)) for shape in shapes]
    return [selector for selector in found if not any(_is_no_address(key, value) for key, value in selector.pairs)]


def matches(group: Group, labels: Mapping[str, str]) -> bool:
    """Whether the group takes a machine with these labels."""
    return all(labels.get(key, "") == value and not _is_no_address(key, value) for key, value in group.selector.items())


def select(groups: Iterable[Group], labels: Mapping[str, str]) -> Group | None:
    """The plain rule over all groups, against which the index is held."""
    best: Group | None = None
    for group in groups:
        if matches(group, labels) and (best is None or _wins(group, best)):
            best = group
    return best


def _wins(group: Group, other: Group) -> bool:
    ranks = selector_of(group.selector).rank, selector_of(other.selector).rank
    return ranks[0] > ranks[1] or (ranks[0] == ranks[1] and octets(group.id) < octets(other.id))


def _is_no_address(key: str, value: str) -> bool:
    """Whether this asks for a hardware address and names none: matchbox takes such a group in, and gives it nobody."""
    return not value and is_mac(key)
