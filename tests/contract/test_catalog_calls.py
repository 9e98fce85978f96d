"""DynamoDB calls of the catalog."""

from dataclasses import replace

import pytest

from lambda_matchbox.aws.bulk.load import bulk_load
from lambda_matchbox.aws.catalog.listing import CatalogListing
from lambda_matchbox.aws.catalog.table_contents import scan_table
from lambda_matchbox.aws.parallel import SCANNED_AT_ONCE, SEGMENTS
from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import Profile
from lambda_matchbox.catalog.stores import Selection
from tests.rigs.catalog_table import CatalogTable
from tests.rigs.faults import Withhold
from tests.rigs.tcp_fault import fault_proxy

MAC = "52:54:00:12:34:56"
GROUP = Group("a", profile="p", selector={"mac": MAC})


def test_selection_takes_three_calls_then_two(table: CatalogTable) -> None:
    """A template takes one more."""
    table.fill(Group("default"), GROUP, *(Group(f"g{n}", selector={f"k{n}": "v"}) for n in range(20)))
    table.writer.put_profile(Profile("p"))
    calls = []
    with fault_proxy(table.service.endpoint) as proxy:
        reader = table.reader(proxy.endpoint)
        for _ in range(2):
            assert Selection(GROUP, Profile("p")) == reader.select({"mac": MAC})
            calls.append(dict(proxy.requests()))
            proxy.forget_requests()
        reader.template("cloud", "c")
        calls.append(dict(proxy.requests()))
    assert [{"GetItem": 1, "BatchGetItem": 2}, {"BatchGetItem": 2}, {"GetItem": 1}] == calls


def test_new_shape_costs_one_call_once(table: CatalogTable) -> None:
    table.fill(GROUP)
    calls = []
    with fault_proxy(table.service.endpoint) as proxy:
        reader = table.reader(proxy.endpoint)
        reader.select({"mac": MAC})
        table.fill(Group("b", selector={"mac": MAC, "os": "x"}))
        for _ in range(2):
            proxy.forget_requests()
            assert Selection(Group("b", selector={"mac": MAC, "os": "x"}), None) == reader.select(
                {"mac": MAC, "os": "x"}
            )
            calls.append(proxy.requests()["BatchGetItem"])
    assert [3, 2] == calls


def test_tombstone_costs_one_call_once(table: CatalogTable) -> None:
    table.fill(GROUP, Group("b", selector={"mac": MAC}))
    table.writer.delete_group("b")
    calls = []
    with fault_proxy(table.service.endpoint) as proxy:
        reader = table.reader(proxy.endpoint)
        for _ in range(2):
            assert Selection(GROUP, None) == reader.select({"mac": MAC})
            calls.append(proxy.requests()["BatchGetItem"])
            proxy.forget_requests()
    assert [3, 2] == calls


def test_selection_never_uses_part_of_the_entries(table: CatalogTable) -> None:
    table.fill(Group("default"), GROUP)
    with fault_proxy(table.service.endpoint) as proxy:
        reader = table.reader(proxy.endpoint)
        reader.select({})
        proxy.switch(Withhold(1), times=1)
        assert Selection(GROUP, None) == reader.select({"mac": MAC})


def test_groups_that_match_are_listed_without_a_scan(table: CatalogTable) -> None:
    table.fill(Group("default"), GROUP, *(Group(f"g{n}", selector={"os": f"{n}"}) for n in range(20)))
    with fault_proxy(table.service.endpoint) as proxy:
        groups = table.reader(proxy.endpoint).all_groups({"mac": MAC})
        assert {"a", "default"} == {next(groups).id, next(groups).id}
        assert {"GetItem": 1, "BatchGetItem": 2} == dict(proxy.requests())
        assert 20 == len(list(groups))
        assert 1 == proxy.requests()["Scan"]


def test_a_table_of_many_pages_is_read_in_parallel(table: CatalogTable) -> None:
    groups = [Group(f"g{n}", selector={"os": f"{n}"}) for n in range(SCANNED_AT_ONCE)]
    bulk_load(table.clients, groups)
    with fault_proxy(table.service.endpoint) as proxy:
        clients = table.clients._replace(dynamodb=replace(table.service, endpoint=proxy.endpoint).client("dynamodb"))
        listing = CatalogListing(clients, lambda call: call(), lambda _: b"", pytest.fail)
        assert sorted(groups) == sorted(listing.groups())
        assert 1 + SEGMENTS == proxy.requests()["Scan"]
    assert {group.id for group in groups} == scan_table(table.clients).groups.keys()
