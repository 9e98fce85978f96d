"""The file `groups.index` of a data directory, which saves a start from reading each group's file.

It has the index of groups as a process of `serve` had it in memory, and each file's state at that time: times, size and
inode. Whoever reads it compares these with the files, and reads what differs. Unlike the files it may be lost: it is
written anew. It begins with a line of JSON, which has the sizes of the parts that follow; then come the packed groups.
"""

import hashlib
import json
import os
import sys
from array import array
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from lambda_matchbox.catalog.group_index import GroupIndex, IndexedGroups
from lambda_matchbox.errors import StoreUnavailableError
from matchboxctl import __version__
from matchboxctl.directory.changes import UNSURE
from matchboxctl.directory.drafts import replacing
from matchboxctl.directory.file_cache import regular_file

FILE = "groups.index"

# The number is raised when groups are parsed or packed in another way, also between two releases.
_HEAD = {"matchbox groups": 1, "release": __version__, "order": sys.byteorder}
_MAX_HEAD = 1000
_SUFFIX = ".json"
_STATE = len(UNSURE)


def write_index(root: Path, index: GroupIndex, states: Mapping[str, bytes]) -> None:
    """Write the index of groups, and the states of their files by name, for the owner of the directory alone.

    Nothing happens where that is impossible.
    """
    packed, ids, shapes = index.contents
    numbers = {group_id: number for number, group_id in enumerate(packed)}
    shared = [(key, [*held]) for key, held in ids.items() if not isinstance(held, str)]
    parts = [
        json.dumps([[*packed], [*shapes.items()], shared]).encode(),
        b"".join(states.get(f"{group_id}{_SUFFIX}", UNSURE) for group_id in packed),
        array("I", (key for key, held in ids.items() if isinstance(held, str))).tobytes(),
        array("I", (numbers[held] for held in ids.values() if isinstance(held, str))).tobytes(),
    ]
    digest = hashlib.sha256()
    for part in (*parts, *packed.values()):
        digest.update(part)
    head = {**_HEAD, "sizes": [*map(len, parts)], "sha256": digest.hexdigest()}
    # A start does without it: the directory may be read-only, or the disk full.
    with suppress(OSError), replacing(root / FILE, private=True) as file:
        file.writelines([json.dumps(head).encode(), b"\n", *parts, *packed.values()])


def read_index(root: Path, warn: Callable[[str], None]) -> tuple[GroupIndex, dict[str, bytes]]:
    """The index of groups, and the states of their files, by name; both empty without a file that can be used.

    `warn` is called with a message for a file that is damaged or of another release.
    """
    path = root / FILE
    try:
        if regular_file(path) is not None:
            return _read(path)
    except (OSError, StoreUnavailableError):
        # Another user's.
        pass
    except (AttributeError, LookupError, RecursionError, TypeError, ValueError):
        warn(f"{path}: damaged, or of another release; ignored")
    return GroupIndex(), {}


def remove_index(root: Path) -> None:
    """Remove one that cannot be used, if possible: each start would warn of it."""
    with suppress(OSError):
        (root / FILE).unlink()


def _read(path: Path) -> tuple[GroupIndex, dict[str, bytes]]:
    """Raises OSError, AttributeError, LookupError, RecursionError, TypeError, ValueError."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        head = json.loads(file.readline(_MAX_HEAD))
        parts = [file.read(min(each, size)) for each in head.pop("sizes")]
        for part in parts:
            digest.update(part)
        group_ids, shapes, shared = json.loads(parts[0])
        # One after the other: together they would be the most of what is in memory.
        packed = dict(zip(group_ids, file, strict=True))
    for line in packed.values():
        digest.update(line)
    if head.pop("sha256") != digest.hexdigest() or head != _HEAD:
        raise ValueError(path)
    _, states, keys, numbers = parts
    holders = map(group_ids.__getitem__, array("I", numbers))
    ids: dict[int, str | set[str]] = dict(zip(array("I", keys), holders, strict=True))
    ids.update((key, {*held}) for key, held in shared)
    contents = IndexedGroups(packed, ids, Counter({tuple(shape): number for shape, number in shapes}))
    each = range(0, len(states), _STATE)
    return GroupIndex(contents=contents), {
        f"{group_id}{_SUFFIX}": states[at : at + _STATE] for group_id, at in zip(group_ids, each, strict=True)
    }
