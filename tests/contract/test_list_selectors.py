"""Groups whose selectors list values, in every catalog."""

from collections.abc import Iterable

from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import Profile
from lambda_matchbox.catalog.stores import Selection
from tests.contract.catalog_subjects import Subject

MACS = tuple(f"52:54:00:00:00:{number:02x}" for number in range(60))


def chosen(subject: Subject, macs: Iterable[str], **others: str) -> list[str | None]:
    """The ids of the groups of these machines."""
    return [subject.chosen({"mac": mac, **others}) for mac in macs]


def test_any_value_of_each_list_matches(subject: Subject) -> None:
    group = Group("a", "Name", "p", {"mac": MACS[:3], "arch": "arm64", "os": ("", "old")}, {"n": 1})
    subject.put(group)
    subject.writer.put_profile(Profile("p"))
    for mac in MACS[:3]:
        for others in ({}, {"os": "old", "rack": "7"}):
            assert Selection(group, Profile("p")) == subject.catalog.select({"mac": mac, "arch": "arm64", **others})
    assert [None] * 4 == [
        *chosen(subject, MACS[3:4], arch="arm64"),
        *chosen(subject, MACS[:1], arch="arm64", os="new"),
        *chosen(subject, MACS[:1], arch="x86_64"),
        *chosen(subject, MACS[:1]),
    ]


def test_forty_combinations_come_and_go_with_the_group(subject: Subject) -> None:
    group = Group("a", selector={"mac": MACS[:8], "os": tuple("12345")})
    machines = [{"mac": mac, "os": os} for mac in MACS[:8] for os in "12345"]
    found = []
    for write in (subject.writer.put_group, lambda group: subject.writer.delete_group(group.id)) * 2:
        write(group)
        found.append({subject.chosen(machine) for machine in machines})
    assert [{"a"}, {None}] * 2 == found


def test_group_moves_from_forty_machines_to_others(subject: Subject) -> None:
    subject.put(Group("default"))
    found = []
    for first in (0, 20, 0):
        subject.put(Group("a", selector={"mac": MACS[first : first + 40]}))
        found.append(chosen(subject, MACS))
    subject.put(Group("a", selector={"os": MACS[:40]}))
    found.append(chosen(subject, MACS))
    low, high = ["a"] * 40 + ["default"] * 20, ["default"] * 20 + ["a"] * 40
    assert [low, high, low, ["default"] * 60] == found
    assert ["a", "default"] == [subject.chosen({"os": mac}) for mac in (MACS[39], MACS[40])]


def test_smaller_id_wins_a_shared_value(subject: Subject) -> None:
    subject.put(Group("b", selector={"mac": MACS[:3]}), Group("a", selector={"mac": MACS[2:5]}))
    before = chosen(subject, MACS[:5])
    subject.writer.delete_group("a")
    assert [["b", "b", "a", "a", "a"], ["b", "b", "b", None, None]] == [before, chosen(subject, MACS[:5])]


def test_lists_and_plain_values_rank_alike(subject: Subject) -> None:
    subject.put(
        Group("list", selector={"mac": MACS[:2]}),
        Group("a", selector={"mac": MACS[0]}),
        Group("more", selector={"mac": MACS[1], "os": ("x", "y")}),
        Group("first", selector={"k": ("0", "1"), "z": "1"}),
        Group("second", selector={"k": "1", "y": "1"}),
    )
    assert ["a", "list"] == chosen(subject, MACS[:2])
    assert ["more"] == chosen(subject, MACS[1:2], os="y")
    assert "first" == subject.chosen({"k": "1", "z": "1", "y": "1"})


def test_list_may_become_one_value_and_back(subject: Subject) -> None:
    found = []
    for wanted in (MACS[:2], MACS[0], MACS[:2]):
        subject.put(Group("a", selector={"mac": wanted}))
        found.append(chosen(subject, MACS[:2]))
    assert [["a", "a"], ["a", None], ["a", "a"]] == found


def test_changed_profile_applies_to_all_machines(subject: Subject) -> None:
    for profile in (Profile("p"), Profile("q")):
        subject.writer.put_profile(profile)
        group = Group("a", profile=profile.id, selector={"mac": MACS[:2]})
        subject.put(group)
        assert [Selection(group, profile)] * 2 == [subject.catalog.select({"mac": mac}) for mac in MACS[:2]]
