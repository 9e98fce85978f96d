"""The contract of catalogs: in memory, a directory, moto's DynamoDB and DynamoDB Local."""

import pytest

from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import NetBoot, Profile
from lambda_matchbox.catalog.stores import Selection
from tests.contract.catalog_subjects import Subject

MAC = "52:54:00:12:34:56"


class TestSelection:
    def test_empty(self, subject: Subject) -> None:
        """Without groups nothing is selected."""
        assert subject.catalog.select({"mac": MAC}) is None

    def test_whole(self, subject: Subject) -> None:
        """A selection has every field of the group and of its profile."""
        group = Group("a", "Name", "p", {"mac": MAC}, {"n": [1, 2.5, {"ü": None}], "big": 2**70, "s": "\U0001f600"})
        boot = NetBoot("/k", ("/i", "/j"), ("a=b", ""))
        profile = Profile("p", "P", "i.yaml", "c", "g", boot, {"n": [1, 2.5, {"ü": None}], "big": 2**70})
        subject.put(group)
        subject.writer.put_profile(profile)
        assert Selection(group, profile) == subject.catalog.select({"mac": MAC, "uuid": "x"})

    def test_most_selectors(self, subject: Subject) -> None:
        """The group with the most selectors wins."""
        subject.put(Group("a"), Group("b", selector={"mac": MAC}), Group("c", selector={"mac": MAC, "os": "installed"}))
        assert ["a", "b", "c"] == [
            subject.chosen(labels) for labels in ({}, {"mac": MAC}, {"mac": MAC, "os": "installed"})
        ]

    def test_tie(self, subject: Subject) -> None:
        """Among as many selectors the greatest `k=v,k=v` by bytes wins."""
        subject.put(Group("a", selector={"z": "1"}), Group("b", selector={"y": "2"}), Group("c", selector={"z-": "1"}))
        assert "a" == subject.chosen({"z": "1", "y": "2", "z-": "1"})

    def test_missing_label(self, subject: Subject) -> None:
        """A missing label reads as the empty string."""
        subject.put(Group("a", selector={"os": ""}))
        assert ["a", "a", None] == [subject.chosen(labels) for labels in ({}, {"os": ""}, {"os": "x"})]

    def test_no_labels_at_all(self, subject: Subject) -> None:
        """Labels that match nothing select a group without selectors only."""
        subject.put(Group("a", selector={"os": ""}))
        assert subject.catalog.select(None) is None
        subject.put(Group("b"))
        chosen = subject.catalog.select(None)
        assert chosen is not None
        assert "b" == chosen.group.id

    def test_all_groups(self, subject: Subject) -> None:
        """All groups are listed once, those that match first, also one with several combinations."""
        listed = Group("b", selector={"mac": (MAC, "52:54:00:12:34:57"), "os": ("", "x")})
        subject.put(*(Group(f"a{n}", selector={"os": f"{n}"}) for n in range(5)), listed, Group("z", metadata={"n": 1}))
        found = list(subject.catalog.all_groups({"mac": MAC}))
        assert {"b", "z"} == {group.id for group in found[:2]}
        assert ["a0", "a1", "a2", "a3", "a4", "b", "z"] == sorted(group.id for group in found)
        assert listed in found
        assert Group("z", metadata={"n": 1}) in found
        assert "z" == next(subject.catalog.all_groups()).id
        subject.writer.delete_group("b")
        assert 6 == len(list(subject.catalog.all_groups({"mac": MAC})))

    def test_ambiguous_text(self, subject: Subject) -> None:
        """A `,` or `=` in a value makes no other selector of it."""
        subject.put(Group("one", selector={"a": "1,b=2"}), Group("two", selector={"a": "1", "b": "2"}))
        assert ["one", "two"] == [subject.chosen(labels) for labels in ({"a": "1,b=2"}, {"a": "1", "b": "2"})]

    def test_long_value(self, subject: Subject) -> None:
        """A selector's value may have 5 KB, and each character of it counts."""
        long = "ü" * 2560
        subject.put(Group("a", selector={"k": long}))
        assert ["a", None] == [subject.chosen({"k": value}) for value in (long, long[:-1])]

    def test_long_label(self, subject: Subject) -> None:
        """A label of 10 KB that no group asks for changes nothing."""
        subject.put(Group("default"), Group("a", selector={"k": "v"}))
        assert ["default", "a"] == [
            subject.chosen(labels) for labels in ({"k": "x" * 10240}, {"k": "v", "y" * 10240: "z"})
        ]

    def test_smaller_id(self, subject: Subject) -> None:
        """Of groups with the same selectors the smaller id by bytes wins, in whatever order they came."""
        subject.put(*(Group(group_id, selector={"k": "v"}) for group_id in ("b", "\U00010000", "\uffff", "a", "B")))
        assert "B" == subject.chosen({"k": "v"})

    def test_orders_by_utf8(self, subject: Subject) -> None:
        """Ids are ordered by UTF-8, not UTF-16."""
        subject.put(Group("\U00010000"), Group("\uffff"))
        assert "\uffff" == subject.chosen({})

    def test_half_a_surrogate_pair(self, subject: Subject) -> None:
        """A label that is not Unicode matches like any other."""
        subject.put(Group("default"), Group("a", selector={"k": "v"}))
        assert "default" == subject.chosen({"k": "\ud800"})

    @pytest.mark.parametrize("profile_id", ["", "absent", "x" * 3000])
    def test_absent_profile(self, subject: Subject, profile_id: str) -> None:
        """A group that names a profile which is not there is selected without one."""
        group = Group("a", profile=profile_id)
        subject.put(group)
        assert Selection(group, None) == subject.catalog.select({})


class TestChanges:
    def test_selector(self, subject: Subject) -> None:
        """A group with new selectors is found by them alone."""
        subject.put(Group("a", selector={"k": "1"}))
        before = subject.chosen({"k": "1"})
        subject.put(Group("a", selector={"k": "2", "l": "3"}))
        assert ["a", None, "a"] == [before, subject.chosen({"k": "1"}), subject.chosen({"k": "2", "l": "3"})]

    def test_there_and_back(self, subject: Subject) -> None:
        """A group that returns to its old selectors is found by them again."""
        for value in ("1", "2", "1"):
            subject.put(Group("a", selector={"k": value}))
        assert ["a", None] == [subject.chosen({"k": value}) for value in ("1", "2")]

    def test_profile(self, subject: Subject) -> None:
        """A group that names another profile gets it."""
        profiles = [Profile("p"), Profile("q")]
        for profile in profiles:
            subject.writer.put_profile(profile)
            subject.put(Group("a", profile=profile.id))
        assert Selection(Group("a", profile="q"), profiles[1]) == subject.catalog.select({})

    def test_delete(self, subject: Subject) -> None:
        """A deleted group leaves its machines to the next best."""
        subject.put(Group("a", selector={"k": "v"}), Group("b", selector={"k": "v"}), Group("default"))
        responses = [subject.chosen({"k": "v"})]
        for group_id in ("a", "b", "default", "never there"):
            subject.writer.delete_group(group_id)
            responses.append(subject.chosen({"k": "v"}))
        assert ["a", "b", "default", None, None] == responses


class TestByName:
    @pytest.mark.parametrize(
        "profile",
        [
            Profile("p"),
            Profile("p", boot=NetBoot()),
            Profile("ü/#", "N", "i", "c", "g", NetBoot("k", ("i",))),
            Profile("p", boot=NetBoot("k"), metadata={"a": [1, None, {"b": "ü"}], "boot": False}),
            Profile("p", boot=NetBoot("k"), metadata={"long": ["x" * 1_000] * 100}),
        ],
    )
    def test_profile(self, subject: Subject, profile: Profile) -> None:
        """A profile is found by its id until it is deleted."""
        subject.writer.put_profile(profile)
        before = subject.catalog.profile(profile.id)
        subject.writer.delete_profile(profile.id)
        assert [profile, None] == [before, subject.catalog.profile(profile.id)]

    @pytest.mark.parametrize("body", [b"", b"\x00\xff\n", b"x" * 300_000])
    def test_template(self, subject: Subject, body: bytes) -> None:
        """A template is found by its kind and id, with the bytes it was given, until it is deleted."""
        subject.writer.put_template("cloud", "a.yaml", body)
        found = [subject.catalog.template(kind, "a.yaml") for kind in ("cloud", "generic")]
        subject.writer.delete_template("cloud", "a.yaml")
        assert [body, None, None] == [*found, subject.catalog.template("cloud", "a.yaml")]

    @pytest.mark.parametrize("name", ["absent", "", "x" * 3000, "\ud800"])
    def test_absent(self, subject: Subject, name: str) -> None:
        """No profile and no template has a name that was never given, whatever the name."""
        assert (None, None) == (subject.catalog.profile(name), subject.catalog.template("generic", name))
