"""Groups of many selector shapes, written into an empty table at once."""

from lambda_matchbox.aws.bulk.load import bulk_load
from lambda_matchbox.catalog.groups import Group
from tests.rigs.catalog_table import CatalogTable


def of_shapes(shapes: int, number: int) -> list[Group]:
    """So many groups of profile p, spread over so many selector shapes, none with another's selector."""
    return [
        Group(f"g{n:05}", profile="p", selector={f"key{n % shapes:03}": f"value {n}", "rack": "7"})
        for n in range(number)
    ]


def with_lists(group: Group) -> Group:
    """The group, with ten values for its first key: its own, and others that no group has."""
    key, value = next(iter(group.selector.items()))
    assert isinstance(value, str)
    return group._replace(selector={**group.selector, key: (value, *(f"{value}, {number}" for number in range(1, 10)))})


def write(table: CatalogTable, groups: list[Group]) -> None:
    """Write them into the table, which has nothing yet."""
    bulk_load(table.clients, groups)
