"""The rules for a Butane config before it is translated, one function for each struct."""

import re
from collections.abc import Callable, Iterator
from functools import partial

from lambda_matchbox.ignition.butane.checks.boot_device import (
    boot_device_problems,
    boot_luks_problems,
    grub_user_problems,
    mirror_problems,
)
from lambda_matchbox.ignition.butane.dialects import Dialect
from lambda_matchbox.ignition.butane.report import Path, ReportEntry
from lambda_matchbox.ignition.butane.schema import fields_of
from lambda_matchbox.ignition.butane.structs import Sourced
from lambda_matchbox.ignition.config.reader import number, struct, structs, text

_BOOT_DISK = "/dev/disk/by-id/coreos-boot-disk"
_MOUNTABLE = r"/(etc|var)(/|\Z)"
_STRICTER = 6
_SWAP_SINCE = 3
_MAX_DIGITS_AS_MODE = 7777
_READ, _WRITE, _EXECUTE = 4, 2, 1
_SETUID, _SETGID, _STICKY = 0o4000, 0o2000, 0o1000

Entries = Iterator[ReportEntry]


def source_entries(config: Sourced, dialect: Dialect) -> Entries:
    """The errors and warnings without their positions, outer structs first, in the order of the fields."""
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
    """The rules since fcos 1.6.0."""
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
        for at, partition in enumerate(structs(disk, "partitions")):
            if not number(partition, "number") and "label" in partition:
                where = (*path, "storage", "disks", index, "partitions", at, "number")
                yield ReportEntry.warning(where, reused)
    for index, filesystem in enumerate(structs(storage, "filesystems")):
        mounted = filesystem.get("with_mount_unit") and "path" in filesystem
        if mounted and not re.match(_MOUNTABLE, text(filesystem, "path")):
            where = (*path, "storage", "filesystems", index, "path")
            yield ReportEntry.error(where, "path must be under /etc or /var if with_mount_unit is true")


def _resource(resource: Sourced, path: Path, dialect: Dialect) -> Entries:
    given = [name for name in ("local", "inline", "source") if name in resource]
    if len(given) > 1:
        field = given[-1] if dialect.minor else "inline"
        yield ReportEntry.error((*path, field), "only one of the following can be set: inline, local, source")
    elif given == ["inline"] and path[:2] == ("ignition", "config"):
        from lambda_matchbox.ignition.butane.checks.inline_config import inline_config_entries

        yield from inline_config_entries(text(resource, "inline"), path, dialect)


def _filesystem(filesystem: Sourced, path: Path, dialect: Dialect) -> Entries:
    if not filesystem.get("with_mount_unit"):
        return
    form = text(filesystem, "format")
    if not text(filesystem, "path") and not is_swap(filesystem, dialect) and (form or dialect.minor < _SWAP_SINCE):
        reason = "path is required if with_mount_unit is true and format is not swap"
        yield ReportEntry.error((*path, "path"), reason)
    if not form:
        yield ReportEntry.error((*path, "format"), "format is required if with_mount_unit is true")


def is_swap(filesystem: Sourced, dialect: Dialect) -> bool:
    """Whether the mount unit of a filesystem is for swap, which older versions do not have."""
    return text(filesystem, "format") == "swap" and dialect.minor >= _SWAP_SINCE


def _tree(tree: Sourced, path: Path, _dialect: Dialect) -> Entries:
    if not text(tree, "local"):
        yield ReportEntry.error(path, "local is required")


def _unit(unit: Sourced, path: Path, _dialect: Dialect) -> Entries:
    if "contents" in unit and "contents_local" in unit:
        reason = "only one of the following can be set: contents, contents_local"
        yield ReportEntry.error((*path, "contents_local"), reason)


def _decimal_mode_entries(node: Sourced, path: Path, _dialect: Dialect, *, is_directory: bool) -> Entries:
    """A warning if a mode makes sense only as the octal number that it looks like."""
    mode = number(node, "mode")
    if mode is None or not 0 <= mode <= _MAX_DIGITS_AS_MODE or not set(str(mode)) <= set("01234567"):
        return
    if _is_typical(int(str(mode), 8), is_directory=is_directory) and not _is_typical(mode, is_directory=is_directory):
        reason = "unreasonable mode would be reasonable if specified in octal; remember to add a leading zero"
        yield ReportEntry.warning((*path, "mode"), reason)


def _is_typical(mode: int, *, is_directory: bool) -> bool:
    if mode == 0:
        return True
    user, group, other = mode >> 6 & 7, mode >> 3 & 7, mode & 7
    classes = (user, group, other)
    if other & ~group or group & ~user or not mode & 0o444:
        return False
    if any(one & (_WRITE | _EXECUTE) and not one & _READ for one in classes):
        return False
    # A class may not read without executing if a more specific one executes, nor the reverse.
    if any(
        one & _EXECUTE and other_one & _READ and not other_one & _EXECUTE for one, other_one in _more_and_less(classes)
    ):
        return False
    if is_directory:
        special = mode & (_SETGID | _STICKY)
        return bool(mode & 0o111) and not mode & _SETUID and (not special or bool(mode & 0o222))
    if mode & _STICKY:
        return False
    return not mode & (_SETUID | _SETGID) or (bool(mode & 0o111) and not mode & 0o002)


def _more_and_less(classes: tuple[int, int, int]) -> Iterator[tuple[int, int]]:
    user, group, other = classes
    yield from ((user, group), (user, other), (group, other))


_CHECKS: dict[str, Callable[[Sourced, Path, Dialect], Entries]] = {
    "BootDevice": boot_device_problems,
    "BootDeviceLuks": boot_luks_problems,
    "BootDeviceMirror": mirror_problems,
    "Config": _config,
    "Directory": partial(_decimal_mode_entries, is_directory=True),
    "Dropin": _unit,
    "File": partial(_decimal_mode_entries, is_directory=False),
    "Filesystem": _filesystem,
    "GrubUser": grub_user_problems,
    "Reference": _resource,
    "Resource": _resource,
    "Tree": _tree,
    "Unit": _unit,
}
