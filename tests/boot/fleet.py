"""Machines that boot from one server, and the data directory with a group for each.

Each machine differs by one thing: its MAC address, UUID, serial number, host name, architecture; and one
has no group of its own. A machine asks twice, for its boot script and, from Linux, for its configuration, and what it
gets is right only if both were answered for the same group.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.boot import guest
from tests.boot.clients import CLIENTS, Client
from tests.boot.dhcp_network import HOST
from tests.boot.machine import Machine

# Characters that shells, templates or terminals like to change.
TEMPLATE = 'hostname: {{.owner}}\nquery: {{.request.raw_query}}\nmotd: grüß "dich" %s $HOME \\n <&>\t\n\n'


@dataclass(frozen=True)
class Member:
    """A machine, the client it boots with, its group's selector, and the query that its profile's address has.

    `variables` are what the client puts into that query.
    """

    client: Client
    machine: Machine
    selector: dict[str, str]
    query: str
    variables: dict[str, str]

    @property
    def name(self) -> str:
        return self.client.name

    @property
    def configuration(self) -> bytes:
        """What the machine has to print, to the byte."""
        query = self.query
        for name, value in self.variables.items():
            query = query.replace(f"${{{name}}}", value)
        return TEMPLATE.replace("{{.owner}}", self.name).replace("{{.request.raw_query}}", query).encode()


def identity(number: int) -> Machine:
    return Machine(
        mac=f"52:54:00:ab:cd:{number:02x}",
        uuid=f"6b9f1f2e-03c5-4d1a-9a57-0000000000{number:02x}",
        serial=f"SN-{number:04}",
        hostname=f"node{number}",
    )


def member(number: int, client: str, selector: str, query: str) -> Member:
    machine = identity(number)
    variables = {
        "uuid": machine.uuid,
        "serial": machine.serial,
        "hostname": machine.hostname,
        "mac:hexhyp": machine.mac.replace(":", "-"),
        "net_default_mac": machine.mac,
    }
    key, _, value = selector.partition("=")
    return Member(CLIENTS[client], machine, {key: value or getattr(machine, key)} if key else {}, query, variables)


FLEET = (
    member(1, "bios-ipxe-old", "mac", "mac=${mac:hexhyp}"),
    member(2, "bios-ipxe-new", "uuid", "uuid=${uuid}"),
    member(3, "uefi-x86-64", "serial", "serial=${serial}&uuid=${uuid}"),
    member(4, "arm64", "arch=arm64", "arch=arm64&hostname=${hostname}"),
    member(5, "grub-2.06", "mac", "mac=${net_default_mac}"),
    member(6, "grub-2.12", "uuid", "uuid=${uuid}"),
    member(7, "edk2-http", "", "uuid=${uuid}"),
)


def named(name: str) -> Member:
    """The member of the fleet that boots with that client."""
    [found] = (each for each in FLEET if each.name == name)
    return found


# Paths of the files that an amd64 machine loads.
KERNEL, INITRAMFS = "/assets/linux/amd64/vmlinuz", "/assets/linux/amd64/initramfs.gz"

KNOWS_ITS_ORIGIN = {"bios-ipxe-new", "uefi-x86-64", "arm64", "edk2-http"}


def write_data_directory(directory: Path, booting: Member, port: int, *arguments: str) -> None:
    """Fills `directory` with the groups and profiles of the whole fleet, and the files that `booting` loads.

    `port` is the server's, `arguments` are more ones for the kernel. Raises RigUnavailableError.
    """
    for each in FLEET:
        architecture = each.client.architecture
        # An iPXE script knows where it came from; GRUB and old iPXE need it configured.
        origin = "${cwduri}" if each.name in KNOWS_ITS_ORIGIN else f"http://{HOST}:{port}/"
        address = f"talos.config={origin}generic?{each.query}"
        boot = {
            "kernel": f"/assets/linux/{architecture}/vmlinuz",
            "initrd": [f"/assets/linux/{architecture}/initramfs.gz"],
            "args": [*guest.arguments(architecture, "initramfs.gz"), *arguments, address],
        }
        write_json(
            directory / "profiles" / f"{each.name}.json", {"id": each.name, "generic_id": "it.yaml", "boot": boot}
        )
        group = {"id": each.name, "profile": each.name, "selector": each.selector, "metadata": {"owner": each.name}}
        write_json(directory / "groups" / f"{each.name}.json", group)
    (directory / "generic").mkdir()
    (directory / "generic" / "it.yaml").write_text(TEMPLATE)
    architecture = booting.client.architecture
    place(guest.kernel(architecture).read_bytes(), directory / "assets" / "linux" / architecture / "vmlinuz")
    place(guest.initramfs(architecture), directory / "assets" / "linux" / architecture / "initramfs.gz")
    for path, file in booting.client.first_stage.items():
        place(file().read_bytes(), directory / path)


def write_json(path: Path, document: Mapping[str, object]) -> None:
    place(json.dumps(document, indent=2).encode(), path)


def place(content: bytes, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
