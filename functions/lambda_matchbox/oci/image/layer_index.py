"""The index of a layer: names, types and links of its entries.

It follows the OCI image specification, "Image Layer Filesystem Changeset".
"""

import sys
from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple

from lambda_matchbox.oci.errors import ImageError
from lambda_matchbox.oci.image.tar_stream import EntryType, LayerEntry

MAX_MEMORY = 192 << 20
"""Bytes for the indexes of all layers of an image, enough for about a million files."""

MAX_LINKS = 40
"""Links followed for one path, as by Linux; more are a loop."""

_WHITEOUT = ".wh."
_OPAQUE = ".wh..wh..opq"
# AUFS kept its own records under such names; they are not whiteouts.
_AUFS = ".wh..wh."
_NODE_COST = 120
_DIRECTORY_COST = 320


class Directory:
    """A directory of a layer: its children, and the names it hides of the layers below, all of them if opaque.

    One that is not `listed` has no entry of its own.
    """

    __slots__ = ("children", "hidden", "listed", "opaque")

    def __init__(self, *, listed: bool) -> None:
        self.children: dict[str, Node] = {}
        self.hidden: set[str] | None = None
        self.listed = listed
        self.opaque = False

    def hides(self, name: str) -> bool:
        """Whether that name of the layers below is hidden."""
        return self.opaque or (self.hidden is not None and name in self.hidden)


class HardLink(NamedTuple):
    """A hard link to a path of the layers below."""

    path: str


class Unusable(Enum):
    """An entry other than a file, a symbolic link or a directory."""

    SPECIAL = "a device or a pipe"
    DIRECTORY_LINK = "a hard link to a directory"


Node = Directory | int | str | HardLink | Unusable
"""A file is the number of its entry in the layer, a symbolic link its target."""


class MemoryBudget:
    """The memory left for indexes."""

    def __init__(self, limit: int = MAX_MEMORY) -> None:
        self._left = limit

    def take(self, cost: int, *names: str) -> None:
        """Raises ImageError where too little is left."""
        self._left -= cost + sum(map(sys.getsizeof, names))
        if self._left < 0:
            raise ImageError("the image has too many files or too long names")


class LayerIndex:
    """The tree of a layer. Entries are added in order; `entries` counts them."""

    def __init__(self, memory: MemoryBudget) -> None:
        self.root = Directory(listed=True)
        self.entries = 0
        self.has_unlisted = False
        self._memory = memory
        self._parent: tuple[str, Directory, str] | None = None

    def add(self, entry: LayerEntry) -> str:
        """Add the layer's next entry; returns its path, which is empty for a whiteout.

        Symbolic links of the same layer on the way are followed. Raises ImageError for a name that is invalid or leads
        out of the image, and where the index is too large.
        """
        number = self.entries
        self.entries += 1
        parts = normal(entry.name)
        if not parts:
            if entry.type is not EntryType.DIRECTORY:
                raise ImageError(f"an entry has no name: {entry.name!r}")
            return ""
        name = parts.pop()
        directory, path = self._directory_of(parts)
        if name.startswith(_WHITEOUT):
            self._hide(directory, name)
            return ""
        old = directory.children.get(name)
        if entry.type is EntryType.DIRECTORY:
            self._list(directory, name, old)
        else:
            if isinstance(old, Directory):
                self._parent = None
            self._put(directory, name, self._node(entry, number))
            if entry.type is EntryType.SYMLINK:
                self._parent = None
        return f"{path}/{name}" if path else name

    def directory(self, parts: list[str]) -> tuple[Directory, list[str]]:
        """The directory at a path, created if missing, and its real path; links of the layer are followed."""
        trail = [self.root]
        path: list[str] = []
        for name in self._followed(parts, trail, path):
            node = trail[-1].children.get(name)
            if not isinstance(node, Directory):
                # It replaces what this layer and those below had under the name.
                directory = Directory(listed=node is not None)
                self.has_unlisted |= node is None
                self._memory.take(_DIRECTORY_COST)
                self._put(trail[-1], name, directory)
                node = directory
            trail.append(node)
            path.append(name)
        return trail[-1], path

    def _followed(self, parts: list[str], trail: list[Directory], path: list[str]) -> Iterator[str]:
        """The names of the path with links followed; the caller appends each to `trail` and `path`."""
        pending = parts[::-1]
        links = 0
        while pending:
            name = pending.pop()
            node = trail[-1].children.get(name)
            if name == "..":
                if not path:
                    raise ImageError(f"the path {'/'.join(parts)!r} leads out of the image")
                trail.pop()
                path.pop()
            elif isinstance(node, str):
                links += 1
                if links > MAX_LINKS:
                    raise ImageError(f"the path {'/'.join(parts)!r} has a loop of links")
                if node.startswith("/"):
                    del trail[1:], path[:]
                pending.extend(components(node)[::-1])
            else:
                yield name

    def _directory_of(self, parts: list[str]) -> tuple[Directory, str]:
        # Most entries are in the directory of the previous one.
        key = "/".join(parts)
        if self._parent is None or self._parent[0] != key:
            directory, path = self.directory(parts)
            self._parent = key, directory, "/".join(path)
        return self._parent[1], self._parent[2]

    def _list(self, directory: Directory, name: str, old: Node | None) -> None:
        if isinstance(old, Directory):
            old.listed = True
        else:
            self._memory.take(_DIRECTORY_COST)
            self._put(directory, name, Directory(listed=True))
            self._parent = None

    def _put(self, directory: Directory, name: str, node: Node) -> None:
        self._memory.take(_NODE_COST, name)
        directory.children[name] = node

    def _hide(self, directory: Directory, name: str) -> None:
        if name == _OPAQUE:
            directory.opaque = True
        elif not name.startswith(_AUFS):
            hidden = name.removeprefix(_WHITEOUT)
            if hidden in ("", ".", ".."):
                raise ImageError(f"invalid whiteout {name!r}")
            if directory.hidden is None:
                directory.hidden = set()
            self._memory.take(_NODE_COST, hidden)
            directory.hidden.add(hidden)

    def _node(self, entry: LayerEntry, number: int) -> Node:
        if entry.type is EntryType.FILE:
            return number
        if entry.type is EntryType.SYMLINK:
            self._memory.take(0, entry.target)
            return entry.target
        if entry.type is EntryType.HARD_LINK:
            return self._linked(entry.target)
        return Unusable.SPECIAL

    def _linked(self, target: str) -> Node:
        """The node of a hard link: its target in this layer, if it exists by now, else one in the layers below."""
        try:
            found = self._find(components(target))
        except ImageError:
            # Reported if the link is resolved.
            found = None
        if found is None:
            self._memory.take(_NODE_COST, target)
            return HardLink(target)
        return Unusable.DIRECTORY_LINK if isinstance(found, Directory) else found

    def _find(self, parts: list[str]) -> Node | None:
        trail = [self.root]
        path: list[str] = []
        for name in self._followed(parts[:-1], trail, path):
            node = trail[-1].children.get(name)
            if not isinstance(node, Directory):
                return None
            trail.append(node)
            path.append(name)
        return trail[-1].children.get(parts[-1]) if parts else self.root


def components(path: str) -> list[str]:
    """The names in a path, including `..`."""
    return [name for name in path.split("/") if name not in ("", ".")]


def normal(path: str) -> list[str]:
    """The names of a path with `..` resolved. Raises ImageError where it leads out of the image."""
    names: list[str] = []
    for name in components(path):
        if name != "..":
            names.append(name)
        elif names:
            names.pop()
        else:
            raise ImageError(f"the path {path!r} leads out of the image")
    return names
