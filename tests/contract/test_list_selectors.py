"""Groups whose selectors list values: one group in the place of many, in every catalogue."""

from collections.abc import Iterable

from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import Profile
from lambda_matchbox.catalog.stores import Selection
from tests.contract.catalog_subjects import Subject

MACS = tuple(f"52:54:00:00:00:{number:02x}" for number in range(60))


def chosen(subject: Subject, macs: Iterable[str], **others: str) -> list[str | None]:
    """The ids of the groups of these machines."""
    return [subject.chosen({"mac": mac, **others}) for mac in macs]


def test_any_of_the_values(subject: Subject) -> None:
    """A machine matches by any value of each list, and by nothing else; the selection has the whole group."""
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


def test_most_combinations(subject: Subject) -> None:
    """Each of forty combinations finds the group, and they are taken away and brought again with it."""
    group = Group("a", selector={"mac": MACS[:8], "os": tuple("12345")})
    machines = [{"mac": mac, "os": os} for mac in MACS[:8] for os in "12345"]
    found = []
    for write in (subject.writer.put_group, lambda group: subject.writer.delete_group(group.id)) * 2:
        write(group)
        found.append({subject.chosen(machine) for machine in machines})
    assert [{"a"}, {None}] * 2 == found


def test_forty_to_forty_others(subject: Subject) -> None:
    """A group that leaves all of its forty machines for forty others, or for half of them, has those alone."""
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


def test_shared_in_part(subject: Subject) -> None:
    """Where two groups list the same value the smaller id is chosen, elsewhere each has its own."""
    subject.put(Group("b", selector={"mac": MACS[:3]}), Group("a", selector={"mac": MACS[2:5]}))
    before = chosen(subject, MACS[:5])
    subject.writer.delete_group("a")
    assert [["b", "b", "a", "a", "a"], ["b", "b", "b", None, None]] == [before, chosen(subject, MACS[:5])]


def test_lists_and_plain_selectors(subject: Subject) -> None:
    """Lists and plain values count alike: most keys, then the greatest of what the machine has, then the smaller id."""
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


def test_one_value_and_back(subject: Subject) -> None:
    """A group may go from a list to one of its values and back."""
    found = []
    for wanted in (MACS[:2], MACS[0], MACS[:2]):
        subject.put(Group("a", selector={"mac": wanted}))
        found.append(chosen(subject, MACS[:2]))
    assert [["a", "a"], ["a", None], ["a", "a"]] == found


def test_profile(subject: Subject) -> None:
    """A group that names another profile gets it for all of its machines."""
    for profile in (Profile("p"), Profile("q")):
        subject.writer.put_profile(profile)
        group = Group("a", profile=profile.id, selector={"mac": MACS[:2]})
        subject.put(group)
        assert [Selection(group, profile)] * 2 == [subject.catalog.select({"mac": mac}) for mac in MACS[:2]]
