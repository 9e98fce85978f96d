"""Machines that wait for approval."""

import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.boot.clients import CLIENTS, powered_on
from tests.boot.exchanges import LONGEST_WAIT
from tests.boot.fleet import identity
from tests.boot.installations import SECRET, decide, serving_with_short_waits, write_installation
from tests.boot.networks import Servers
from tests.rigs.faults import Respond
from tests.rigs.tcp_fault import FaultProxy, fault_proxy

pytestmark = [pytest.mark.boot, pytest.mark.nightly]

MACHINE = identity(22)
BAD_GATEWAY = Respond(502, "Bad Gateway", "text/html", b"<html>502 Bad Gateway</html>")
A_DAY = 2300
"""How often a machine asks in a day."""


@pytest.mark.parametrize("client", ["bios-ipxe-old", "bios-ipxe-new", "edk2-http", "grub-2.06", "grub-2.12"])
def test_machine_asks_until_it_is_approved(client: str, tmp_path: Path) -> None:
    """Without a touch, and whatever a load balancer says meanwhile."""
    booting, data, scratch = CLIENTS[client], tmp_path / "data", tmp_path / "machine"
    scratch.mkdir()
    data.mkdir()
    with serving_with_short_waits(data, 0) as serve, fault_proxy(f"http://127.0.0.1:{serve.port}") as proxy:
        port = urlsplit(proxy.endpoint).port
        assert port is not None
        write_installation(data, booting, {"approve": True, "token": True}, port)
        with powered_on(booting, Servers(port), MACHINE, scratch) as machine:
            machine.wait_for("waits for approval")
            proxy.switch(BAD_GATEWAY, times=2)
            await_requests(proxy, A_DAY)
            decide(data, "approve", MACHINE)
            result = machine.result()
    assert SECRET == result.configuration, result.console


def await_requests(proxy: FaultProxy, times: int) -> None:
    end = time.monotonic() + 2 * LONGEST_WAIT
    while proxy.requests()["GET"] < times:
        assert time.monotonic() < end, proxy.requests()
        time.sleep(0.5)
