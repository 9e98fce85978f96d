"""The costs of disks and filesystems in a config, and overlapping partitions."""

import sys
from collections.abc import Callable
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_matchbox.ignition.butane.desugaring.mount_units import mount_units
from lambda_matchbox.ignition.butane.dialects import dialect_of
from lambda_matchbox.ignition.butane.structs import made
from lambda_matchbox.ignition.config.problem import Problem
from lambda_matchbox.ignition.config.reader import Struct
from lambda_matchbox.ignition.config.storage_rules import disk_problems

FCOS = dialect_of("fcos", "1.5.0")
PLACES = st.lists(st.tuples(st.integers(-12, 12), st.integers(-6, 6)), max_size=8)


def disk(places: list[tuple[int, int]]) -> Struct:
    partitions = [
        {"number": index, "startMiB": start, "sizeMiB": size} for index, (start, size) in enumerate(places, 1)
    ]
    return {"device": "/dev/sda", "partitions": partitions}


@given(PLACES)
def test_the_reported_overlap_is_ignitions(places: list[tuple[int, int]]) -> None:
    """Ignition compares each partition with each."""

    def runs_into(one: tuple[int, int], other: tuple[int, int]) -> bool:
        (start, size), (other_start, other_size) = one, other
        end = start + size - 1 if size else start
        other_end = other_start + other_size - 1 if other_size else other_start
        within = other_start <= start <= other_end or other_start <= end <= other_end
        return within or (start < other_start and end > other_end)

    pairs = permutations([(index, place) for index, place in enumerate(places) if place[0]], 2)
    found = [index for (_, one), (index, other) in pairs if runs_into(one, other)][:1]
    expected = [Problem(f"$.partitions.{index}", "partitions overlap") for index in found]
    assert expected == list(disk_problems(disk(places), "$", 4))


def calls(work: Callable[[], object]) -> int:
    """The number of Python function calls."""
    count = 0

    def called(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event == "call"

    sys.setprofile(called)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


def partitions(count: int) -> object:
    return list(disk_problems(disk([(10 * number, 5) for number in range(1, count)]), "$", 4))


def mounted(count: int) -> object:
    tang = {"tang": [{"url": "http://a"}]}
    luks = [made("Luks", FCOS, (), name=f"l{number}", clevis=tang) for number in range(count)]
    members = {"format": "ext4", "with_mount_unit": True}
    filesystems = [
        made("Filesystem", FCOS, (), device=f"/dev/mapper/l{number}", path=f"/var/{number}", **members)
        for number in range(count)
    ]
    return mount_units({"luks": luks, "filesystems": filesystems}, FCOS)


@pytest.mark.parametrize("work", [partitions, mounted])
def test_costs_grow_linearly(work: Callable[[int], object]) -> None:
    assert calls(lambda: work(400)) < 2.5 * calls(lambda: work(200))
