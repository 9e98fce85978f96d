"""Machines with Secure Boot, and the programs of Debian's that are signed for them.

Their firmware has Microsoft's keys, by which shim is signed. shim has Debian's, by which GRUB and Linux are signed.
"""

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from tests.boot.clients import Client, booting_card, without_pxe
from tests.boot.dhcp_network import HOST, dnsmasq
from tests.boot.machine import Machine
from tests.boot.networks import Network, Servers, booting_by_http
from tests.boot.printed_dhcp import by_dnsmasq, printed, served, tftp_root
from tests.rigs.debian_packages import Package
from tests.rigs.install import on_path, run
from tests.support.paths import PROJECT

OVMF = Package("trixie", "amd64", "ovmf", ("usr/share/OVMF",))
AAVMF = Package(
    "trixie",
    "amd64",
    "qemu-efi-aarch64",
    ("usr/share/AAVMF/AAVMF_CODE.secboot.fd", "usr/share/AAVMF/AAVMF_VARS.ms.fd"),
)
PAGE = PROJECT / "docs" / "secure-boot.md"
ADDRESS = "192.168.1.2:8080"
"""The boot server's on the page."""

SHIM_BY_HTTP = "assets/shimx64.efi"
COMMANDS = PAGE.read_text().split("```")[1]


def secure_pc(scratch: Path) -> list[str]:
    """A PC with Microsoft's keys, which nobody but its firmware can write."""
    return pc_with("OVMF_VARS_4M.ms.fd", scratch)


def http_booting_pc(scratch: Path) -> list[str]:
    """The same PC, which boots by HTTP alone."""
    return [*secure_pc(scratch), *without_pxe()]


def without_keys(scratch: Path) -> list[str]:
    """The same PC without any, which boots everything."""
    return pc_with("OVMF_VARS_4M.fd", scratch)


def pc_with(variables: str, scratch: Path) -> list[str]:
    files = OVMF.directory / "usr" / "share" / "OVMF"
    return [
        *(on_path("qemu-system-x86_64", "qemu-system-x86"), "-machine", "q35,smm=on,accel=tcg"),
        *("-cpu", "qemu64,cx16=off", "-global", "driver=cfi.pflash01,property=secure,value=on"),
        *flash(files / "OVMF_CODE_4M.secboot.fd", files / variables, scratch),
    ]


def secure_arm(scratch: Path) -> list[str]:
    """An ARM64 machine with Microsoft's keys; QEMU protects its variables from nobody."""
    files = AAVMF.directory / "usr" / "share" / "AAVMF"
    return [
        *(on_path("qemu-system-aarch64", "qemu-system-arm"), "-machine", "virt,accel=tcg", "-cpu", "max"),
        *flash(files / "AAVMF_CODE.secboot.fd", files / "AAVMF_VARS.ms.fd", scratch),
    ]


def flash(code: Path, variables: Path, scratch: Path) -> list[str]:
    own = scratch / "variables.fd"
    shutil.copyfile(variables, own)
    return [
        *("-drive", f"if=pflash,format=raw,unit=0,readonly=on,file={code}"),
        *("-drive", f"if=pflash,format=raw,unit=1,file={own}"),
        # Without a random number generator this UEFI has no network stack.
        *("-m", "512", "-device", "virtio-rng-pci"),
    ]


@contextmanager
def by_shim(architecture: str, _: Machine, servers: Servers, scratch: Path) -> Iterator[Network]:
    """By TFTP, firmware gets shim, and shim GRUB."""
    files = tftp_root(scratch)
    configuration = printed(scratch, servers, HOST, "dnsmasq", "--secure-boot", "--tftp-root", files)
    run(["sh", "-e", "-c", commands(architecture, files).replace(ADDRESS, servers.host)])
    with served([dnsmasq(configuration, scratch)], servers, scratch) as network:
        yield network


def commands(architecture: str, files: Path) -> str:
    """Those of the page but for apt-get, for packages, a command and a TFTP server that are elsewhere."""
    _, _, text = COMMANDS.partition("dnsmasq-base shim-signed grub-efi-amd64-signed\n")
    if architecture == "arm64":
        text = text.replace("x64.efi", "aa64.efi").replace("x86_64", "arm64")
    shim = Package("trixie", architecture, "shim-signed", ("usr/lib/shim",))
    grub = Package("trixie", architecture, f"grub-efi-{architecture}-signed", ("usr/lib/grub",))
    for package in (shim, grub):
        [place] = package.keep
        text = text.replace(f"/{place}", str(package.directory / place))
    return text.replace("/srv/tftp", str(files)).replace("matchboxctl", f"{sys.executable} -m matchboxctl.main")


CLIENTS = {
    client.name: client
    for client in (
        Client("shim", "amd64", secure_pc, booting_card, partial(by_shim, "amd64")),
        Client("shim-by-http", "amd64", http_booting_pc, booting_card, partial(booting_by_http, path=SHIM_BY_HTTP)),
        Client("shim-arm64", "arm64", secure_arm, booting_card, partial(by_shim, "arm64")),
        Client("ipxe", "amd64", secure_pc, booting_card, by_dnsmasq),
        Client("no-keys", "amd64", without_keys, booting_card, partial(by_shim, "amd64")),
    )
}
