"""The network-boot clients: the table `CLIENTS`, and `boot`, which runs one of them on a virtual machine.

The boot server listens on a port of this machine's 127.0.0.1; each guest reaches it at the same port of 10.0.2.2.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tests.boot import firmware, networks
from tests.boot.disks import Firmware
from tests.boot.machine import BootResult, Machine, RunningMachine, switched_on
from tests.boot.networks import Network, Servers
from tests.rigs.install import on_path


@dataclass(frozen=True)
class Client:
    """One way from power-on to a kernel.

    `architecture` is the kernel's, as Debian calls it. `hardware` gives QEMU's arguments but for the network, and may
    put files into the directory it is given. `card` gives the network card's options. `first_stage` are files that the
    server has to have, by their paths below its root. `time_limit` is in seconds, about forty times what a boot takes.
    """

    name: str
    architecture: str
    hardware: Callable[[Path], list[str]]
    card: Callable[[], str]
    network: Callable[[Machine, Servers, Path], AbstractContextManager[Network]]
    first_stage: Mapping[str, Callable[[], Path]] = field(default_factory=dict)
    time_limit: float = 600

    @property
    def firmware(self) -> Firmware:
        """The kind of its machine's firmware."""
        return "bios" if self.hardware is bios_pc else "uefi"


@contextmanager
def powered_on(
    client: Client, servers: Servers, machine: Machine, scratch: Path, disk: Path | None = None
) -> Iterator[RunningMachine]:
    """Switches `machine` on, to boot with `client`.

    `scratch` is an empty directory for this boot alone; the console is kept there in `console.txt` and grows while the
    guest runs. A machine with a disk, which comes after the network in the order of booting, may start anew. Raises
    NetworkError, RigUnavailableError.
    """
    with client.network(machine, servers, scratch) as network:
        command = [
            *client.hardware(scratch),
            *(["-nographic", "-no-reboot"] if disk is None else ["-nographic", *last_disk(disk)]),
            *("-uuid", machine.uuid, "-smbios", f"type=1,serial={machine.serial}"),
            *("-netdev", f"{network.backend},id=lan"),
            *("-device", f"virtio-net-pci,netdev=lan,mac={machine.mac},{client.card()}"),
        ]
        with switched_on(command, scratch / "console.txt", client.time_limit, network.descriptors) as running:
            yield running


def boot(client: Client, servers: Servers, machine: Machine, scratch: Path) -> BootResult:
    """Boots a machine as `powered_on` does, to the end. Raises BootFailedError, NetworkError, RigUnavailableError."""
    with powered_on(client, servers, machine, scratch) as running:
        return running.result()


def bios_pc(_: Path) -> list[str]:
    return [*pc(), "-m", "256", "-boot", "n"]


def bios_pc_without_ipxe(_: Path) -> list[str]:
    """A PC whose PXE ROM does not say that it is iPXE.

    There is no free ROM but iPXE: this is one that goes by another user class, and does nothing else than a ROM does.
    """
    return pc_with_rom("set user-class PXE && autoboot")


def bios_pc_with_menu(_: Path) -> list[str]:
    """The same where proxy DHCP gives a ROM a menu, whose first entry it takes.

    iPXE hands all its settings on to what it loads, and its user class, unless cleared before, would be that one's too.
    """
    return pc_with_rom(
        "set user-class PXE && dhcp && pxebs net0 128 && clear user-class && chain tftp://${pxebs/next-server}/${filename}"
    )


def pc_with_rom(script: str) -> list[str]:
    return [*pc(), "-m", "256", "-kernel", str(firmware.ipxe_kernel()), "-append", script]


def uefi_pc(_: Path) -> list[str]:
    # Without a random number generator this UEFI has no network stack.
    return [*pc(), "-m", "512", "-bios", str(firmware.uefi_x86_64()), "-device", "virtio-rng-pci"]


def pc() -> list[str]:
    # QEMU 7.2 without KVM sometimes loses the processor's flags around cmpxchg16b, which Linux uses to allocate memory
    # where the processor has it: with it 3 boots of 40 ended in a double fault there, without it none of 160.
    processor = "qemu64,cx16=off"
    return [on_path("qemu-system-x86_64", "qemu-system-x86"), "-machine", "pc,accel=tcg", "-cpu", processor]


def uefi_pc_with_ipxe(scratch: Path) -> list[str]:
    return [*uefi_pc(scratch), *system_disk(scratch, "BOOTX64.EFI", firmware.ipxe_efi_x86_64())]


def uefi_arm(_: Path) -> list[str]:
    emulator = on_path("qemu-system-aarch64", "qemu-system-arm")
    board = ("-machine", "virt,accel=tcg", "-cpu", "cortex-a57", "-m", "512", "-bios", str(firmware.uefi_arm64()))
    return [emulator, *board, "-device", "virtio-rng-pci"]


def uefi_arm_with_ipxe(scratch: Path) -> list[str]:
    return [*uefi_arm(scratch), *system_disk(scratch, "BOOTAA64.EFI", firmware.ipxe_efi_arm64())]


def http_booting_pc(scratch: Path) -> list[str]:
    return [*uefi_pc(scratch), *without_pxe()]


def networked_arm(scratch: Path) -> list[str]:
    # Without a processor that makes random numbers this UEFI has no network stack.
    return [*uefi_arm(scratch), "-cpu", "max"]


def http_booting_arm(scratch: Path) -> list[str]:
    return [*networked_arm(scratch), *without_pxe()]


def without_pxe() -> list[str]:
    settings = (f"name=opt/org.tianocore/IPv{version}PXESupport,string=no" for version in (4, 6))
    return [word for setting in settings for word in ("-fw_cfg", setting)]


def system_disk(scratch: Path, name: str, boot_program: Path) -> list[str]:
    """A disk whose only file is the program that UEFI starts by itself."""
    directory = scratch / "disk" / "EFI" / "BOOT"
    directory.mkdir(parents=True)
    (directory / name).write_bytes(boot_program.read_bytes())
    drive = f"if=none,id=system,format=raw,readonly=on,file=fat:{scratch / 'disk'}"
    return ["-drive", drive, "-device", "virtio-blk-pci,drive=system,bootindex=0"]


def last_disk(image: Path) -> list[str]:
    drive = f"if=none,id=disk,format=raw,file={image}"
    return ["-drive", drive, "-device", "virtio-blk-pci,drive=disk,bootindex=9"]


def card_with(rom: Callable[[], Path]) -> str:
    # A transitional virtio card, QEMU's default, has another PCI id than the ROM is for, so the BIOS would ignore it.
    return f"romfile={rom()},disable-legacy=on,bootindex=1"


def plain_card() -> str:
    return "romfile="


def booting_card() -> str:
    return "romfile=,bootindex=0"


CLIENTS = {
    client.name: client
    for client in (
        Client(
            "bios-ipxe-old", "amd64", bios_pc, partial(card_with, firmware.old_bios_ipxe), networks.naming_boot_script
        ),
        Client(
            "bios-ipxe-new", "amd64", bios_pc, partial(card_with, firmware.new_bios_ipxe), networks.naming_boot_script
        ),
        Client("uefi-x86-64", "amd64", uefi_pc_with_ipxe, plain_card, networks.naming_boot_script),
        Client("arm64", "arm64", uefi_arm_with_ipxe, plain_card, networks.naming_boot_script),
        Client("grub-2.06", "amd64", uefi_pc, booting_card, networks.loading_grub_2_06),
        Client("grub-2.12", "amd64", uefi_pc, booting_card, networks.loading_grub_2_12, time_limit=1000),
        Client(
            "edk2-http",
            "amd64",
            http_booting_pc,
            booting_card,
            networks.booting_by_http,
            first_stage={networks.HTTP_BOOT_PATH: firmware.ipxe_snponly_x86_64},
        ),
        Client(
            "edk2-http-arm64",
            "arm64",
            http_booting_arm,
            booting_card,
            networks.booting_by_http,
            first_stage={networks.HTTP_BOOT_PATH: firmware.ipxe_efi_arm64},
        ),
    )
}
