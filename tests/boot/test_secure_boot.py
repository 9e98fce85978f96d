"""Machines with Secure Boot boot what is signed for them, by shim, GRUB and /grub, and nothing else."""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.boot import guest
from tests.boot.clients import Client, boot, powered_on
from tests.boot.dhcp_network import HOST
from tests.boot.exchanges import relayed
from tests.boot.fleet import identity, place, write_json
from tests.boot.networks import Servers
from tests.boot.secure_boot import CLIENTS, commands
from tests.rigs.install import run
from tests.support.serving import serving

pytestmark = [pytest.mark.boot, pytest.mark.nightly]

MACHINE = identity(31)
CONFIGURATION = f"{MACHINE.serial} is {MACHINE.uuid}".encode()
SIGNATURES = 24 + 144
"""Where a program for UEFI and 64 bits says where its signatures are, after the beginning of its header."""


@pytest.mark.parametrize("name", ["shim", "shim-arm64"])
def test_signed_kernel_boots(name: str, tmp_path: Path) -> None:
    client = CLIENTS[name]
    with serving_kernel(guest.kernel(client.architecture).read_bytes(), client, tmp_path) as servers:
        result = boot(client, servers, MACHINE, tmp_path)
    assert CONFIGURATION == result.configuration, result.console
    assert "secureboot: Secure boot enabled" in result.console


def test_kernel_without_a_signature_is_refused(tmp_path: Path) -> None:
    client = CLIENTS["shim"]
    with (
        serving_kernel(without_signatures(guest.kernel("amd64").read_bytes()), client, tmp_path) as servers,
        powered_on(client, servers, MACHINE, tmp_path) as machine,
    ):
        machine.wait_for("error: bad shim signature.")
        machine.wait_for("Falling back to `CoreOS (BIOS)'")
        assert "Linux version" not in machine.console


def test_same_kernel_boots_where_no_keys_are(tmp_path: Path) -> None:
    client = CLIENTS["no-keys"]
    with serving_kernel(without_signatures(guest.kernel("amd64").read_bytes()), client, tmp_path) as servers:
        result = boot(client, servers, MACHINE, tmp_path)
    assert CONFIGURATION == result.configuration, result.console
    assert "secureboot: Secure boot disabled" in result.console


def test_ipxe_is_refused(tmp_path: Path) -> None:
    """Debian's, which nobody has signed."""
    client = CLIENTS["ipxe"]
    with (
        serving_kernel(b"", client, tmp_path) as servers,
        powered_on(client, servers, MACHINE, tmp_path) as machine,
    ):
        machine.wait_for("NBP file downloaded successfully.")
        machine.wait_for("Access Denied")
        assert "iPXE initialising devices" not in machine.console


def test_shim_of_http_boot_does_not_find_grub(tmp_path: Path) -> None:
    """It asks with two slashes, which are redirected as by matchbox, and follows no redirect."""
    client = CLIENTS["shim-by-http"]
    with (
        serving_kernel(b"", client, tmp_path) as servers,
        relayed(servers.boot) as relay,
    ):
        run(["sh", "-e", "-c", commands("amd64", tmp_path / "data" / "assets")])
        with powered_on(client, Servers(relay.port), MACHINE, tmp_path) as machine:
            machine.wait_for("Unable to fetch HTTP image")
        assert {301} == {exchange.response.status for exchange in relay.exchanges("/assets//grubx64.efi")}


@contextmanager
def serving_kernel(kernel: bytes, client: Client, directory: Path) -> Iterator[Servers]:
    """A server whose only group boots the kernel."""
    data = directory / "data"
    data.mkdir()
    place(kernel, data / "assets" / "vmlinuz")
    place(guest.initramfs(client.architecture), data / "assets" / "initramfs.gz")
    place(b"{{.serial}} is {{.request.query.uuid}}", data / "generic" / "it.yaml")
    with serving(data) as port:
        # A variable of GRUB's, which its configuration sets.
        address = f"talos.config=http://{HOST}:{port}/generic?uuid=${{uuid}}"
        boot = {
            "kernel": "/assets/vmlinuz",
            "initrd": ["/assets/initramfs.gz"],
            "args": [*guest.arguments(client.architecture, "initramfs.gz"), address],
        }
        write_json(data / "profiles" / "it.json", {"id": "it", "generic_id": "it.yaml", "boot": boot})
        group = {
            "id": "it",
            "profile": "it",
            "selector": {"uuid": MACHINE.uuid},
            "metadata": {"serial": MACHINE.serial},
        }
        write_json(data / "groups" / "it.json", group)
        yield Servers(port)


def without_signatures(program: bytes) -> bytes:
    """The program for UEFI as it was before it was signed: signatures are its end."""
    [header] = struct.unpack_from("<I", program, 0x3C)
    at = header + SIGNATURES
    begin, size = struct.unpack_from("<II", program, at)
    assert (len(program), True) == (begin + size, size > 0)
    return program[:at] + bytes(8) + program[at + 8 : begin]
