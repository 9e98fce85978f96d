"""What does one layer say of each path? Names, kinds and links of its entries, without their bodies.

Written by the rules of the OCI image specification, "Image Layer Filesystem Changeset".
"""

import sys
from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple

from lambda_matchbox.oci.errors import ImageError
from lambda_matchbox.oci.image.tar_stream import Entry, Kind

MOST_MEMORY = 192 << 20
"""Bytes that the indexes of an image's layers may need together: room for about a million files."""

MOST_LINKS = 40
"""Links that are followed for one path, as Linux does; more are a loop."""

_WHITEOUT = ".wh."
_OPAQUE = ".wh..wh..opq"
# AUFS kept records of its own under such names, which are no whiteouts.
_AUFS = ".wh..wh."
_NODE_COST = 120
_DIRECTORY_COST = 320


class Directory:
    """A directory of a layer: what the layer has in it, what it hides of the layers below, and all of that if opaque.

    One that is not `listed` is known only from the names of what lies in it.
    """

    __slots__ = ("children", "hidden", "listed", "opaque")

    def __init__(self, *, listed: bool) -> None:
        self.children: dict[str, Node] = {}
        self.hidden: set[str] | None = None
        self.listed = listed
        self.opaque = False

    def hides(self, name: str) -> bool:
        """Whether nothing of the layers below is seen under that name."""
        return self.opaque or (self.hidden is not None and name in self.hidden)


class HardLink(NamedTuple):
    """A hard link to a path of the layers below."""

    path: str


class Unusable(Enum):
    """What is neither file nor link nor directory."""

    SPARSE = "a sparse file, which is not supported: make the layer without `--sparse`"
    SPECIAL = "a device or a pipe"
    DIRECTORY_LINK = "a hard link to a directory"


Node = Directory | int | str | HardLink | Unusable
"""A file by its entry's number in the layer, a symbolic link by its target, or what its class says."""


class Memory:
    """How much memory indexes may still take."""

    def __init__(self, most: int = MOST_MEMORY) -> None:
        self._left = most

    def take(self, cost: int, *names: str) -> None:
        """Raises ImageError where there is not so much left."""
        self._left -= cost + sum(map(sys.getsizeof, names))
        if self._left < 0:
            raise ImageError("the image has too many files, or too long names")


class LayerIndex:
    """What a layer holds. Entries are added in their order; `entries` is how many there were."""

    def __init__(self, memory: Memory) -> None:
        self.root = Directory(listed=True)
        self.entries = 0
        self.has_unlisted = False
        self._memory = memory
        self._parent: tuple[str, Directory, str] | None = None

    def add(self, entry: Entry) -> str:
        """Take up the layer's next entry; returns the path where it lies, which is empty for one that only hides.

        Symbolic links of the same layer on the way there are followed. Raises ImageError for a name that leads out of
        the image or names nothing, and where the index has grown too large.
        """
        number = self.entries
        self.entries += 1
        parts = normal(entry.name)
        if not parts:
            if entry.kind is not Kind.DIRECTORY:
                raise ImageError(f"an entry has no name: {entry.name!r}")
            return ""
        name = parts.pop()
        directory, path = self._directory_of(parts)
        if name.startswith(_WHITEOUT):
            self._hide(directory, name)
            return ""
        old = directory.children.get(name)
        if entry.kind is Kind.DIRECTORY:
            self._list(directory, name, old)
        else:
            if isinstance(old, Directory):
                self._parent = None
            self._put(directory, name, self._node(entry, number))
            if entry.kind is Kind.SYMLINK:
                self._parent = None
        return f"{path}/{name}" if path else name

    def directory(self, parts: list[str]) -> tuple[Directory, list[str]]:
        """The directory at a path, made where there is none, and its own path: links of the layer are followed."""
        trail = [self.root]
        path: list[str] = []
        for name in self._followed(parts, trail, path):
            node = trail[-1].children.get(name)
            if not isinstance(node, Directory):
                # What was something else before in this layer is no longer what the layers below have, either.
                directory = Directory(listed=node is not None)
                self.has_unlisted |= node is None
                self._memory.take(_DIRECTORY_COST)
                self._put(trail[-1], name, directory)
                node = directory
            trail.append(node)
            path.append(name)
        return trail[-1], path

    def _followed(self, parts: list[str], trail: list[Directory], path: list[str]) -> Iterator[str]:
        """The names of the path, links followed; the caller appends to `trail` and `path` what they lead to."""
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
                if links > MOST_LINKS:
                    raise ImageError(f"the path {'/'.join(parts)!r} leads through a loop of links")
                if node.startswith("/"):
                    del trail[1:], path[:]
                pending.extend(components(node)[::-1])
            else:
                yield name

    def _directory_of(self, parts: list[str]) -> tuple[Directory, str]:
        # Most entries lie where the one before them does.
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
                raise ImageError(f"a whiteout names nothing: {name!r}")
            if directory.hidden is None:
                directory.hidden = set()
            self._memory.take(_NODE_COST, hidden)
            directory.hidden.add(hidden)

    def _node(self, entry: Entry, number: int) -> Node:
        if entry.kind is Kind.FILE:
            return number
        if entry.kind is Kind.SYMLINK:
            self._memory.take(0, entry.target)
            return entry.target
        if entry.kind is Kind.HARD_LINK:
            return self._linked(entry.target)
        return Unusable.SPARSE if entry.kind is Kind.SPARSE else Unusable.SPECIAL

    def _linked(self, target: str) -> Node:
        """What a hard link is: what its target is now, in this layer, or else whatever the layers below have there."""
        try:
            there = self._there(components(target))
        except ImageError:
            # Whoever wants this link is told.
            there = None
        if there is None:
            self._memory.take(_NODE_COST, target)
            return HardLink(target)
        return Unusable.DIRECTORY_LINK if isinstance(there, Directory) else there

    def _there(self, parts: list[str]) -> Node | None:
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
    """The names that a path is made of, `..` among them."""
    return [name for name in path.split("/") if name not in ("", ".")]


def normal(path: str) -> list[str]:
    """The names of a path from the image's root, `..` resolved. Raises ImageError where it leads out of the image."""
    names: list[str] = []
    for name in components(path):
        if name != "..":
            names.append(name)
        elif names:
            names.pop()
        else:
            raise ImageError(f"the path {path!r} leads out of the image")
    return names
