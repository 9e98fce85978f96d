"""Groups that are written while machines ask, on DynamoDB Local."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from itertools import count

import pytest

from lambda_matchbox.aws.clients.http_client import HttpClient
from lambda_matchbox.aws.fsck.fsck import Ages
from lambda_matchbox.aws.fsck.rules import Finding
from lambda_matchbox.aws.keys import member_name
from lambda_matchbox.catalog.groups import Group, SelectorValue
from lambda_matchbox.catalog.profiles import Profile
from lambda_matchbox.catalog.stores import Selection
from lambda_matchbox.errors import StoreUnavailableError
from tests.rigs.catalog_table import ENOUGH, CatalogTable
from tests.rigs.service import Service
from tests.support.nightly import NIGHTLY

pytestmark = pytest.mark.real

SELECTIONS = 1000 if NIGHTLY else 60
"""Asked by each of two readers, one warm and one that is new each time."""

MAC = "52:54:00:12:34:56"
LABELS = {"mac": MAC, "os": "installed"}
SELECTORS = ({"mac": MAC}, {"mac": MAC, "os": "installed"})
LISTS: tuple[dict[str, SelectorValue], ...] = (
    {"mac": (MAC, *(f"low {number}" for number in range(39)))},
    {"mac": (*(f"high {number}" for number in range(19)), MAC), "os": ("installed", "new")},
)
"""Forty selectors each, of which one is the machine's."""


@pytest.fixture
def table(dynamodb_local: Service, moto_server: Service) -> Iterator[CatalogTable]:
    """A table with a default group, and profiles p and q."""
    with (
        closing(HttpClient(connect_timeout=ENOUGH, read_timeout=ENOUGH)) as http,
        closing(dynamodb_local.client("dynamodb")) as client,
        closing(moto_server.client("s3")) as s3_client,
        closing(CatalogTable(dynamodb_local, client, moto_server, s3_client, http)) as made,
    ):
        made.fill(Group("default"))
        for profile_id in "pq":
            made.writer.put_profile(Profile(profile_id))
        yield made


@contextmanager
def again_and_again(write: Callable[[int], object]) -> Iterator[list[int]]:
    """`write` in a loop beside the body, given a number that grows; the numbers it is done with."""
    done: list[int] = []
    stop = threading.Event()

    def loop() -> None:
        for number in count():
            if stop.is_set():
                return
            write(number)
            done.append(number)

    with ThreadPoolExecutor(1) as threads:
        writing = threads.submit(loop)
        try:
            yield done
        finally:
            stop.set()
            writing.result()


def selected(table: CatalogTable) -> list[Selection | None]:
    """What a warm and many cold readers select."""
    warm = table.reader()

    def selection(fresh: bool) -> Selection | None:
        while True:
            try:
                return (table.reader() if fresh else warm).select(LABELS)
            except StoreUnavailableError:
                # So many changes during one selection are a 503, after which machines try again.
                continue

    with ThreadPoolExecutor(2) as threads:
        found = threads.map(lambda fresh: [selection(fresh) for _ in range(SELECTIONS)], (True, False))
        return [one for each in found for one in each]


def ids_in(selections: list[Selection | None]) -> set[str | None]:
    return {None if selection is None else selection.group.id for selection in selections}


def test_group_that_moves(table: CatalogTable) -> None:
    """A group that moves between two selectors of a machine is always the machine's, never the default group."""
    table.fill(Group("a", selector=SELECTORS[0]))
    with again_and_again(lambda n: table.fill(Group("a", selector=SELECTORS[n % 2]))) as moves:
        found = selected(table)
    assert {"a"} == ids_in(found)
    assert len(moves) > 10


def test_group_with_lists_that_moves(table: CatalogTable) -> None:
    """A group that moves from forty selectors to forty others is always the machine's that has one of each."""
    table.fill(Group("a", selector=LISTS[0]))
    with again_and_again(lambda n: table.fill(Group("a", selector=LISTS[n % 2]))) as moves:
        found = selected(table)
    assert {"a"} == ids_in(found)
    assert len(moves) > 10


def test_machine_that_moves_between_lists(table: CatalogTable) -> None:
    """A machine that is put into one group's list before it is taken out of another's never gets the default group."""

    def move(number: int) -> None:
        table.fill(*(Group(f"g{(number + turn) % 2}", selector=lists[turn]) for turn in range(2)))

    lists: list[dict[str, SelectorValue]] = [{"mac": (MAC, "one", "two")}, {"mac": ("one", "three")}]
    table.fill(Group("g1", selector=lists[0]))
    with again_and_again(move) as moves:
        found = selected(table)
    assert {"g0", "g1"} >= ids_in(found)
    assert len(moves) > 10


def test_group_with_successors(table: CatalogTable) -> None:
    """While groups take each other's place, each put before the last is deleted, the default group is never chosen."""

    def succeed(number: int) -> None:
        table.fill(Group(f"g{(number + 1) % 2}", selector=SELECTORS[(number + 1) % 2]))
        table.writer.delete_group(f"g{number % 2}")

    table.fill(Group("g0", selector=SELECTORS[0]))
    with again_and_again(succeed) as moves:
        found = selected(table)
    assert {"g0", "g1"} >= ids_in(found)
    assert len(moves) > 10


def test_group_and_profile_belong_together(table: CatalogTable) -> None:
    """A machine gets the profile that the group names at that moment, while the group changes to others."""
    table.fill(Group("a", profile="p", selector=SELECTORS[0]))
    with again_and_again(lambda n: table.fill(Group("a", profile="pq"[n % 2], selector=SELECTORS[0]))):
        found = selected(table)
    pairs = {(one.group.profile, one.profile and one.profile.id) for one in found if one is not None}
    assert {("p", "p"), ("q", "q")} >= pairs
    assert None not in found


@pytest.mark.parametrize("selectors", [pytest.param(SELECTORS, id="plain"), pytest.param(LISTS, id="lists")])
def test_fsck_hides_no_group(table: CatalogTable, selectors: Sequence[Mapping[str, SelectorValue]]) -> None:
    """Repairs of the whole table beside a group that moves find no damage, and take neither group nor entry away."""

    def move(number: int) -> None:
        table.fill(Group("a", selector=selectors[number % 2]))

    def repair(_: int) -> None:
        found.extend(finding for finding in table.fsck(repair=True, ages=Ages(tombstone=-1)))

    found: list[Finding] = []
    with again_and_again(repair) as repairs:
        for number in range(SELECTIONS):
            move(number)
            assert Selection(Group("a", selector=selectors[number % 2]), None) == table.reader().select(LABELS)
    assert repairs
    assert [] == [fault for fault in found if fault.kind.is_damage]


def test_writers_of_one_group(table: CatalogTable) -> None:
    """After many writers wrote one group at once, one entry alone has it: that of the selector it has."""

    def write(number: int) -> None:
        writer = table.new_writer()
        for turn in range(8):
            writer.put_group(Group("a", selector={"mac": MAC, "n": str((number + turn) % 3)}))

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(write, range(4)))
    (holder,) = holders(table, 3)
    expected = Group("a", selector={"mac": MAC, "n": holder})
    assert Selection(expected, None) == table.reader().select({"mac": MAC, "n": holder})


def test_writers_of_one_list(table: CatalogTable) -> None:
    """After many writers wrote lists of one group at once, the entries of the list that it has have it, no others."""

    def write(number: int) -> None:
        writer = table.new_writer()
        for turn in range(8):
            wanted = tuple(str((number + turn + at) % 6) for at in range(3))
            writer.put_group(Group("a", selector={"mac": MAC, "n": wanted}))

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(write, range(4)))
    having = holders(table, 6)
    selections = [table.reader().select({"mac": MAC, "n": number}) for number in having]
    assert [having] * 3 == [sorted(one.group.selector["n"]) for one in selections if one is not None]
    assert [] == [found for found in table.fsck() if found.kind.is_damage]


def holders(table: CatalogTable, numbers: int) -> list[str]:
    """The numbers whose entries have group a."""
    entries = {str(number): table.entry({"mac": MAC, "n": str(number)}) for number in range(numbers)}
    return [number for number, entry in entries.items() if entry and "S" in entry[member_name("a")]]
