"""What every catalogue promises: the one in memory, and the one on DynamoDB on moto and on DynamoDB Local."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from functools import cache
from itertools import permutations
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aws_stores.catalog import REMEMBERED_TOMBSTONES, _Tombstone, _Tombstones
from aws_stores.catalog_writer import CatalogWriter
from aws_stores.dynamodb import DynamoDB
from aws_stores.http_client import HttpClient
from aws_stores.table import UnwritableError, entry_key, member_name
from matchbox.errors import StoreUnavailableError
from matchbox.groups import Group
from matchbox.memory import MemoryCatalog
from matchbox.profiles import NetBoot, Profile
from matchbox.selection import select, selector_of
from matchbox.stores import Catalog, Selection
from tests.rigs.catalog_table import ENOUGH, CatalogTable
from tests.rigs.faults import Withhold
from tests.rigs.tcp_fault import fault_proxy

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from aws_stores.dynamodb_json import Item
    from tests.rigs.service import Service

MAC = "52:54:00:12:34:56"


class MemoryWriter:
    """The writer's verbs on the catalogue in memory."""

    def __init__(self) -> None:
        self.catalog = MemoryCatalog()

    def put_group(self, group: Group) -> None:
        self.catalog.groups.put(group)

    def delete_group(self, group_id: str) -> None:
        self.catalog.groups.discard(group_id)

    def put_profile(self, profile: Profile) -> None:
        self.catalog.profiles[profile.id] = profile

    def delete_profile(self, profile_id: str) -> None:
        self.catalog.profiles.pop(profile_id, None)

    def put_template(self, kind: str, template_id: str, body: bytes) -> None:
        self.catalog.templates[kind, template_id] = body

    def delete_template(self, kind: str, template_id: str) -> None:
        self.catalog.templates.pop((kind, template_id), None)


class Subject:
    """A catalogue and what writes it."""

    def __init__(self, catalog: Catalog, writer: MemoryWriter | CatalogWriter) -> None:
        self.catalog = catalog
        self.writer = writer

    def put(self, *groups: Group) -> None:
        for group in groups:
            self.writer.put_group(group)

    def chosen(self, labels: Mapping[str, str]) -> str | None:
        """The id of the group selected."""
        selection = self.catalog.select(labels)
        return None if selection is None else selection.group.id


MakeTable: TypeAlias = "Callable[[Service], CatalogTable]"
ON_DYNAMODB = ["moto_server", pytest.param("dynamodb_local", marks=pytest.mark.real)]


@pytest.fixture(scope="module")
def made(moto_server: Service) -> Iterator[MakeTable]:
    """Makes tables, with buckets on moto; clients are kept between them, as they are slow to make."""
    with ExitStack() as opened:
        http = opened.enter_context(closing(HttpClient(connect_timeout=ENOUGH, read_timeout=ENOUGH)))
        client = cache(lambda service: opened.enter_context(closing(service.client("dynamodb"))))
        s3_client = opened.enter_context(closing(moto_server.client("s3")))
        yield lambda service: CatalogTable(service, client(service), moto_server, s3_client, http)


@pytest.fixture(params=ON_DYNAMODB)
def table(request: pytest.FixtureRequest, made: MakeTable) -> Iterator[CatalogTable]:
    with closing(made(request.getfixturevalue(request.param))) as table:
        yield table


@pytest.fixture(params=["memory", *ON_DYNAMODB])
def subject(request: pytest.FixtureRequest, made: MakeTable) -> Iterator[Subject]:
    if request.param == "memory":
        writer = MemoryWriter()
        yield Subject(writer.catalog, writer)
        return
    with closing(made(request.getfixturevalue(request.param))) as table:
        yield Subject(table.reader(), table.writer)


class TestSelection:
    def test_empty(self, subject: Subject) -> None:
        """Without groups nothing is selected."""
        assert subject.catalog.select({"mac": MAC}) is None

    def test_whole(self, subject: Subject) -> None:
        """A selection has every field of the group and of its profile."""
        group = Group("a", "Name", "p", {"mac": MAC}, {"n": [1, 2.5, {"ü": None}], "big": 2**70, "s": "\U0001f600"})
        profile = Profile("p", "P", "i.yaml", "c", "g", NetBoot("/k", ("/i", "/j"), ("a=b", "")))
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
        """A label that is no Unicode text is like any other that no group asks for."""
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
        answers = [subject.chosen({"k": "v"})]
        for group_id in ("a", "b", "default", "never there"):
            subject.writer.delete_group(group_id)
            answers.append(subject.chosen({"k": "v"}))
        assert ["a", "b", "default", None, None] == answers


class TestByName:
    @pytest.mark.parametrize(
        "profile",
        [Profile("p"), Profile("p", boot=NetBoot()), Profile("ü/#", "N", "i", "c", "g", NetBoot("k", ("i",)))],
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


class TestCalls:
    """How many calls an answer costs."""

    GROUP = Group("a", profile="p", selector={"mac": MAC})

    def test_budget(self, table: CatalogTable) -> None:
        """A selection takes three calls at first and two from then on; a template one more."""
        table.fill(Group("default"), self.GROUP, *(Group(f"g{n}", selector={f"k{n}": "v"}) for n in range(20)))
        table.writer.put_profile(Profile("p"))
        calls = []
        with fault_proxy(table.service.endpoint) as proxy:
            reader = table.reader(proxy.endpoint)
            for _ in range(2):
                assert Selection(self.GROUP, Profile("p")) == reader.select({"mac": MAC})
                calls.append(dict(proxy.requests()))
                proxy.forget_requests()
            reader.template("cloud", "c")
            calls.append(dict(proxy.requests()))
        assert [{"GetItem": 1, "BatchGetItem": 2}, {"BatchGetItem": 2}, {"GetItem": 1}] == calls

    def test_ninety_shapes(self, table: CatalogTable) -> None:
        """With 90 shapes a warm selection still takes two calls."""
        table.fill(self.GROUP, *(Group(f"g{n}", selector={f"k{n}": "v"}) for n in range(89)))
        with fault_proxy(table.service.endpoint) as proxy:
            reader = table.reader(proxy.endpoint)
            reader.select({"mac": MAC})
            proxy.forget_requests()
            assert Selection(self.GROUP, None) == reader.select({"mac": MAC})
            assert {"BatchGetItem": 2} == dict(proxy.requests())

    def test_new_shape(self, table: CatalogTable) -> None:
        """A new shape costs a warm reader one more call, once."""
        table.fill(self.GROUP)
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

    def test_tombstone(self, table: CatalogTable) -> None:
        """A tombstone costs each reader one more call, once."""
        table.fill(self.GROUP, Group("b", selector={"mac": MAC}))
        table.writer.delete_group("b")
        calls = []
        with fault_proxy(table.service.endpoint) as proxy:
            reader = table.reader(proxy.endpoint)
            for _ in range(2):
                assert Selection(self.GROUP, None) == reader.select({"mac": MAC})
                calls.append(proxy.requests()["BatchGetItem"])
                proxy.forget_requests()
        assert [3, 2] == calls

    def test_withheld(self, table: CatalogTable) -> None:
        """An answer is never chosen from a part of the entries."""
        table.fill(Group("default"), self.GROUP)
        with fault_proxy(table.service.endpoint) as proxy:
            reader = table.reader(proxy.endpoint)
            reader.select({})
            proxy.switch(Withhold(1), times=1)
            assert Selection(self.GROUP, None) == reader.select({"mac": MAC})


class TestDamage:
    def test_dangling(self, table: CatalogTable) -> None:
        """An entry that names a group which is not there is an outage, not another group."""
        table.fill(Group("default"), Group("a", selector={"k": "v"}))
        table.client.delete_item(TableName=table.name, Key={"pk": {"S": "G#a"}})
        with pytest.raises(StoreUnavailableError, match="4 times"):
            table.reader().select({"k": "v"})

    def test_other_selector(self, table: CatalogTable) -> None:
        """An entry under the right hash with another selector's pairs is not believed."""
        table.fill(Group("default"), Group("a", selector={"k": "v"}))
        table.client.update_item(
            TableName=table.name,
            Key={"pk": {"S": entry_key(selector_of({"k": "v"}))}},
            UpdateExpression="SET s = :other",
            ExpressionAttributeValues={":other": {"S": '[["k","w"]]'}},
        )
        assert Selection(Group("default"), None) == table.reader().select({"k": "v"})


class TestWriter:
    def test_sweep(self, table: CatalogTable) -> None:
        """A sweep removes tombstones and empty entries that are old enough, and no group."""
        table.fill(*(Group(group_id, selector={"k": "1"}) for group_id in ("a", "b")), Group("c", selector={"k": "2"}))
        table.fill(Group("a", selector={"k": "3"}), Group("c", selector={"k": "3"}))
        table.writer.sweep(age=3600)
        young = [table.entry({"k": value}) for value in "12"]
        table.writer.sweep(age=-1)
        shared, left = (table.entry({"k": value}) for value in "12")
        assert [{"N"}, {"N"}] == [
            set(entry[member_name(group_id)]) for entry, group_id in zip(young, "ac", strict=True) if entry
        ]
        assert left is None
        assert shared is not None
        assert [{"S": ""}, None] == [shared.get(member_name(group_id)) for group_id in "ba"]

    def test_sweep_table(self, table: CatalogTable) -> None:
        """A sweep of the table finds what another writer left."""
        table.fill(Group("a", selector={"k": "1"}))
        table.writer.delete_group("a")
        table.new_writer().sweep_table(age=-1)
        assert table.entry({"k": "1"}) is None

    def test_too_large(self, table: CatalogTable) -> None:
        """What DynamoDB's limit for an item refuses, and what nothing could serve, names the limit."""
        writer = table.writer
        with pytest.raises(UnwritableError, match="16777216"):
            writer.put_template("generic", "t", bytes(16 * 1024 * 1024 + 1))
        with pytest.raises(UnwritableError, match="400 KB"):
            writer.put_profile(Profile("p", name="x" * 409_600))
        with pytest.raises(UnwritableError, match="400 KB"):
            writer.put_group(Group("g", selector={"k": "x" * 409_600}))

    @pytest.mark.real
    def test_largest(self, dynamodb_local: Service, made: MakeTable) -> None:
        """A template as large as an item may be is written and read (moto takes less)."""
        with closing(made(dynamodb_local)) as table:
            body = b"x" * (409_600 - len("pkT#generic#tbody"))
            table.writer.put_template("generic", "t", body)
            assert body == table.reader().template("generic", "t")

    def test_full_entry(self, table: CatalogTable) -> None:
        """A group for which its selector's entry has no room is refused, and the entry stays as it was."""
        first, second = (Group(group_id, profile=group_id * 180_000) for group_id in "ab")
        third = Group("c", profile="c" * 180_000)
        table.fill(first, second)
        with pytest.raises(UnwritableError, match="400 KB"):
            table.writer.put_group(third)
        assert Selection(first, None) == table.reader().select({})

    @pytest.mark.parametrize("name", ["x" * 2048, "\ud800"])
    def test_no_key(self, table: CatalogTable, name: str) -> None:
        """An id that no key can hold is refused."""
        with pytest.raises(UnwritableError, match="id"):
            table.writer.put_group(Group(name))

    def test_deleted(self, table: CatalogTable) -> None:
        """Deleting says whether there was anything to delete."""
        table.fill(Group("a"))
        table.writer.put_profile(Profile("a"))
        table.writer.put_template("cloud", "a", b"")
        writer = table.writer
        answers = [
            [writer.delete_group("a"), writer.delete_profile("a"), writer.delete_template("cloud", "a")]
            for _ in range(2)
        ]
        assert [[True] * 3, [False] * 3] == answers


class TestTornReads:
    """A BatchGetItem whose items are read at different times, at the worst of them."""

    SELECTORS: tuple[dict[str, str], ...] = ({}, {"mac": MAC}, {"mac": MAC, "os": "x"})
    ORDERS = tuple(permutations(range(3)))

    @pytest.mark.parametrize("order", ORDERS)
    @pytest.mark.parametrize("moment", range(4))
    @pytest.mark.parametrize(("before", "after"), [(1, 2), (2, 1)])
    def test_move(self, table: CatalogTable, order: tuple[int, ...], moment: int, before: int, after: int) -> None:
        """While a group moves to another selector a machine gets it by the one or the other, never the default."""
        old, new = (Group("a", selector=self.SELECTORS[index]) for index in (before, after))
        answer = self._answer_while(table, order, moment, [old], lambda: table.fill(new))
        assert answer in (Selection(old, None), Selection(new, None))

    @pytest.mark.parametrize("order", ORDERS)
    @pytest.mark.parametrize("moment", range(4))
    def test_successor(self, table: CatalogTable, order: tuple[int, ...], moment: int) -> None:
        """While a group takes the place of another one a machine gets either, never the default."""
        old, new = Group("a", selector=self.SELECTORS[1]), Group("b", selector=self.SELECTORS[2])

        def replace() -> None:
            table.fill(new)
            table.writer.delete_group("a")

        answer = self._answer_while(table, order, moment, [old], replace)
        assert answer in (Selection(old, None), Selection(new, None))

    def _answer_while(
        self, table: CatalogTable, order: tuple[int, ...], moment: int, groups: list[Group], write: Callable[[], object]
    ) -> Selection | None:
        """What a warm reader answers if `write` happens after the first `moment` entries of its first pass."""
        table.fill(*(Group(f"shape-{n}", selector=dict.fromkeys(s, "-")) for n, s in enumerate(self.SELECTORS) if s))
        table.fill(Group("default"), *groups)
        pending = [write]
        rank = {entry_key(selector_of(selector)): order.index(n) for n, selector in enumerate(self.SELECTORS)}

        class Torn(DynamoDB):
            def batch_get_items(self, table: str, keys: Sequence[Mapping[str, Any]], deadline: float) -> list[Item]:
                items = []
                for key in sorted(keys, key=lambda key: rank.get(key["pk"], -1)):
                    if armed and pending and rank.get(key["pk"]) == moment:
                        pending.pop()()
                    items += super().batch_get_items(table, [key], deadline)
                if armed and pending:
                    pending.pop()()
                return items

        armed = False
        reader = table.reader(kind=Torn)
        reader.select({})
        armed = True
        answer = reader.select(self.SELECTORS[2])
        assert not pending
        return answer


VALUES = st.sampled_from(["", "1", "2", "1,b=2", "=", "ü"])
SELECTORS = st.dictionaries(st.sampled_from(["a", "b", "a=1,b", "ü", "mac"]), VALUES, max_size=3)
GROUPS = st.lists(
    st.builds(
        lambda *fields: Group(fields[0], "", *fields[1:]), st.sampled_from("abcdef"), st.sampled_from("pq"), SELECTORS
    )
)


@pytest.mark.parametrize("service", ON_DYNAMODB)
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(groups=GROUPS, asked=st.lists(SELECTORS, min_size=1, max_size=6), data=st.data())
def test_agrees_with_the_plain_rule(
    request: pytest.FixtureRequest,
    made: MakeTable,
    service: str,
    groups: list[Group],
    asked: list[dict[str, str]],
    data: st.DataObject,
) -> None:
    """DynamoDB's catalogue selects what the plain rule selects, after any writes, also for a reader that is warm."""
    with closing(made(request.getfixturevalue(service))) as table:
        reader = table.reader()
        there: dict[str, Group] = {}
        for group in groups:
            if data.draw(st.integers(0, 3)) == 0:
                table.writer.delete_group(group.id)
                there.pop(group.id, None)
            else:
                table.writer.put_group(group)
                there[group.id] = group
            reader.select(asked[0])
        for labels in asked:
            expected = select(there.values(), labels)
            assert (None if expected is None else Selection(expected, None)) == reader.select(labels)


def test_a_pass_under_way_knows_nothing_of_other_threads() -> None:
    """A tombstone that was first seen after a pass began is no old one for this pass, whoever saw it."""
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


def test_many_tombstones_are_known_again() -> None:
    """However many tombstones a pass finds, the next pass knows them all."""
    tombstones = _Tombstones()
    found = [_Tombstone("e", "g", value) for value in range(REMEMBERED_TOMBSTONES + 1)]
    assert not tombstones.all_seen_before(time.monotonic_ns(), found)
    assert tombstones.all_seen_before(time.monotonic_ns() + 1, found)
