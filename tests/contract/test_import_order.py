"""The order in which groups are written while machines boot."""

import time
from typing import Any

from lambda_matchbox.aws.bulk.plan import Plan
from lambda_matchbox.aws.bulk.run import CatalogImport
from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.templates import CatalogDocument
from tests.rigs.catalog_table import CatalogTable

MACS = tuple(map(str, range(12)))


def documents(*groups: Group) -> dict[str, CatalogDocument]:
    return {f"G#{group.id}": group for group in groups}


def test_own_group_exists_before_a_machine_leaves_a_list(table: CatalogTable) -> None:
    table.fill(*(Group(f"list{n}", selector={"mac": MACS[n : n + 2]}) for n in range(0, 12, 2)))
    changed = [Group(f"list{n}", selector={"mac": MACS[n]}) for n in range(0, 12, 2)]
    own = [Group(f"own{n}", selector={"mac": MACS[n]}) for n in range(1, 12, 2)]
    specific = Group("specific", selector={"mac": "1", "os": ("x", "y")})
    plan = Plan(documents(Group("default"), *own, specific), documents(*changed), [], 0, [])
    names: list[str] = []

    def written(params: dict[str, Any], **_: object) -> None:
        name = params["TransactItems"][0]["Put"]["Item"]["pk"]["S"].removeprefix("G#").rstrip("0123456789")
        if name == "own":
            # What may be written at the same time overtakes it.
            time.sleep(0.1)
        names.append(name)

    event = "provide-client-params.dynamodb.TransactWriteItems"
    table.client.meta.events.register(event, written)
    try:
        CatalogImport(table.clients).carry_out(plan, lambda _: None)
    finally:
        table.client.meta.events.unregister(event, written)
    assert ["specific", *["own"] * 6, *["list"] * 6, "default"] == names
