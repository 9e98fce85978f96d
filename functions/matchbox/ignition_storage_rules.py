"""The rules of Ignition for disks and what is on them: one function for each struct, with the version 3.`minor`."""

import re
from collections import Counter
from itertools import permutations

from matchbox.ignition_fault import Fault, Faults, faults_at, number, path_fault, struct, structs, text
from matchbox.ignition_reader import Struct

_FORMATS = {"ext4": 0, "btrfs": 0, "xfs": 0, "swap": 0, "vfat": 0, "none": 3}
_LONGEST_LABELS = {"ext4": 16, "btrfs": 256, "xfs": 12, "swap": 15, "vfat": 11}
_LONGEST_LUKS_LABEL = 47
_LONGEST_PARTITION_LABEL = 36
_GUID = re.compile(r"(?:[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})?")
_LEVELS_WITHOUT_SPARES = frozenset({"linear", "raid0", "0", "stripe"})
_LEVELS_WITH_SPARES = frozenset({"raid1", "1", "mirror", "raid4", "4", "raid5", "5", "raid6", "6", "raid10", "10"})


def disk_faults(disk: Struct, path: str, _minor: int) -> Faults:
    """A disk and its partitions with each other."""
    if not text(disk, "device"):
        yield Fault(f"{path}.device", "it is missing")
        return
    yield from faults_at(f"{path}.device", path_fault(text(disk, "device")))
    partitions = structs(disk, "partitions")
    numbers = Counter(number(one, "number") or 0 for one in partitions)
    if any(count > 1 for one, count in numbers.items() if one):
        yield Fault(f"{path}.partitions", "two partitions have the same number")
    if any(_overlap(one, other) for one, other in permutations(filter(None, map(_extent, partitions)), 2)):
        yield Fault(f"{path}.partitions", "two partitions overlap")
    if 0 in numbers and any(one.get("shouldExist") is False for one in partitions):
        yield Fault(f"{path}.partitions", "one shall not exist while another has no number")
    labels = Counter(text(one, "label") for one in partitions if "label" in one)
    if any(count > 1 for count in labels.values()):
        yield Fault(f"{path}.partitions", "two partitions have the same label")


def _extent(partition: Struct) -> tuple[int, int] | None:
    """The first and the last MiB of a partition whose place does not depend on the disk."""
    start, size = number(partition, "startMiB"), number(partition, "sizeMiB")
    if not start or size is None:
        return None
    return start, start + size - 1 if size else start


def _overlap(one: tuple[int, int], other: tuple[int, int]) -> bool:
    (start, end), (other_start, other_end) = one, other
    return (
        other_start <= start <= other_end
        or other_start <= end <= other_end
        or (start < other_start and end > other_end)
    )


def partition_faults(partition: Struct, path: str, _minor: int) -> Faults:
    """A partition by itself."""
    others = ("label", "startMiB", "sizeMiB")
    if partition.get("shouldExist") is False and (
        any(name in partition for name in others) or text(partition, "typeGuid") or text(partition, "guid")
    ):
        yield Fault(path, "it shall not exist, yet it has more than a number")
    if not number(partition, "number") and "label" not in partition:
        yield Fault(path, "it has neither number nor label")
    label = text(partition, "label")
    if len(label.encode()) > _LONGEST_PARTITION_LABEL:
        yield Fault(f"{path}.label", f"it is longer than {_LONGEST_PARTITION_LABEL} bytes")
    elif ":" in label:
        yield Fault(f"{path}.label", "it has a colon")
    for name in ("guid", "typeGuid"):
        if not _GUID.fullmatch(text(partition, name)):
            yield Fault(f"{path}.{name}", "it is not a GUID")


def filesystem_faults(filesystem: Struct, path: str, minor: int) -> Faults:
    """A filesystem."""
    if text(filesystem, "path"):
        yield from faults_at(f"{path}.path", path_fault(text(filesystem, "path")))
    yield from faults_at(f"{path}.device", path_fault(text(filesystem, "device")))
    form, label = text(filesystem, "format"), text(filesystem, "label")
    others = ("path", "label", "uuid", "wipeFilesystem", "mountOptions", "options")
    if not form:
        if any(filesystem.get(name) for name in others):
            yield Fault(f"{path}.format", "it is missing")
    elif _FORMATS.get(form, minor + 1) > minor:
        yield Fault(f"{path}.format", "there is no such format")
    elif len(label.encode()) > _LONGEST_LABELS.get(form, len(label.encode())):
        yield Fault(f"{path}.label", f"it is longer than the {_LONGEST_LABELS[form]} bytes of {form}")


def luks_faults(luks: Struct, path: str, minor: int) -> Faults:
    """An encrypted device."""
    if "/" in text(luks, "name"):
        yield Fault(f"{path}.name", "it has a slash")
    if len(text(luks, "label").encode()) > _LONGEST_LUKS_LABEL:
        yield Fault(f"{path}.label", f"it is longer than {_LONGEST_LUKS_LABEL} bytes")
    yield from faults_at(f"{path}.device", path_fault(text(luks, "device")))
    clevis = struct(luks, "clevis")
    custom = struct(clevis, "custom")
    customized = bool(text(custom, "pin")) if minor >= 3 else bool(custom)
    others = bool(clevis.get("tang") or clevis.get("tpm2") or clevis.get("threshold"))
    if customized and others:
        yield Fault(f"{path}.clevis", "a custom pin goes with no other")
    key_source = text(struct(luks, "keyFile"), "source")
    if struct(luks, "cex").get("enabled"):
        if customized or others:
            yield Fault(f"{path}.cex", "it does not go with clevis")
        if key_source:
            yield Fault(f"{path}.cex", "it does not go with a key file")


def raid_faults(raid: Struct, path: str, _minor: int) -> Faults:
    """An array."""
    level = text(raid, "level")
    if level not in _LEVELS_WITHOUT_SPARES | _LEVELS_WITH_SPARES:
        yield Fault(f"{path}.level", "there is no such level" if level else "it is missing")
    elif level in _LEVELS_WITHOUT_SPARES and raid.get("spares"):
        yield Fault(f"{path}.spares", "the level has no spares")
    if not raid.get("devices"):
        yield Fault(f"{path}.devices", "it is missing")


def clevis_custom_faults(custom: Struct, path: str, minor: int) -> Faults:
    """A pin that is given as text."""
    pin, config = text(custom, "pin"), text(custom, "config")
    if not pin and not config and not (minor >= 3 and custom.get("needsNetwork")):
        return
    if not pin:
        yield Fault(f"{path}.pin", "it is missing")
    elif minor <= 5 and pin not in {"tpm2", "tang", "sss"}:
        yield Fault(f"{path}.pin", "there is no such pin")
    if not config:
        yield Fault(f"{path}.config", "it is missing")
