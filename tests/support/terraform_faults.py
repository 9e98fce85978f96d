"""Terraform on table and bucket that can be unavailable."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from tests.rigs.faults import Fault, PassThrough
from tests.rigs.service import Service
from tests.rigs.stores import new_stores
from tests.rigs.tcp_fault import FaultProxy, fault_proxy
from tests.support.rpc_client import Bridge, Client, Files, bridge, connected, files_in
from tests.support.terraform import Group, Profile, Resource

LONG = 40_000
"""Size of a template that is kept in the bucket."""


class Rig(NamedTuple):
    """A running `rpc` on a table and a bucket that can be unavailable, and a client."""

    running: Bridge
    client: Client
    table: FaultProxy
    bucket: FaultProxy
    environment: dict[str, str]
    files: Files
    buckets: Service


@contextmanager
def bridged(tables: Service, buckets: Service, directory: Path) -> Iterator[Rig]:
    """A new table and bucket on these services, and `rpc` with certificates in the directory."""
    plain = new_stores(tables, buckets)
    plain.create()
    files = files_in(directory)
    with fault_proxy(plain.tables.endpoint) as table, fault_proxy(plain.buckets.endpoint) as bucket:
        stores = replace(
            plain,
            tables=replace(plain.tables, endpoint=table.endpoint),
            buckets=replace(plain.buckets, endpoint=bucket.endpoint),
        )
        environment = stores.environment()
        with bridge(environment, files) as running, connected(running.port, files) as client:
            yield Rig(running, client, table, bucket, environment, files, plain.buckets)


def fleet(count: int) -> list[Resource]:
    """As many profiles as groups, in all `count` resources; two thirds of the templates lie in the bucket."""
    numbers = range(count // 2)
    return [
        *(
            Profile(f"worker-{number}", "/assets/vmlinuz", raw_ignition=str(number).zfill(LONG if number % 3 else 1))
            for number in numbers
        ),
        *(
            Group(f"node-{number}", f"worker-{number}", {"mac": f"52:54:00:00:00:{number:02x}"}, {"host": f"n{number}"})
            for number in numbers
        ),
    ]


@contextmanager
def away(proxy: FaultProxy, fault: Fault, after: int, seconds: float) -> Iterator[None]:
    """Let the service fail for `seconds` after `after` requests, which the body must send."""
    happened = threading.Event()
    ended = threading.Event()
    begun = sum(proxy.requests().values())

    def fail() -> None:
        while sum(proxy.requests().values()) < begun + after:
            if ended.wait(0.002):
                return
        happened.set()
        proxy.switch(fault)
        time.sleep(seconds)
        proxy.switch(PassThrough())

    thread = threading.Thread(target=fail)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
    assert happened.is_set()
