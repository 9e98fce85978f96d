"""Which group does a machine belong to?

matchbox's rule: a group matches when each selector equals the machine's label, a missing label reading as the empty
string; the most selectors win; among as many, the greatest `k=v,k=v` (pairs sorted by their bytes). Where two groups
have the same selectors matchbox is undefined; here the smaller id by bytes wins.

A group whose selector lists values for a key stands for one group for each combination of them. matchbox knows none.

The index answers by the same rule without looking at every group: the keys of a selector are its shape, and for given
labels each shape has one candidate at most. There are few shapes, however many the groups.
"""

from collections.abc import Iterable, Mapping
from itertools import product
from math import prod
from typing import NamedTuple

from lambda_matchbox.catalog.groups import Group, SelectorValue
from lambda_matchbox.catalog.labels import is_mac

Shape = tuple[str, ...]

MAX_COMBINATIONS = 40
"""The most selectors that a group stands for.

One transaction moves a group from as many entries to as many others, and takes 100 items (DynamoDB's "Quotas").
"""


def sort_key(text: str) -> bytes:
    """The bytes by which texts are ordered and compared: UTF-8, surrogates included."""
    return text.encode("utf-8", "surrogatepass")


class Selector(NamedTuple):
    """One value for each key, in normal form: pairs sorted by the bytes of their keys."""

    pairs: tuple[tuple[str, str], ...]

    @property
    def shape(self) -> Shape:
        """The keys."""
        return tuple(key for key, _ in self.pairs)

    @property
    def rank(self) -> tuple[int, bytes]:
        """The greater wins."""
        return len(self.pairs), sort_key(str(self))

    def __str__(self) -> str:
        """As matchbox writes it to order groups, which is ambiguous."""
        return ",".join(f"{key}={value}" for key, value in self.pairs)


def keys_of(selector: Mapping[str, SelectorValue]) -> Shape:
    """The keys of a group's selector, sorted by their bytes."""
    return tuple(sorted(selector, key=sort_key))


def selector_of(values: Mapping[str, str]) -> Selector:
    """The normal form of one value for each key."""
    return Selector(tuple((key, values[key]) for key in keys_of(values)))


def selectors_of(selector: Mapping[str, SelectorValue]) -> list[Selector]:
    """All that a group's selector stands for, each once: one without lists stands for one."""
    values = [(key, selector[key]) for key in keys_of(selector)]
    choices = [[(key, one)] if isinstance(one, str) else [(key, value) for value in one] for key, one in values]
    return [Selector(pairs) for pairs in dict.fromkeys(product(*choices))]


def combinations(selector: Mapping[str, SelectorValue]) -> int:
    """How many a selector stands for whose lists name each value once."""
    return prod(1 if isinstance(wanted, str) else len(wanted) for wanted in selector.values())


def stands_for(selector: Mapping[str, SelectorValue], one: Selector) -> bool:
    """Whether that one is among what a group's selector stands for."""
    return len(selector) == len(one.pairs) and all(
        key in selector and _is_listed(value, selector[key]) for key, value in one.pairs
    )


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
    return all(_is_wanted(labels.get(key, ""), key, wanted) for key, wanted in group.selector.items())


def _is_listed(value: str, wanted: SelectorValue) -> bool:
    return value == wanted if isinstance(wanted, str) else value in wanted


def _is_wanted(value: str, key: str, wanted: SelectorValue) -> bool:
    return _is_listed(value, wanted) and not _is_no_address(key, value)


def _is_no_address(key: str, value: str) -> bool:
    """Whether this asks for a hardware address and names none: matchbox takes such a group in, and gives it nobody."""
    return not value and is_mac(key)
