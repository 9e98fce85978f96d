"""Eight processes write overlapping groups at once, some are killed; readers ask all the time, and fsck looks on."""

import multiprocessing
import random
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import NamedTuple, Self

import pytest

from lambda_matchbox.aws.catalog.items import ObjectRef, group_in
from lambda_matchbox.aws.catalog.table_contents import scan_table
from lambda_matchbox.aws.catalog.writer import CatalogWriter
from lambda_matchbox.aws.clients.http_client import HttpClient
from lambda_matchbox.aws.clients.store_clients import StoreClients
from lambda_matchbox.aws.fsck.fsck import Ages
from lambda_matchbox.aws.fsck.rules import Kind
from lambda_matchbox.catalog.groups import Group, SelectorValue
from lambda_matchbox.catalog.stores import Selection
from lambda_matchbox.errors import StoreUnavailableError
from tests.rigs.catalog_table import CatalogTable
from tests.rigs.service import Service
from tests.support.nightly import NIGHTLY

pytestmark = pytest.mark.real

WRITERS, GROUPS, KILLED = 8, 200 if NIGHTLY else 70, 3
SHAPES = (("mac",), ("mac", "os"), ("os", "rack"), ("mac", "rack"))
FIXED = 20


@pytest.fixture
def table(dynamodb_local: Service, moto_server: Service) -> Iterator[CatalogTable]:
    with (
        closing(HttpClient(connect_timeout=60, read_timeout=60)) as http,
        closing(dynamodb_local.client("dynamodb")) as client,
        closing(moto_server.client("s3")) as s3,
        closing(CatalogTable(dynamodb_local, client, moto_server, s3, http)) as made,
    ):
        yield made


def selector(number: int, turn: int) -> dict[str, SelectorValue]:
    """Another one each turn, each third of them with lists; groups of all writers share selectors and shapes."""
    values: dict[str, SelectorValue] = {"mac": f"m{number}", "os": f"o{(number + turn) % 5}", "rack": f"r{number % 40}"}
    if (number + turn) % 3 == 0:
        values |= {"mac": (f"m{number}", f"m{number + 1}"), "os": tuple(f"o{(number + at) % 5}" for at in range(3))}
    return {key: values[key] for key in SHAPES[(number + turn) % len(SHAPES)]}


def write(service: Service, buckets: Service, name: str, writer: int, reports: Connection) -> None:
    """Put each group, and move it twice; tell of each write before it begins and when it has returned."""
    catalog = CatalogWriter(
        StoreClients(service.client("dynamodb"), buckets.client("s3"), name, name), retry_seconds=60
    )
    order = [(number, turn) for turn in range(3) for number in range(GROUPS)]
    for number, turn in order:
        group = Group(f"w{writer}-{number}", profile="p", selector=selector(number, turn), metadata={"turn": turn})
        reports.send(("begun", group))
        catalog.put_group(group)
        reports.send(("done", group))
    reports.close()


class Known(NamedTuple):
    """What is known of a group: as it was last written, and as it may be where a write was cut off."""

    done: Group | None
    begun: Group | None


class Books:
    """What the writers reports."""

    def __init__(self) -> None:
        self.groups: dict[str, Known] = {}

    def follow(self, reports: Connection) -> None:
        """Take down what one writer tells, until it ends."""
        while True:
            try:
                what, group = reports.recv()
            except (EOFError, ConnectionResetError):
                return
            known = self.groups.get(group.id, Known(None, None))
            self.groups[group.id] = known._replace(begun=group) if what == "begun" else Known(group, None)


class Readers:
    """Ask for machines whose groups never change, and that lie beside those that do, until they are ended."""

    def __init__(self, table: CatalogTable) -> None:
        self.selections: list[tuple[int, Selection | None]] = []
        self.unavailable = 0
        self._table = table
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._send, args=(number,)) for number in range(2)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _send(self, seed: int) -> None:
        reader, numbers = self._table.reader(), random.Random(seed)
        while not self._over.is_set():
            number = numbers.randrange(FIXED)
            machine = {"mac": f"m{number}", "os": "o1", "zone": "z", "rack": f"r{number}"}
            try:
                self.selections.append((number, reader.select(machine)))
            except StoreUnavailableError:
                self.unavailable += 1


def fixed(number: int) -> Group:
    """A group with more selector keys than those of the writers; each second one lists values."""
    os: SelectorValue = ("o1", "o2") if number % 2 else "o1"
    return Group(f"fixed{number}", profile="p", selector={"mac": f"m{number}", "os": os, "zone": "z"})


def test_many_writers(table: CatalogTable, dynamodb_local: Service, moto_server: Service) -> None:
    """No group is lost, no third one selected, no false alarm raised; a repair leaves no dangling or doubled entry."""
    table.fill(Group("default", profile="p"), *map(fixed, range(FIXED)))
    spawn = multiprocessing.get_context("spawn")
    books, followers = Books(), list[threading.Thread]()
    processes: list[BaseProcess] = []
    for writer in range(WRITERS):
        mine, theirs = spawn.Pipe(duplex=False)
        processes.append(spawn.Process(target=write, args=(dynamodb_local, moto_server, table.name, writer, theirs)))
        processes[-1].start()
        theirs.close()
        followers.append(threading.Thread(target=books.follow, args=(mine,)))
        followers[-1].start()
    alarms = []
    with Readers(table) as readers:
        for process in processes[:KILLED]:
            time.sleep(1)
            alarms += [found for found in table.fsck() if found.kind.is_damage]
            process.kill()
        for process in processes:
            process.join()
        for follower in followers:
            follower.join()
    assert [0] * (WRITERS - KILLED) == [process.exitcode for process in processes[KILLED:]]
    assert [] == alarms
    assert (WRITERS - KILLED) * GROUPS <= len(books.groups)

    # Those machines' own groups win, whatever the writers do: any other response is a third one.
    assert readers.selections
    assert [] == [one for one in readers.selections if one[1] is None or one[1].group != fixed(one[0])]

    # Also what killed writers left changes no response before a repair.
    assert [] == [found for found in table.fsck() if found.kind.is_damage]
    assert [] == lost(table, books)
    repairs = table.fsck(repair=True, ages=Ages(tombstone=-1))
    assert [] == [found for found in repairs if found.kind.is_damage]
    assert [] == [found for found in table.fsck() if found.kind is not Kind.NOTE]
    assert [] == lost(table, books)


def lost(table: CatalogTable, books: Books) -> list[str]:
    """The groups that are not as they were last written or, where a write was cut off, as they might be after it."""
    found = {name: group_in(item, _no_object) for name, item in scan_table(table.clients).groups.items()}
    # One whose first write was cut off may be there or not.
    return [name for name, known in books.groups.items() if found.get(name) not in known]


def _no_object(_: ObjectRef) -> bytes:
    raise AssertionError("none of the groups is long")
