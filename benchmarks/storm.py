"""A boot storm: 200 machines at once, each with its whole boot sequence, while groups are written.

`matchboxctl serve` in store mode on DynamoDB Local and versitygw. A machine requests `/boot.ipxe`, `/ipxe`, kernel and
initramfs (by presigned redirects) and its configuration; every response is compared with the expected one. Ratios are
to one machine alone in the same run. Run by `make bench`.
"""

import http.client
import statistics
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from itertools import count
from typing import NamedTuple
from urllib.parse import urlsplit

from benchmarks.boot_machines import PROFILE, groups, mac
from lambda_matchbox.catalog.groups import Group
from tests.rigs.dynamodb_local import dynamodb_local
from tests.rigs.stores import Stores, new_stores
from tests.rigs.versitygw import versitygw
from tests.support.serving import started

MACHINES = 200
ALONE = 100
KERNEL, INITRAMFS = b"k" * 2_000_000, b"i" * 3_000_000
TEMPLATE = b"group: {{.owner}}\n"


class Step(NamedTuple):
    """A request of a machine, and the whole expected body, or a part of it."""

    name: str
    target: str
    body: bytes | None = None
    part: bytes = b""


def main() -> None:
    """Print the table. Exits with 1 if a response was wrong."""
    with ExitStack() as stack:
        store = _filled(new_stores(stack.enter_context(dynamodb_local()), stack.enter_context(versitygw())))
        flags = ("--address", "127.0.0.1:0")
        port = stack.enter_context(started(*flags, environment=store.environment())).port
        errors: list[str] = []
        alone: dict[str, list[float]] = {}
        storm: dict[str, list[float]] = {}
        for number in range(ALONE):
            _boot(port, number % MACHINES, alone, errors)
        with _groups_written(store) as written, ThreadPoolExecutor(MACHINES) as threads:
            start = time.perf_counter()
            list(threads.map(lambda number: _boot(port, number, storm, errors), range(MACHINES)))
            seconds = time.perf_counter() - start
        _print(alone, storm)
        print(f"{MACHINES} machines booted in {seconds:.1f} s while {len(written)} groups were written")
        print(f"wrong responses and statuses of 400 and above: {len(errors)}")
        for error in errors[:10]:
            print(f"  {error}")
        sys.exit(1 if errors else 0)


def _filled(store: Stores) -> Stores:
    store.create()
    for name, body in (("vmlinuz", KERNEL), ("initramfs.xz", INITRAMFS)):
        store.put_asset(name, body)
    writer = store.writer()
    writer.put_profile(PROFILE._replace(generic_id="it.yaml"))
    writer.put_template("generic", "it.yaml", TEMPLATE)
    for group in groups(MACHINES):
        writer.put_group(group._replace(metadata={"owner": group.id}))
    # No machine may get this one while its own group is rewritten.
    writer.put_group(Group("default", metadata={"owner": "nobody"}))
    return store


@contextmanager
def _groups_written(store: Stores) -> Iterator[list[str]]:
    """Groups are rewritten and moved to other selectors, and others come and go, until the body ends."""
    stop = threading.Event()
    written: list[str] = []

    def write() -> None:
        writer = store.writer()
        for number in count():
            if stop.is_set():
                return
            machine = number % MACHINES
            selector = {"mac": mac(machine)} | ({"arch": "x86_64"} if number % 2 else {})
            writer.put_group(Group(f"node{machine}", "", PROFILE.id, selector, {"owner": f"node{machine}"}))
            writer.put_group(Group("passing", "", PROFILE.id, {"mac": mac(MACHINES + number)}))
            written.extend((f"node{machine}", "passing"))

    with ThreadPoolExecutor(1) as threads:
        writing = threads.submit(write)
        try:
            yield written
        finally:
            stop.set()
            writing.result()


def _boot(port: int, number: int, samples: dict[str, list[float]], errors: list[str]) -> None:
    """The machine's whole boot; seconds of each step are added to `samples`, wrong responses to `errors`."""
    query = f"mac={mac(number).replace(':', '-')}&arch=x86_64"
    steps = (
        Step("/boot.ipxe", "/boot.ipxe", part=b"chain ipxe?"),
        Step("/ipxe", f"/ipxe?{query}", part=b"kernel /assets/vmlinuz "),
        Step("kernel", "/assets/vmlinuz", KERNEL),
        Step("initramfs", "/assets/initramfs.xz", INITRAMFS),
        Step("/generic", f"/generic?{query}", f"group: node{number}\n".encode()),
    )
    begin = time.perf_counter()
    for step in steps:
        start = time.perf_counter()
        status, body = _get("127.0.0.1", port, step.target)
        samples.setdefault(step.name, []).append(time.perf_counter() - start)
        right = body == step.body if step.body is not None else step.part in body
        if status != 200 or not right:
            errors.append(f"node{number}: {step.target}: {status} {body[:100]!r}")
    samples.setdefault("the whole boot", []).append(time.perf_counter() - begin)


def _get(host: str, port: int, target: str) -> tuple[int, bytes]:
    """Status and body; redirects are followed, as by iPXE."""
    connection = http.client.HTTPConnection(host, port, timeout=300)
    try:
        connection.request("GET", target, headers={"User-Agent": "iPXE/1.21.1+git-20231006"})
        response = connection.getresponse()
        body = response.read()
    finally:
        connection.close()
    if response.status == 302:
        there = urlsplit(response.headers["location"])
        return _get(there.hostname or "", there.port or 80, f"{there.path}?{there.query}")
    return response.status, body


def _print(alone: dict[str, list[float]], storm: dict[str, list[float]]) -> None:
    print(f"{'ms':16} {'alone p50':>10} {'p99':>8} {'storm p50':>10} {'p99':>8} {'ratio p50':>10} {'p99':>8}")
    for name, taken in alone.items():
        figures = [_middle_and_tail(taken), _middle_and_tail(storm[name])]
        (middle, tail), (storm_middle, storm_tail) = figures
        row = f"{name:16} {middle:>10.1f} {tail:>8.1f} {storm_middle:>10.1f} {storm_tail:>8.1f}"
        print(f"{row} {storm_middle / middle:>10.1f} {storm_tail / tail:>8.1f}")


def _middle_and_tail(seconds: list[float]) -> tuple[float, float]:
    return statistics.median(seconds) * 1000, statistics.quantiles(seconds, n=100)[98] * 1000


if __name__ == "__main__":
    main()
