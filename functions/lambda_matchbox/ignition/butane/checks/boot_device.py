"""The rules for `boot_device` and `grub`, and the warnings for the disk that fcos boots from."""

import re
from collections.abc import Iterator

from lambda_matchbox.ignition.butane.dialects import Dialect
from lambda_matchbox.ignition.butane.report import Path, ReportEntry
from lambda_matchbox.ignition.butane.structs import Sourced
from lambda_matchbox.ignition.config.problem import Problem
from lambda_matchbox.ignition.config.reader import Struct, number, struct, structs, text

_LAYOUTS = ("aarch64", "ppc64le", "x86_64")
_LAYOUTS_OF_S390X = {"s390x-eckd": r"/dev/dasd[a-z]\Z", "s390x-zfcp": r"/dev/sd[a-z]\Z"}
_S390X_SINCE = 6
_LAYOUT_REQUIRED_SINCE = 7
_RESERVED_NUMBERS = {"BIOS-BOOT": 1, "PowerPC-PReP-boot": 1, "EFI-SYSTEM": 2, "boot": 3, "root": 4}
_ROOT_MIB = 8192


def boot_device_problems(device: Sourced, path: Path, dialect: Dialect) -> Iterator[ReportEntry]:
    """The layout and its constraints."""
    mirrored = bool(struct(device, "mirror").get("devices"))
    layout = text(device, "layout")
    if "layout" in device:
        yield from _layout_problems(device, path, dialect)
    elif mirrored:
        reason = "boot_device.layout should be specified when boot_device.mirror is specified"
        yield ReportEntry(dialect.boot_version >= _LAYOUT_REQUIRED_SINCE, (*path, "mirror"), reason)
    luks = struct(device, "luks")
    if struct(luks, "cex").get("enabled"):
        reason = "when using cex the targeted architecture must match s390x"
        if "layout" not in device:
            yield ReportEntry.error((*path, "luks", "cex"), reason)
        elif not layout.startswith("s390x"):
            yield ReportEntry.error((*path, "layout"), reason)
        if luks.get("tang") or luks.get("tpm2"):
            yield ReportEntry.error((*path, "luks"), "cannot use cex with clevis")
    if isinstance(device["mirror"], Sourced):
        yield from mirror_problems(device["mirror"], (*path, "mirror"), dialect)


def boot_luks_problems(luks: Sourced, path: Path, dialect: Dialect) -> Iterator[ReportEntry]:
    """The method of encryption."""
    if dialect.boot_version >= _LAYOUT_REQUIRED_SINCE and _has_no_method(luks):
        yield ReportEntry.error((*path, "luks"), "no method specified for luks")


def mirror_problems(mirror: Sourced, path: Path, _dialect: Dialect) -> Iterator[ReportEntry]:
    """The devices of a mirror."""
    devices = mirror.get("devices")
    if isinstance(devices, list) and len(devices) == 1:
        yield ReportEntry.error((*path, "devices"), "mirroring requires at least two devices")


def grub_user_problems(user: Sourced, path: Path, _dialect: Dialect) -> Iterator[ReportEntry]:
    """One user of `grub`."""
    for field in ("name", "password_hash"):
        if not text(user, field):
            yield ReportEntry.error((*path, field), f'field "{field}" is required')


def _layout_problems(device: Sourced, path: Path, dialect: Dialect) -> Iterator[ReportEntry]:
    layout, where = text(device, "layout"), (*path, "layout")
    known = list(_LAYOUTS)
    if dialect.boot_version >= _S390X_SINCE:
        known += ["s390x-virt", *_LAYOUTS_OF_S390X]
    if layout not in known:
        yield ReportEntry.error(where, f"layout must be one of: {', '.join(sorted(known))}")
    elif layout in _LAYOUTS_OF_S390X:
        disk = text(struct(device, "luks"), "device")
        if not disk:
            yield ReportEntry.error(where, "device is required for layouts: s390x-eckd, s390x-zfcp")
        elif not re.search(_LAYOUTS_OF_S390X[layout], disk):
            reason = "device name must start with /dev/dasd on s390x-eckd layout or /dev/sd on s390x-zfcp layout"
            yield ReportEntry.error(where, reason)
    if layout in known and layout.startswith("s390x") and struct(device, "mirror").get("devices"):
        yield ReportEntry.error(where, "mirroring not supported on layouts: s390x-eckd, s390x-zfcp, s390x-virt")


def _has_no_method(luks: Struct) -> bool:
    tang = any(text(one, "url") or one.keys() - {"url"} for one in structs(luks, "tang"))
    return bool(text(luks, "device")) and not (luks.get("tpm2") or tang or struct(luks, "cex").get("enabled"))


def boot_disk_warnings(storage: Struct, dialect: Dialect) -> Iterator[Problem]:
    """The warnings, with their paths in the translated config."""
    for index, disk in enumerate(structs(storage, "disks")):
        partitions = structs(disk, "partitions")
        for at, partition in enumerate(partitions):
            path = f"$.storage.disks.{index}.partitions.{at}"
            label = text(partition, "label")
            if label == "root" and dialect.boot_version:
                yield from _root_warnings(partition, partitions[:at] + partitions[at + 1 :], path)
            wanted = _RESERVED_NUMBERS.get(label)
            if not disk.get("wipeTable") and wanted is not None and number(partition, "number") != wanted:
                reason = "incorrect partition number; a new partition will be created using reserved label"
                yield Problem(f"{path}.label", reason, is_warning=True)


def _root_warnings(root: Struct, others: list[Struct], path: str) -> Iterator[Problem]:
    size = number(root, "sizeMiB")
    if size and size < _ROOT_MIB:
        yield Problem(f"{path}.sizeMiB", "root should have 8GiB of space assigned", is_warning=True)
    elif not size and any(not number(one, "startMiB") for one in others):
        reason = (
            "root partition cannot expand; it is set to fill available space but is followed by an"
            " auto-positioned partition"
        )
        yield Problem(f"{path}.label", reason, is_warning=True)
