"""What is wrong with a Butane config before it is translated? One function for each struct that has rules."""

import re
from collections.abc import Callable, Iterator

from lambda_matchbox.ignition.butane.checks.boot_device_checks import (
    boot_device_faults,
    grub_user_faults,
    mirror_faults,
)
from lambda_matchbox.ignition.butane.checks.inline_config import inline_config_entries
from lambda_matchbox.ignition.butane.checks.modes import decimal_mode_entries
from lambda_matchbox.ignition.butane.dialects import Dialect
from lambda_matchbox.ignition.butane.report import Entry, Path
from lambda_matchbox.ignition.butane.schema import fields_of
from lambda_matchbox.ignition.butane.structs import Sourced
from lambda_matchbox.ignition.config.fault import number, struct, structs, text

_BOOT_DISK = "/dev/disk/by-id/coreos-boot-disk"
_MOUNTABLE = re.compile(r"/(etc|var)(/|\Z)")
_STRICTER = 6

Entries = Iterator[Entry]


def source_entries(config: Sourced, dialect: Dialect) -> Entries:
    """The errors and warnings, without their places: a struct before what is in it, in the order of the fields."""
    yield from _entries("Config", config, (), dialect)


def _entries(kind: str, value: Sourced, path: Path, dialect: Dialect) -> Entries:
    if kind in _CHECKS:
        yield from _CHECKS[kind](value, path, dialect)
    for field in fields_of(kind, dialect):
        member = value.get(field.name)
        below = (*path, field.key)
        if isinstance(member, Sourced):
            yield from _entries(field.kind, member, below, dialect)
        elif isinstance(member, list):
            for index, one in enumerate(member):
                if isinstance(one, Sourced):
                    yield from _entries(field.kind[1:-1], one, (*below, index), dialect)


def _config(config: Sourced, path: Path, dialect: Dialect) -> Entries:
    """From fcos 1.6.0 on."""
    if dialect.boot_version < _STRICTER:
        return
    storage = struct(config, "storage")
    reused = (
        f"partitions cannot be reused by label; number must be specified except on boot disk ({_BOOT_DISK})"
        " or when wipe_table is true"
    )
    for index, disk in enumerate(structs(storage, "disks")):
        if text(disk, "device") == _BOOT_DISK or disk.get("wipeTable"):
            continue
        for place, partition in enumerate(structs(disk, "partitions")):
            if not number(partition, "number") and "label" in partition:
                where = (*path, "storage", "disks", index, "partitions", place, "number")
                yield Entry.warning(where, reused)
    for index, filesystem in enumerate(structs(storage, "filesystems")):
        mounted = filesystem.get("with_mount_unit") and "path" in filesystem
        if mounted and not _MOUNTABLE.match(text(filesystem, "path")):
            where = (*path, "storage", "filesystems", index, "path")
            yield Entry.error(where, "path must be under /etc or /var if with_mount_unit is true")


def _resource(resource: Sourced, path: Path, dialect: Dialect) -> Entries:
    given = [name for name in ("local", "inline", "source") if name in resource]
    if len(given) > 1:
        field = given[-1] if dialect.minor else "inline"
        yield Entry.error((*path, field), "only one of the following can be set: inline, local, source")
    elif given == ["inline"] and path[:2] == ("ignition", "config"):
        yield from inline_config_entries(text(resource, "inline"), path, dialect)


def _filesystem(filesystem: Sourced, path: Path, dialect: Dialect) -> Entries:
    if not filesystem.get("with_mount_unit"):
        return
    form = text(filesystem, "format")
    if not form:
        yield Entry.error((*path, "format"), "format is required if with_mount_unit is true")
    elif not text(filesystem, "path") and not is_swap(filesystem, dialect):
        reason = "path is required if with_mount_unit is true and format is not swap"
        yield Entry.error((*path, "path"), reason)


def is_swap(filesystem: Sourced, dialect: Dialect) -> bool:
    """Whether the mount unit of a filesystem is one for swap space, which older versions do not know."""
    return text(filesystem, "format") == "swap" and dialect.minor >= 3


def _directory(directory: Sourced, path: Path, _dialect: Dialect) -> Entries:
    yield from decimal_mode_entries(directory, path, is_directory=True)


def _file(file: Sourced, path: Path, _dialect: Dialect) -> Entries:
    yield from decimal_mode_entries(file, path, is_directory=False)


def _tree(tree: Sourced, path: Path, _dialect: Dialect) -> Entries:
    if not text(tree, "local"):
        yield Entry.error(path, "local is required")


def _unit(unit: Sourced, path: Path, _dialect: Dialect) -> Entries:
    if "contents" in unit and "contents_local" in unit:
        reason = "only one of the following can be set: contents, contents_local"
        yield Entry.error((*path, "contents_local"), reason)


_CHECKS: dict[str, Callable[[Sourced, Path, Dialect], Entries]] = {
    "BootDevice": boot_device_faults,
    "BootDeviceMirror": mirror_faults,
    "Config": _config,
    "Directory": _directory,
    "Dropin": _unit,
    "File": _file,
    "Filesystem": _filesystem,
    "GrubUser": grub_user_faults,
    "Reference": _resource,
    "Resource": _resource,
    "Tree": _tree,
    "Unit": _unit,
}
