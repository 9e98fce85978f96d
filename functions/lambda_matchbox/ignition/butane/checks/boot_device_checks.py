"""What is wrong with `boot_device` and `grub` of a Butane config?"""

import re
from collections.abc import Iterator

from lambda_matchbox.ignition.butane.dialects import Dialect
from lambda_matchbox.ignition.butane.report import Entry, Path
from lambda_matchbox.ignition.butane.structs import Sourced
from lambda_matchbox.ignition.config.fault import struct, text

_LAYOUTS = ("aarch64", "ppc64le", "x86_64")
_LAYOUTS_OF_S390X = {"s390x-eckd": re.compile(r"/dev/dasd[a-z]\Z"), "s390x-zfcp": re.compile(r"/dev/sd[a-z]\Z")}
_S390X_SINCE = 6
_LAYOUT_REQUIRED_SINCE = 7


def boot_device_faults(device: Sourced, path: Path, dialect: Dialect) -> Iterator[Entry]:
    """The layout, and what goes with it."""
    mirrored = bool(struct(device, "mirror").get("devices"))
    layout = text(device, "layout")
    if "layout" in device:
        yield from _layout_faults(device, path, dialect)
    elif mirrored:
        reason = "boot_device.layout should be specified when boot_device.mirror is specified"
        yield Entry(dialect.boot_version >= _LAYOUT_REQUIRED_SINCE, (*path, "mirror"), reason)
    luks = struct(device, "luks")
    if struct(luks, "cex").get("enabled"):
        reason = "when using cex the targeted architecture must match s390x"
        if "layout" not in device:
            yield Entry.error((*path, "luks", "cex"), reason)
        elif not layout.startswith("s390x"):
            yield Entry.error((*path, "layout"), reason)
        if luks.get("tang") or luks.get("tpm2"):
            yield Entry.error((*path, "luks"), "cannot use cex with clevis")
    if dialect.boot_version >= _LAYOUT_REQUIRED_SINCE and _has_no_method(luks):
        yield Entry.error((*path, "luks", "luks"), "no method specified for luks")
    if isinstance(device["mirror"], Sourced):
        yield from mirror_faults(device["mirror"], (*path, "mirror"), dialect)


def mirror_faults(mirror: Sourced, path: Path, _dialect: Dialect) -> Iterator[Entry]:
    """The devices of a mirror."""
    devices = mirror.get("devices")
    if isinstance(devices, list) and len(devices) == 1:
        yield Entry.error((*path, "devices"), "mirroring requires at least two devices")


def grub_user_faults(user: Sourced, path: Path, _dialect: Dialect) -> Iterator[Entry]:
    """One user of `grub`."""
    for field in ("name", "password_hash"):
        if not text(user, field):
            yield Entry.error((*path, field), f'field "{field}" is required')


def _layout_faults(device: Sourced, path: Path, dialect: Dialect) -> Iterator[Entry]:
    layout, where = text(device, "layout"), (*path, "layout")
    known = list(_LAYOUTS)
    if dialect.boot_version >= _S390X_SINCE:
        known += ["s390x-virt", *_LAYOUTS_OF_S390X]
    if layout not in known:
        yield Entry.error(where, f"layout must be one of: {', '.join(sorted(known))}")
    elif layout in _LAYOUTS_OF_S390X:
        disk = text(struct(device, "luks"), "device")
        if not disk:
            yield Entry.error(where, "device is required for layouts: s390x-eckd, s390x-zfcp")
        elif not _LAYOUTS_OF_S390X[layout].search(disk):
            reason = "device name must start with /dev/dasd on s390x-eckd layout or /dev/sd on s390x-zfcp layout"
            yield Entry.error(where, reason)
    if layout in known and layout.startswith("s390x") and struct(device, "mirror").get("devices"):
        yield Entry.error(where, "mirroring not supported on layouts: s390x-eckd, s390x-zfcp, s390x-virt")


def _has_no_method(luks: dict[str, object]) -> bool:
    given = any(name in luks for name in ("discard", "device", "threshold", "tpm2")) or bool(luks.get("tang"))
    return given and not (luks.get("tpm2") or luks.get("tang") or struct(luks, "cex").get("enabled"))
