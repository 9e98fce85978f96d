"""Reads of the table."""

import pytest

from matchboxctl.plan.limits import Limits
from matchboxctl.plan.table import ITEM, TABLE, Table


def served(table: Table, now: float, calls: int, units: int) -> int:
    return sum(not table.read(now, units)[1] for _ in range(calls))


def test_reads_beyond_the_item_wait_and_are_given_up_then() -> None:
    table = Table(Limits(item_reads=100, read_deadline=2))
    waits = [table.read(0, 1) for _ in range(400)]
    assert (0, "") == waits[99]
    assert pytest.approx(2) == waits[299][0]
    assert [(2, ITEM)] * 100 == waits[300:]
    assert pytest.approx({TABLE: 0, ITEM: 2}) == table.longest_waits


def test_reads_beyond_the_table_name_it() -> None:
    table = Table(Limits(table_reads=100, read_deadline=0))
    assert ["", TABLE] == [table.read(0, 60)[1] for _ in range(2)]


def test_reads_that_one_limit_refuses_take_nothing_of_the_other() -> None:
    table = Table(Limits(table_reads=100, item_reads=2, read_deadline=0))
    assert ["", TABLE, TABLE] == [table.read(0, units)[1] for units in (60, 60, 60)]
    assert ["", ITEM] == [table.read(0, 1)[1] for _ in range(2)]


def test_table_doubles_its_greatest_rate_after_half_an_hour() -> None:
    table = Table(Limits(table_reads=100, table_quota=150, read_deadline=0, item_reads=10_000))
    for second in range(1, 1800):
        assert 100 == served(table, second, 120, 1)
    served(table, 1801, 120, 1)
    served(table, 1802, 120, 1)
    assert 150 == sum(served(table, 1802 + part / 10, 30, 1) for part in range(1, 11))
