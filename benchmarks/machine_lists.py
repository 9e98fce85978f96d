"""`matchboxctl machine list` of 100,000 machines: its first page and its thousandth, in directory mode and on a table.

Each sample is a fresh interpreter, as is that of `machine list --help`, which reads nothing. The table is on DynamoDB
Local, behind a proxy that counts the calls. Run by `make bench`.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path

from botocore.session import Session

from benchmarks.boot_machines import mac, write
from benchmarks.table_app import fill
from benchmarks.timing import ENVIRONMENT
from lambda_matchbox.aws.table_and_bucket import create_history_table
from lambda_matchbox.machines.events import Event
from lambda_matchbox.machines.history import fold
from lambda_matchbox.machines.history_stores import History, HistoryStore, Wanted
from matchboxctl.directory.history_file import DirectoryHistory
from matchboxctl.store.history import table_history
from matchboxctl.store.mode import StoreSettings
from tests.rigs.dynamodb_local import dynamodb_local
from tests.rigs.service import Service
from tests.rigs.tcp_fault import fault_proxy

MACHINES, PAGE, THE_LAST, SAMPLES = 100_000, 100, 1_000, 7
AT_ONCE = 1_000
UNKNOWN, INSTALLED = 500, {"status": 200, "group": "g", "state": "installed"}
COMMAND = [sys.executable, "-m", "matchboxctl.main", "machine", "list"]


PrintTimes = Callable[[str, HistoryStore, Mapping[str, str], Callable[[], Counter[str]]], None]
"""Prints a mode's table: of a store, with the environment of commands on it and the calls since the last time."""


def main() -> None:
    """Print a table for each mode."""
    in_both_modes(print_times)


def in_both_modes(print_times: PrintTimes, groups: int = 0) -> None:
    """Print the times of a directory's machines, and those of a table's, with so many groups."""
    with tempfile.TemporaryDirectory() as scratch, closing(DirectoryHistory(Path(scratch))) as store:
        write(Path(scratch), groups)
        environment = ENVIRONMENT | {"MATCHBOX_DATA_PATH": scratch}
        for name in ("MATCHBOX_TABLE", "MATCHBOX_BUCKET"):
            del environment[name]
        print_times("directory mode", filled(store), environment, Counter)
    with dynamodb_local() as service, fault_proxy(service.endpoint) as proxy:
        store = filled(table_history(stores_on(service, groups), days=30))
        names = {"MATCHBOX_HISTORY_TABLE": "history", "AWS_REGION": service.region}
        keys = {"AWS_ACCESS_KEY_ID": service.access_key, "AWS_SECRET_ACCESS_KEY": service.secret_key}
        endpoints = dict.fromkeys(("AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL_S3"), proxy.endpoint)

        def calls() -> Counter[str]:
            made = proxy.requests()
            proxy.forget_requests()
            return made

        print_times("table", store, ENVIRONMENT | names | keys | endpoints, calls)


def stores_on(service: Service, groups: int = 0) -> StoreSettings:
    """New tables of groups and of histories."""
    fill(service, "matchbox", groups)
    with closing(service.client("dynamodb")) as client:
        create_history_table(client, "history")
    core = Session()
    core.set_credentials(service.access_key, service.secret_key)
    return StoreSettings("matchbox", "", service.region, service.endpoint, "", core, history_table="history")


def filled(store: HistoryStore, machines: int = MACHINES) -> HistoryStore:
    """The store with the records of machines that asked in the last hours, one after the other; few are unknown."""
    now = time.time_ns() // 1_000_000
    for start in range(0, machines, AT_ONCE):
        events = [
            Event(
                now - (machines - number) * 100,
                "request",
                "/ipxe",
                mac(number),
                address="10.0.0.5",
                **({"status": 404} if number % UNKNOWN == 0 else INSTALLED),
            )
            for number in range(start, start + AT_ONCE)
        ]
        store.merge_records({event.identities.keys[0]: fold(None, event) for event in events})
    return store


def print_times(
    mode: str, store: HistoryStore, environment: Mapping[str, str], calls: Callable[[], Counter[str]]
) -> None:
    """Print what the pages take, in turns."""
    pages = {
        "--help": ["--help"],
        "first page": [],
        "first page of a group": ["--group", "g"],
        "first page of few, unknown": ["--state", "unknown"],
        f"page {THE_LAST:,}": ["--cursor", cursor_of_the_last(store)],
    }
    samples: dict[str, list[tuple[float, float]]] = {name: [] for name in pages}
    made: dict[str, Counter[str]] = {}
    for _ in range(SAMPLES):
        for name, arguments in pages.items():
            calls()
            samples[name].append(seconds(arguments, environment))
            made[name] = calls()
    print(f"{f'machine list of {MACHINES:,} machines, {mode}':52} {'p50 ms':>8} {'CPU ms':>8}  calls")
    for name, taken in samples.items():
        wall, used = (statistics.median(each) * 1e3 for each in zip(*taken, strict=True))
        asked = ", ".join(f"{count} {call}" for call, count in sorted(made[name].items()))
        print(f"{name:52} {wall:>8.0f} {used:>8.0f}  {asked}")


def cursor_of_the_last(store: HistoryStore) -> str:
    """The cursor of the page before the thousandth."""
    history, cursor, before = History(store), "", (THE_LAST - 1) * PAGE
    while before:
        size = min(before, AT_ONCE)
        cursor = history.page(Wanted(), size, cursor).cursor
        before -= size
    return cursor


def seconds(arguments: Sequence[str], environment: Mapping[str, str]) -> tuple[float, float]:
    """The time of the command from its start to its end, and its processor time."""
    start = time.perf_counter()
    with subprocess.Popen(
        [*COMMAND, *arguments], env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout is not None
        lines = process.stdout.read().splitlines()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    assert arguments == ["--help"] or len(lines) == PAGE + 1
    return time.perf_counter() - start, used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
