"""Files of the boot programs, from Debian."""

from pathlib import Path

from tests.rigs.debian_packages import Package

# Debian 12 still has iPXE of 2019, the old one that rewrites `%2B` in a query, and GRUB 2.06, which knows port 80 only.
# Everything else is Debian 13's.
OLD_IPXE_ROMS = Package("bookworm", "amd64", "ipxe-qemu", ("usr/lib/ipxe/qemu",))
NEW_IPXE_ROMS = Package("trixie", "amd64", "ipxe-qemu", ("usr/share/qemu",))
NEW_IPXE = Package("trixie", "amd64", "ipxe", ("usr/lib/ipxe",))
UKIFY = Package("trixie", "amd64", "systemd-ukify", ("usr/bin/ukify", "usr/lib/systemd/ukify"))
PEFILE = Package("trixie", "amd64", "python3-pefile", ("usr/lib/python3/dist-packages",))
STUBS = {"amd64": "linuxx64.efi.stub", "arm64": "linuxaa64.efi.stub"}
INSTALLER = Package(
    "bookworm", "amd64", "debian-installer-12-netboot-amd64", ("usr/lib/debian-installer/images/12/amd64/text",)
)
OVMF = Package("trixie", "amd64", "ovmf", ("usr/share/ovmf",))
# The package also has padded flash images of 64 MB each, which are left out.
AAVMF = Package("trixie", "amd64", "qemu-efi-aarch64", ("usr/share/qemu-efi-aarch64",))
GRUB_2_12 = Package("trixie", "amd64", "grub-efi-amd64-unsigned", ("usr/lib/grub/x86_64-efi/monolithic",))
GRUB_OF_DISKS = {
    "amd64": Path("usr/lib/grub/x86_64-efi/monolithic/grubx64.efi"),
    "arm64": Path("usr/lib/grub/arm64-efi/monolithic/grubaa64.efi"),
}
GRUB_2_06 = Package("bookworm", "amd64", "grub-efi-amd64-bin", ("usr/lib/grub/x86_64-efi",))


def old_bios_ipxe() -> Path:
    """A network card's ROM with iPXE of 2019."""
    return OLD_IPXE_ROMS.directory / "usr/lib/ipxe/qemu/pxe-virtio.rom"


def new_bios_ipxe() -> Path:
    """A network card's ROM with iPXE of 2025."""
    return NEW_IPXE_ROMS.directory / "usr/share/qemu/pxe-virtio.rom"


def ipxe_efi_x86_64() -> Path:
    """iPXE as a UEFI program with its own network drivers."""
    return NEW_IPXE.directory / "usr/lib/ipxe/ipxe-amd64.efi"


def ipxe_efi_arm64() -> Path:
    """iPXE as a UEFI program with its own network drivers."""
    return NEW_IPXE.directory / "usr/lib/ipxe/ipxe-arm64.efi"


def ipxe_kernel() -> Path:
    """iPXE in the form of a Linux kernel, whose arguments are a script."""
    return NEW_IPXE.directory / "usr/lib/ipxe/ipxe.lkrn"


def ipxe_snponly_x86_64() -> Path:
    """The small iPXE that uses the firmware's network driver: the usual first stage of UEFI's HTTP boot."""
    return NEW_IPXE.directory / "usr/lib/ipxe/snponly.efi"


def uefi_x86_64() -> Path:
    """UEFI for `-bios` of qemu-system-x86_64."""
    return OVMF.directory / "usr/share/ovmf/OVMF.fd"


def uefi_arm64() -> Path:
    """UEFI for `-bios` of qemu-system-aarch64."""
    return AAVMF.directory / "usr/share/qemu-efi-aarch64/QEMU_EFI.fd"


def grub_2_12() -> Path:
    """GRUB as a UEFI program for loading from the network, with HTTP built in."""
    return GRUB_2_12.directory / "usr/lib/grub/x86_64-efi/monolithic/grubnetx64.efi"


def grub_2_06() -> Path:
    """GRUB as a UEFI program for loading from the network; it loads its HTTP module from where it came."""
    return GRUB_2_06.directory / "usr/lib/grub/x86_64-efi/monolithic/grubnetx64.efi"


def grub_2_06_http_module() -> Path:
    """The module that goes with `grub_2_06`."""
    return GRUB_2_06.directory / "usr/lib/grub/x86_64-efi/http.mod"


def grub_of_disks(architecture: str) -> Path:
    """GRUB as a UEFI program that reads `/EFI/debian/grub.cfg` of the disk it is on."""
    path = GRUB_OF_DISKS[architecture]
    keep = (str(path.parent),)
    return Package("trixie", architecture, f"grub-efi-{architecture}-unsigned", keep).directory / path


def kernel_stub(architecture: str) -> Path:
    """What firmware starts of a unified kernel image: systemd's stub, which starts the kernel in it."""
    directory = Path("usr/lib/systemd/boot/efi")
    return (
        Package("trixie", architecture, "systemd-boot-efi", (str(directory),)).directory
        / directory
        / STUBS[architecture]
    )


def ukify() -> Path:
    """systemd's program, in Python, that makes unified kernel images; `pefile` is what it imports."""
    return UKIFY.directory / "usr/bin/ukify"


def pefile() -> Path:
    """The directory of the Python package of that name."""
    return PEFILE.directory / "usr/lib/python3/dist-packages"


def debian_installer() -> Path:
    """The directory with `linux` and `initrd.gz` of Debian 12's installer."""
    return INSTALLER.directory / "usr/lib/debian-installer/images/12/amd64/text/debian-installer/amd64"
