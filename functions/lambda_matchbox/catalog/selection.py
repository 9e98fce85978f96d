"""Selection of a machine's group.

matchbox's rule: a group matches if each selector equals the machine's label, where a missing label counts as the empty
string. The most selectors win, then the greatest `k=v,k=v` (pairs sorted by their bytes). For groups with equal
selectors matchbox's choice is undefined; here the smaller id by bytes wins.

Beyond matchbox, a selector may list values for a key: the group then counts once for each combination.

An index applies the rule without looking at every group: the keys of a selector are its shape, and for given labels
each shape has at most one candidate. There are few shapes, however many the groups.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from math import prod
from typing import NamedTuple

from lambda_matchbox.catalog.groups import Group, SelectorValue
from lambda_matchbox.catalog.labels import is_mac

Shape = tuple[str, ...]

MAX_COMBINATIONS = 40
"""The maximum of selectors that a group stands for.

One transaction moves a group from as many entries to as many others, and takes 100 items (DynamoDB's "Quotas").
"""


def sort_key(text: str) -> bytes:
    """The bytes by which texts are ordered: UTF-8, with surrogates."""
    return text.encode("utf-8", "surrogatepass")


class Selector(NamedTuple):
    """One value for each key, normalised: pairs sorted by the bytes of their keys."""

    pairs: tuple[tuple[str, str], ...]

    @property
    def shape(self) -> Shape:
        """The keys."""
        return tuple(key for key, _ in self.pairs)

    @property
    def rank(self) -> tuple[int, bytes]:
        """The greatest wins."""
        return len(self.pairs), sort_key(str(self))

    def __str__(self) -> str:
        """The form by which matchbox orders groups, which is ambiguous."""
        return ",".join(f"{key}={value}" for key, value in self.pairs)


def keys_of(selector: Mapping[str, SelectorValue]) -> Shape:
    """The keys of a group's selector, sorted by their bytes."""
    return tuple(sorted(selector, key=sort_key))


def selectors_of(selector: Mapping[str, SelectorValue]) -> list[Selector]:
    """The combinations of a group's selector, each once; one if it has no lists."""
    values = [(key, selector[key]) for key in keys_of(selector)]
    choices = [
        ((key, one),) if isinstance(one, str) else [(key, each) for each in dict.fromkeys(one)] for key, one in values
    ]
    return [*map(Selector, product(*choices))]


def combinations(selector: Mapping[str, SelectorValue]) -> int:
    """The number of combinations of a selector whose lists have no duplicates."""
    return prod(1 if isinstance(wanted, str) else len(wanted) for wanted in selector.values())


def stands_for(selector: Mapping[str, SelectorValue], one: Selector) -> bool:
    """Whether `one` is a combination of a group's selector."""
    return len(selector) == len(one.pairs) and all(
        key in selector and _is_listed(value, selector[key]) for key, value in one.pairs
    )


def candidates(labels: Mapping[str, str] | None, shapes: Iterable[Shape]) -> list[Selector]:
    """The selector of each shape that these labels match, if a group may have it.

    None means no machine, which only a group without selectors takes; with labels, a missing one is empty.
    """
    if labels is None:
        return [Selector(()) for shape in shapes if not shape]
    found = []
    for shape in shapes:
        pairs = tuple([(key, labels.get(key, "")) for key in shape])
        for key, value in pairs:
            if not value and is_mac(key):
                break
        else:
            found.append(Selector(pairs))
    return found


def greatest(selectors: Sequence[Selector]) -> Selector:
    """The one that wins."""
    return selectors[0] if len(selectors) == 1 else max(selectors, key=lambda selector: selector.rank)


def matches(group: Group, labels: Mapping[str, str]) -> bool:
    """Whether the group matches a machine with these labels."""
    values = ((key, labels.get(key, ""), wanted) for key, wanted in group.selector.items())
    return all(_is_listed(value, wanted) and not _is_no_address(key, value) for key, value, wanted in values)


def _is_listed(value: str, wanted: SelectorValue) -> bool:
    return value == wanted if isinstance(wanted, str) else value in wanted


def _is_no_address(key: str, value: str) -> bool:
    """Whether the key needs a hardware address and the value is empty: matchbox stores the group, but never matches."""
    return not value and is_mac(key)
