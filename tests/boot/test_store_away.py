"""A boot while the table or the bucket is away."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.boot.clients import powered_on
from tests.boot.exchanges import relayed
from tests.boot.fleet import KERNEL, named, write_data_directory
from tests.boot.store_serving import serving_stores
from tests.rigs.faults import Fault, Hang, PassThrough, Refuse
from tests.rigs.program import free_port
from tests.rigs.service import Service
from tests.rigs.stores import new_stores
from tests.rigs.tcp_fault import fault_proxy
from tests.support.nightly import NIGHTLY

pytestmark = pytest.mark.boot

NEW_IPXE = named("bios-ipxe-new")
FIRST_OF_TABLE, FIRST_OF_BUCKET = "/ipxe", KERNEL
MAX_SILENCE = 5.0 if NIGHTLY else 30.0
"""Seconds that a response has to begin in.

UEFI's HTTP boot, which has the shortest timeout of the boot clients, waits for 5. The machine may pause, but at night.
"""


@pytest.mark.parametrize(
    ("first", "fault"),
    [
        pytest.param(FIRST_OF_TABLE, Hang(), id="table hangs"),
        pytest.param(FIRST_OF_TABLE, Refuse(), id="table refuses", marks=pytest.mark.nightly),
        pytest.param(FIRST_OF_BUCKET, Hang(), id="bucket hangs", marks=pytest.mark.nightly),
        pytest.param(FIRST_OF_BUCKET, Refuse(), id="bucket refuses", marks=pytest.mark.nightly),
    ],
)
def test_machine_boots_when_the_store_is_back(
    first: str, fault: Fault, dynamodb_local: Service, versitygw: Service, tmp_path: Path
) -> None:
    """iPXE retries by itself, without a reset."""
    data, scratch, port = tmp_path / "data", tmp_path / "machine", free_port()
    scratch.mkdir()
    with fault_proxy(dynamodb_local.endpoint) as table, fault_proxy(versitygw.endpoint) as bucket:
        stores = new_stores(
            replace(dynamodb_local, endpoint=table.endpoint), replace(versitygw, endpoint=bucket.endpoint)
        )
        write_data_directory(data, NEW_IPXE, port)
        stores.fill(data)
        with relayed(port, MAX_SILENCE) as relay, serving_stores(stores, port) as servers:
            store = table if first == FIRST_OF_TABLE else bucket
            store.switch(fault)
            away = servers._replace(boot=relay.port)
            with powered_on(NEW_IPXE.client, away, NEW_IPXE.machine, scratch) as machine:
                relay.wait_for(lambda exchange: (exchange.path, exchange.response.status) == (first, 503))
                store.switch(PassThrough())
                result = machine.result()
            *refused, last = (exchange.response for exchange in relay.exchanges(first))
    assert NEW_IPXE.configuration == result.configuration, result.console
    assert {503} == {response.status for response in refused}
    assert all(2 <= int(response.field("retry-after") or 0) <= 10 for response in refused)
    assert {None} == {response.field("location") for response in refused}
    assert (200 if first == FIRST_OF_TABLE else 302) == last.status
    assert 1 == len(relay.exchanges("/boot.ipxe"))
