"""The files, links and directories that `trees` of a Butane config stand for."""

import os
import posixpath
import stat
from collections.abc import Iterator
from pathlib import Path as FilePath
from typing import cast

from matchbox.butane.data_urls import data_url
from matchbox.butane.dialects import Dialect
from matchbox.butane.local_files import LocalFileError, LocalFiles, reason_of
from matchbox.butane.report import Entry, Path
from matchbox.butane.structs import Sourced, made
from matchbox.ignition_config.fault import number, struct, structs, text

_CONFLICT = "matching filesystem node has existing contents or different type"
_MODE, _EXECUTABLE_MODE, _DIRECTORY_MODE = 0o644, 0o755, 0o755
_ANY_EXECUTE = 0o111
_KINDS = {"Directory": "directories", "File": "files", "Link": "links"}


def add_trees(storage: Sourced, files: LocalFiles, dialect: Dialect) -> Iterator[Entry]:
    """Add to `storage` what its trees stand for, and tell of what cannot be added."""
    trees = structs(storage, "trees")
    if trees and not files.is_given():
        yield from _unread(files, "", ("storage", "trees", 0))
        return
    planting = _Planting(storage, dialect)
    for tree in map(_sourced, trees):
        origin = tree.origin
        try:
            root = files.path(text(tree, "local"))
            if not stat.S_ISDIR(root.stat().st_mode):
                yield Entry(True, origin, "root of tree must be a directory")
                continue
        except LocalFileError as error:
            yield Entry(True, origin, str(error))
            continue
        except (OSError, ValueError) as error:
            yield Entry(True, origin, f"stat {root}: {reason_of(error)}")
            continue
        for reason in planting.plant(tree, root, text(tree, "path") or "/"):
            yield Entry(True, origin, reason)


def _sourced(tree: dict[str, object]) -> Sourced:
    return cast(Sourced, tree)


def _unread(files: LocalFiles, name: str, origin: Path) -> Iterator[Entry]:
    try:
        files.path(name)
    except LocalFileError as error:
        yield Entry(True, origin, str(error))


class _Planting:
    """The nodes of a storage by their paths, to which trees add."""

    def __init__(self, storage: Sourced, dialect: Dialect) -> None:
        self._storage = storage
        self._dialect = dialect
        self._nodes: dict[str, tuple[str, Sourced]] = {}
        for kind, name in _KINDS.items():
            for node in structs(storage, name):
                self._nodes[text(node, "path")] = (kind, cast(Sourced, node))

    def plant(self, tree: Sourced, local: FilePath, path: str) -> Iterator[str]:
        """Add what is at `local` to be at `path`; why not, where it cannot be."""
        try:
            mode = (local.stat() if path == (text(tree, "path") or "/") else local.lstat()).st_mode
            if stat.S_ISDIR(mode):
                yield from self._directory(tree, path)
                for name in sorted(os.listdir(local), key=os.fsencode):
                    below = posixpath.normpath(posixpath.join(path, os.fsencode(name).decode("utf-8", "replace")))
                    yield from self.plant(tree, local / name, below)
            elif stat.S_ISREG(mode):
                yield from self._file(tree, local, path, mode)
            elif stat.S_ISLNK(mode):
                yield from self._link(tree, local, path)
            else:
                yield "trees may only contain files, directories, and symlinks"
        except OSError as error:
            yield f"open {local}: {reason_of(error)}"

    def _directory(self, tree: Sourced, path: str) -> Iterator[str]:
        if "dir_mode" not in tree and not struct(tree, "user") and not struct(tree, "group"):
            return
        node = self._node("Directory", tree, path, "mode")
        if node is None:
            yield _CONFLICT
        else:
            node["mode"] = tree.get("dir_mode", _DIRECTORY_MODE)

    def _file(self, tree: Sourced, local: FilePath, path: str, mode: int) -> Iterator[str]:
        node = self._node("File", tree, path, "contents")
        if node is None or text(struct(node, "contents"), "source"):
            yield _CONFLICT
            return
        contents = cast(Sourced, node["contents"])
        url, compression = data_url(local.read_bytes(), text(contents, "compression"))
        contents["source"] = url
        contents.moved["source"] = contents.moved["compression"] = tree.origin
        if compression is not None:
            contents["compression"] = compression
        if number(node, "mode") is None:
            by_itself = _EXECUTABLE_MODE if mode & _ANY_EXECUTE else _MODE
            node["mode"] = tree.get("file_mode", by_itself)
            node.moved["mode"] = tree.origin

    def _link(self, tree: Sourced, local: FilePath, path: str) -> Iterator[str]:
        node = self._node("Link", tree, path, "target")
        if node is None or text(node, "target"):
            yield _CONFLICT
            return
        node["target"] = os.fsencode(os.readlink(local)).decode("utf-8", "replace")
        node.moved["target"] = tree.origin

    def _node(self, kind: str, tree: Sourced, path: str, filled: str) -> Sourced | None:
        """The node at `path`, a new one if there is none; None if it is of another kind, or a directory."""
        if path in self._nodes:
            found, node = self._nodes[path]
            return node if found == kind and kind != "Directory" else None
        owners = {name: tree[name] for name in ("user", "group") if name in tree}
        node = made(kind, self._dialect, tree.origin, path=path, **owners)
        self._nodes[path] = (kind, node)
        cast(list[Sourced], self._storage[_KINDS[kind]]).append(node)
        return node
