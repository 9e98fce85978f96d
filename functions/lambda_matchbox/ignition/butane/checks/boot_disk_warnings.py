"""What does fcos warn of where a config lays out the disk that it boots from?"""

from collections.abc import Iterator

from lambda_matchbox.ignition.config.fault import Fault, number, structs, text
from lambda_matchbox.ignition.config.reader import Struct

_RESERVED_NUMBERS = {"BIOS-BOOT": 1, "PowerPC-PReP-boot": 1, "EFI-SYSTEM": 2, "boot": 3, "root": 4}
_ROOT_MIB = 8192


def boot_disk_warnings(storage: Struct) -> Iterator[Fault]:
    """The warnings, with their paths in the translated config."""
    for index, disk in enumerate(structs(storage, "disks")):
        partitions = structs(disk, "partitions")
        for place, partition in enumerate(partitions):
            path = f"$.storage.disks.{index}.partitions.{place}"
            label = text(partition, "label")
            if label == "root":
                yield from _root_warnings(partition, partitions[place + 1 :], path)
            wanted = _RESERVED_NUMBERS.get(label)
            if not disk.get("wipeTable") and wanted is not None and number(partition, "number") != wanted:
                reason = "incorrect partition number; a new partition will be created using reserved label"
                yield Fault(f"{path}.label", reason, is_warning=True)


def _root_warnings(root: Struct, following: list[Struct], path: str) -> Iterator[Fault]:
    size = number(root, "sizeMiB")
    if size and size < _ROOT_MIB:
        yield Fault(f"{path}.sizeMiB", "root should have 8GiB of space assigned", is_warning=True)
    elif not size and any(not number(one, "startMiB") for one in following):
        reason = (
            "root partition cannot expand; it is set to fill available space but is followed by an"
            " auto-positioned partition"
        )
        yield Fault(f"{path}.label", reason, is_warning=True)
