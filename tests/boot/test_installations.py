"""Machines of groups with a boot policy: they wait, install once, and boot from their disks, with the network first."""

from itertools import product
from pathlib import Path

import pytest

from tests.boot import guest
from tests.boot.clients import CLIENTS, powered_on
from tests.boot.disks import MARKER, empty, image_for, written
from tests.boot.exchanges import relayed
from tests.boot.fleet import identity
from tests.boot.installations import SECRET, decide, install, serving_with_short_waits, write_installation
from tests.boot.machine import printed_configuration
from tests.boot.networks import Servers
from tests.support.serving import serving

pytestmark = pytest.mark.boot

MACHINE = identity(21)
GRUBS = ("grub-2.06", "grub-2.12")


@pytest.mark.parametrize(
    ("client", "again"),
    [
        pytest.param("bios-ipxe-new", guest.END, id="bios-ipxe-new"),
        *(
            pytest.param(client, MARKER, id=client, marks=pytest.mark.nightly)
            for client in ("bios-ipxe-old", "edk2-http", "edk2-http-arm64", *GRUBS)
        ),
    ],
)
def test_machine_waits_installs_and_boots_from_its_disk(client: str, again: str, tmp_path: Path) -> None:
    """After `machine arm` it installs again, and is looked at until its console shows `again`."""
    booting, data = CLIENTS[client], tmp_path / "data"
    data.mkdir()
    disk = empty(tmp_path / "disk")
    image = image_for(booting.firmware, booting.architecture, tmp_path)
    shown = MACHINE.mac.replace(":", "-")
    with serving_with_short_waits(data) as serve:
        write_installation(data, booting, {"approve": True, "once": True, "token": True}, serve.port, image)
        servers = Servers(serve.port)
        with powered_on(booting, servers, MACHINE, scratch(tmp_path, "first"), disk) as machine:
            machine.wait_for(f"{shown} waits for approval in group nodes. To approve it:")
            machine.wait_for(f"matchboxctl machine approve {shown}")
            decide(data, "approve", MACHINE)
            machine.wait_for(MARKER)
            installing, _, from_disk = machine.console.partition(f"{shown} is installed and boots from its disk.")
        assert SECRET == printed_configuration(installing)
        assert MARKER not in installing
        assert MARKER in from_disk
        decide(data, "arm", MACHINE)
        with powered_on(booting, servers, MACHINE, scratch(tmp_path, "second"), disk) as machine:
            machine.wait_for(again)
            assert SECRET == printed_configuration(machine.console)


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("client", "on_disk"),
    [
        *product(("bios-ipxe-old", "bios-ipxe-new", "edk2-http", "edk2-http-arm64"), ("exit", "sanboot", "404")),
        # GRUB stays at its prompt after a 404.
        *product(GRUBS, ("exit", "sanboot")),
    ],
)
def test_installed_machine_boots_from_its_disk(client: str, on_disk: str, tmp_path: Path) -> None:
    booting, data = CLIENTS[client], tmp_path / "data"
    disk = written(tmp_path / "disk", image_for(booting.firmware, booting.architecture, tmp_path))
    data.mkdir()
    with serving(data) as port, relayed(port) as relay:
        write_installation(data, booting, {"once": True, "on_disk": on_disk}, relay.port)
        install(data, MACHINE)
        with powered_on(booting, Servers(relay.port), MACHINE, scratch(tmp_path, "only"), disk) as machine:
            machine.wait_for(MARKER)
        [exchange] = relay.exchanges("/grub" if client in GRUBS else "/ipxe")
    assert (404 if on_disk == "404" else 200) == exchange.response.status


def scratch(directory: Path, name: str) -> Path:
    """A directory for one boot."""
    new = directory / name
    new.mkdir()
    return new
