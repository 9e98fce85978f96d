"""A BatchGetItem that reads its items at different times, the worst ones."""

import time
from collections.abc import Callable, Sequence
from itertools import permutations

import pytest

from lambda_matchbox.aws.catalog.reader import MAX_TOMBSTONES, _Tombstone, _Tombstones
from lambda_matchbox.aws.clients.dynamodb import DynamoDB
from lambda_matchbox.aws.clients.dynamodb_json import Item
from lambda_matchbox.aws.keys import entry_key
from lambda_matchbox.catalog.groups import Group, SelectorValue
from lambda_matchbox.catalog.selection import selectors_of
from lambda_matchbox.catalog.stores import Selection
from tests.rigs.catalog_table import CatalogTable

MAC = "52:54:00:12:34:56"
SELECTORS: tuple[dict[str, str], ...] = ({}, {"mac": MAC}, {"mac": MAC, "os": "x"})
ORDERS = tuple(permutations(range(3)))


def listed(selector: dict[str, str]) -> dict[str, SelectorValue]:
    """Forty selectors, of which this is the last."""
    return {**selector, "mac": (*(f"other {number} of {len(selector)}" for number in range(39)), MAC)}


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("moment", range(4))
@pytest.mark.parametrize(("before", "after"), [(1, 2), (2, 1)])
def test_moving_group_never_yields_the_default(
    table: CatalogTable, order: tuple[int, ...], moment: int, before: int, after: int
) -> None:
    old, new = (Group("a", selector=SELECTORS[index]) for index in (before, after))
    response = _selection_during(table, order, moment, [old], lambda: table.fill(new))
    assert response in (Selection(old, None), Selection(new, None))


@pytest.mark.real
@pytest.mark.parametrize("table", ["dynamodb_local"], indirect=True)
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("moment", range(4))
@pytest.mark.parametrize(("before", "after"), [(1, 2), (2, 1)])
def test_moving_lists_never_yield_the_default(
    table: CatalogTable, order: tuple[int, ...], moment: int, before: int, after: int
) -> None:
    old, new = (Group("a", selector=listed(SELECTORS[index])) for index in (before, after))
    response = _selection_during(table, order, moment, [old], lambda: table.fill(new))
    assert response in (Selection(old, None), Selection(new, None))


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("moment", range(4))
def test_machine_leaving_a_list_never_gets_the_default(
    table: CatalogTable, order: tuple[int, ...], moment: int
) -> None:
    old, new = Group("a", selector={"mac": (MAC, "1", "2")}), Group("b", selector=SELECTORS[2])

    def split() -> None:
        table.fill(new, Group("a", selector={"mac": ("1", "2")}))

    response = _selection_during(table, order, moment, [old], split)
    assert response in (Selection(old, None), Selection(new, None))


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("moment", range(4))
def test_replaced_group_never_yields_the_default(table: CatalogTable, order: tuple[int, ...], moment: int) -> None:
    old, new = Group("a", selector=SELECTORS[1]), Group("b", selector=SELECTORS[2])

    def replace() -> None:
        table.fill(new)
        table.writer.delete_group("a")

    response = _selection_during(table, order, moment, [old], replace)
    assert response in (Selection(old, None), Selection(new, None))


def _selection_during(
    table: CatalogTable, order: tuple[int, ...], moment: int, groups: list[Group], write: Callable[[], object]
) -> Selection | None:
    """What a warm reader selects if `write` happens after the first `moment` entries of its first pass."""
    table.fill(*(Group(f"shape-{n}", selector=dict.fromkeys(s, "-")) for n, s in enumerate(SELECTORS) if s))
    table.fill(Group("default"), *groups)
    pending = [write]
    rank = {entry_key(selectors_of(selector)[0]): order.index(n) for n, selector in enumerate(SELECTORS)}

    class Torn(DynamoDB):
        def batch_get_items(
            self, table: str, name: str, keys: Sequence[str], deadline: float, *others: object, **options: object
        ) -> list[Item]:
            items = []
            for key in sorted(keys, key=lambda key: rank.get(key, -1)):
                if armed and pending and rank.get(key) == moment:
                    pending.pop()()
                items += super().batch_get_items(table, name, [key], deadline)
            if armed and pending:
                pending.pop()()
            return items

    armed = False
    reader = table.reader(kind=Torn)
    reader.select({})
    armed = True
    response = reader.select(SELECTORS[2])
    assert not pending
    return response


def test_tombstone_first_seen_during_a_pass_is_new_to_it() -> None:
    tombstones = _Tombstones()
    tombstone = _Tombstone("e", "g", 1)
    began = time.monotonic_ns()
    by_another = tombstones.all_seen_before(time.monotonic_ns(), [tombstone])
    here = tombstones.all_seen_before(began, [tombstone])
    assert [False, False, True] == [
        by_another,
        here,
        tombstones.all_seen_before(time.monotonic_ns() + 1, [tombstone]),
    ]


def test_next_pass_knows_all_tombstones() -> None:
    tombstones = _Tombstones()
    found = [_Tombstone("e", "g", value) for value in range(MAX_TOMBSTONES + 1)]
    assert not tombstones.all_seen_before(time.monotonic_ns(), found)
    assert tombstones.all_seen_before(time.monotonic_ns() + 1, found)
