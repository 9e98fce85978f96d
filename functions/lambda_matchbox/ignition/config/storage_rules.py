"""Ignition's rules for disks and their contents, one function for each struct of version 3.`minor`."""

import re
from collections.abc import Callable, Sequence
from itertools import accumulate
from operator import itemgetter

from lambda_matchbox.ignition.config.problem import Problem, Problems, path_problem, problems_at
from lambda_matchbox.ignition.config.reader import Struct, number, struct, structs, text
from lambda_matchbox.ignition.config.source import source_problem

_FORMATS = {"ext4": 0, "btrfs": 0, "xfs": 0, "swap": 0, "vfat": 0, "none": 3}
_MAX_LABELS = {"ext4": 16, "btrfs": 256, "xfs": 12, "swap": 15, "vfat": 11}
_MAX_LUKS_LABEL = 47
_MAX_PARTITION_LABEL = 36
_GUID = r"(?:[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})?"
_LEVELS_WITHOUT_SPARES = frozenset({"linear", "raid0", "0", "stripe"})
_LEVELS_WITH_SPARES = frozenset({"raid1", "1", "mirror", "raid4", "4", "raid5", "5", "raid6", "6", "raid10", "10"})


def disk_problems(disk: Struct, path: str, _minor: int) -> Problems:
    """The rules for a disk and between its partitions."""
    if not text(disk, "device"):
        yield Problem(f"{path}.device", "disk device is required")
        return
    yield from problems_at(f"{path}.device", path_problem(text(disk, "device")))
    partitions = structs(disk, "partitions")
    numbers = [number(one, "number") or None for one in partitions]
    yield from _at_partition(path, _repeated(numbers), "partition numbers collide")
    yield from _at_partition(path, _overlapping(list(map(_extent, partitions))), "partitions overlap")
    if None in numbers and any(one.get("shouldExist") is False for one in partitions):
        reason = "shouldExist is false for a partition and other partition(s) has start or size 0"
        yield Problem(f"{path}.partitions", reason)
    labels = [text(one, "label") if "label" in one else None for one in partitions]
    yield from _at_partition(path, _repeated(labels), "cannot use the same partition label twice")


def _at_partition(path: str, index: int | None, reason: str) -> Problems:
    if index is not None:
        yield Problem(f"{path}.partitions.{index}", reason)


def _repeated(values: Sequence[object]) -> int | None:
    """The index of the first repeated value other than None."""
    seen = set()
    for index, one in enumerate(values):
        if one in seen:
            return index
        if one is not None:
            seen.add(one)
    return None


def _extent(partition: Struct) -> tuple[int, int] | None:
    """The first and last MiB of a partition whose extent does not depend on the disk."""
    start, size = number(partition, "startMiB"), number(partition, "sizeMiB")
    if not start or size is None:
        return None
    return start, start + size - 1 if size else start


def _overlapping(extents: list[tuple[int, int] | None]) -> int | None:
    """The index of a partition that another one overlaps: of the first that overlaps any, the first that it overlaps.

    Ignition compares each with each. Here the ends are sorted, and only one is compared with all.
    """
    known = [(index, extent) for index, extent in enumerate(extents) if extent]
    runs_into_any = _collisions([extent for _, extent in known])
    for index, extent in known:
        if runs_into_any(extent):
            return next(other for other, its in known if other != index and _overlap(extent, its))
    return None


def _collisions(extents: list[tuple[int, int]]) -> Callable[[tuple[int, int]], bool]:
    """A test whether an extent overlaps any other. A negative size ends an extent before its start."""
    from bisect import bisect_left, bisect_right

    starts = sorted(start for start, end in extents if start <= end)
    ends = sorted(end for start, end in extents if start <= end)
    backward = sorted((start, end) for start, end in extents if start > end)
    # The smallest end of those that start there or later.
    least_ends = list(accumulate((end for _, end in reversed(backward)), min))[::-1]

    def meeting(first: int, last: int) -> int:
        """The number of extents with a size that reach into these MiB."""
        return bisect_right(starts, last) - bisect_left(ends, first)

    def collides(extent: tuple[int, int]) -> bool:
        start, end = extent
        later = bisect_right(backward, start, key=itemgetter(0))
        if later < len(backward) and least_ends[later] < end:
            return True
        # An extent with a size is counted itself.
        return meeting(start, end) > 1 if start <= end else meeting(start, start) + meeting(end, end) > 0

    return collides


def _overlap(one: tuple[int, int], other: tuple[int, int]) -> bool:
    (start, end), (other_start, other_end) = one, other
    return (
        other_start <= start <= other_end
        or other_start <= end <= other_end
        or (start < other_start and end > other_end)
    )


def partition_problems(partition: Struct, path: str, _minor: int) -> Problems:
    """The rules for a single partition."""
    others = ("label", "startMiB", "sizeMiB")
    if partition.get("shouldExist") is False and (
        any(name in partition for name in others) or text(partition, "typeGuid") or text(partition, "guid")
    ):
        yield Problem(path, "shouldExist specified false with other options also specified")
    if not number(partition, "number") and "label" not in partition:
        yield Problem(path, "a partition number >= 1 or a label must be specified")
    label = text(partition, "label")
    if len(label.encode()) > _MAX_PARTITION_LABEL:
        yield Problem(f"{path}.label", f"partition labels may not exceed {_MAX_PARTITION_LABEL} characters")
    elif ":" in label:
        yield Problem(f"{path}.label", "partition label will be truncated to text before the colon")
    for name in ("guid", "typeGuid"):
        if not re.fullmatch(_GUID, text(partition, name)):
            yield Problem(f"{path}.{name}", 'doesn\'t match the form "01234567-89AB-CDEF-EDCB-A98765432101"')


def filesystem_problems(filesystem: Struct, path: str, minor: int) -> Problems:
    """The rules for a filesystem."""
    if text(filesystem, "path"):
        yield from problems_at(f"{path}.path", path_problem(text(filesystem, "path")))
    yield from problems_at(f"{path}.device", path_problem(text(filesystem, "device")))
    form, label = text(filesystem, "format"), text(filesystem, "label")
    others = ("path", "label", "uuid", "wipeFilesystem", "mountOptions", "options")
    if not form:
        if any(filesystem.get(name) for name in others):
            reason = (
                "format cannot be empty when path, label, uuid, wipeFilesystem, options, or mountOptions is specified"
            )
            yield Problem(f"{path}.format", reason)
        if label:
            yield Problem(f"{path}.label", "filesystem must specify format if label is specified")
    elif _FORMATS.get(form, minor + 1) > minor:
        yield Problem(f"{path}.format", "invalid filesystem format")
    elif len(label.encode()) > _MAX_LABELS.get(form, len(label.encode())):
        yield Problem(
            f"{path}.label",
            f"filesystem labels cannot be longer than {_MAX_LABELS[form]} characters when using {form}",
        )


def luks_problems(luks: Struct, path: str, minor: int) -> Problems:
    """The rules for an encrypted device."""
    if "/" in text(luks, "name"):
        yield Problem(f"{path}.name", "device names cannot contain slashes")
    if len(text(luks, "label").encode()) > _MAX_LUKS_LABEL:
        yield Problem(f"{path}.label", f"luks device labels cannot be longer than {_MAX_LUKS_LABEL} characters")
    if text(luks, "device"):
        yield from problems_at(f"{path}.device", path_problem(text(luks, "device")))
    else:
        yield Problem(f"{path}.device", "disk device is required")
    clevis = struct(luks, "clevis")
    custom = struct(clevis, "custom")
    customized = bool(text(custom, "pin")) if minor >= 3 else bool(custom)
    others = bool(clevis.get("tang") or clevis.get("tpm2") or clevis.get("threshold"))
    if customized and others:
        yield Problem(f"{path}.clevis", "cannot use custom clevis config with tpm2, tang, or threshold")
    key_source = text(struct(luks, "keyFile"), "source")
    if struct(luks, "cex").get("enabled"):
        if customized or others:
            yield Problem(f"{path}.cex", "cannot use cex with clevis")
        if key_source:
            yield Problem(f"{path}.cex", "cannot use key file with cex")
    if key_source and source_problem(key_source, minor):
        yield Problem(f"{path}.keys", "invalid key-file source")


def raid_problems(raid: Struct, path: str, minor: int) -> Problems:
    """The rules for an array."""
    level = text(raid, "level")
    if level not in _LEVELS_WITHOUT_SPARES | _LEVELS_WITH_SPARES:
        yield Problem(f"{path}.level", "unrecognized raid level" if level or minor < 3 else "raid level is required")
    elif level in _LEVELS_WITHOUT_SPARES and raid.get("spares"):
        yield Problem(f"{path}.level", "spares unsupported for linear and raid0 arrays")
    if not raid.get("devices"):
        yield Problem(f"{path}.devices", "raid devices required")


def clevis_custom_problems(custom: Struct, path: str, minor: int) -> Problems:
    """The rules for a custom Clevis pin."""
    pin, config = text(custom, "pin"), text(custom, "config")
    if not pin and not config and not (minor >= 3 and custom.get("needsNetwork")):
        return
    if not pin:
        yield Problem(f"{path}.pin", "missing required custom clevis pin")
    elif minor <= 5 and pin not in {"tpm2", "tang", "sss"}:
        yield Problem(f"{path}.pin", "unsupported clevis pin")
    if not config:
        yield Problem(f"{path}.config", "missing required custom clevis config")
