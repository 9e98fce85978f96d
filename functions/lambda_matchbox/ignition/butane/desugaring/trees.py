"""The files, links and directories that `trees` of a Butane config stand for."""

import os
import posixpath
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import cast

from lambda_matchbox.ignition.butane.desugaring.data_urls import data_url
from lambda_matchbox.ignition.butane.desugaring.local_files import LocalFileError, LocalFiles, reason_of
from lambda_matchbox.ignition.butane.dialects import Dialect
from lambda_matchbox.ignition.butane.report import Entry
from lambda_matchbox.ignition.butane.structs import Sourced, made
from lambda_matchbox.ignition.config.fault import number, struct, structs, text

_CONFLICT = "matching filesystem node has existing contents or different type"
_MODE, _EXECUTABLE_MODE, _DIRECTORY_MODE = 0o644, 0o755, 0o755
_ANY_EXECUTE = 0o111
_KINDS = {"Directory": "directories", "File": "files", "Link": "links"}


def add_trees(storage: Sourced, files: LocalFiles, dialect: Dialect) -> Iterator[Entry]:
    """Add to `storage` what its trees stand for, and tell of what cannot be added."""
    planting = _Planting(storage, dialect)
    for tree in cast(list[Sourced], structs(storage, "trees")):
        try:
            root = _root_of(tree, files)
        except LocalFileError as error:
            yield Entry.error(tree.origin, str(error))
            if not files.is_given():
                return
            continue
        for reason in planting.plant(tree, root, text(tree, "path") or "/", root.stat()):
            yield Entry.error(tree.origin, reason)


def _root_of(tree: Sourced, files: LocalFiles) -> Path:
    root = files.path(text(tree, "local"))
    try:
        if root.is_dir():
            return root
        root.stat()
    except (OSError, ValueError) as error:
        raise LocalFileError(f"stat {root}: {reason_of(error)}") from None
    raise LocalFileError("root of tree must be a directory")


class _Planting:
    """The nodes of a storage by their paths, to which trees add."""

    def __init__(self, storage: Sourced, dialect: Dialect) -> None:
        self._storage = storage
        self._dialect = dialect
        self._nodes: dict[str, tuple[str, Sourced]] = {}
        for kind, name in _KINDS.items():
            for node in structs(storage, name):
                self._nodes[text(node, "path")] = (kind, cast(Sourced, node))

    def plant(self, tree: Sourced, local: Path, path: str, status: os.stat_result) -> Iterator[str]:
        """Add what is at `local` to be at `path`; why not, where it cannot be."""
        try:
            if stat.S_ISDIR(status.st_mode):
                yield from self._directory(tree, path)
                for child in sorted(local.iterdir(), key=os.fsencode):
                    below = posixpath.normpath(posixpath.join(path, _text_of(child.name)))
                    yield from self.plant(tree, child, below, child.lstat())
            elif stat.S_ISREG(status.st_mode):
                yield from self._file(tree, local, path, status.st_mode)
            elif stat.S_ISLNK(status.st_mode):
                yield from self._link(tree, local, path)
            else:
                yield "trees may only contain files, directories, and symlinks"
        except OSError as error:
            yield f"open {local}: {reason_of(error)}"

    def _directory(self, tree: Sourced, path: str) -> Iterator[str]:
        if "dir_mode" not in tree and not struct(tree, "user") and not struct(tree, "group"):
            return
        node = self._node("Directory", tree, path)
        if node is None:
            yield _CONFLICT
        else:
            node["mode"] = tree.get("dir_mode", _DIRECTORY_MODE)

    def _file(self, tree: Sourced, local: Path, path: str, mode: int) -> Iterator[str]:
        node = self._node("File", tree, path)
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

    def _link(self, tree: Sourced, local: Path, path: str) -> Iterator[str]:
        node = self._node("Link", tree, path)
        if node is None or text(node, "target"):
            yield _CONFLICT
            return
        node["target"] = _text_of(local.readlink())
        node.moved["target"] = tree.origin

    def _node(self, kind: str, tree: Sourced, path: str) -> Sourced | None:
        """The node at `path`, a new one if there is none; None if it is of another kind, or a directory."""
        if path in self._nodes:
            found, node = self._nodes[path]
            return node if found == kind and kind != "Directory" else None
        owners = {name: tree[name] for name in ("user", "group") if name in tree}
        node = made(kind, self._dialect, tree.origin, path=path, **owners)
        self._nodes[path] = (kind, node)
        cast(list[Sourced], self._storage[_KINDS[kind]]).append(node)
        return node


def _text_of(path: str | Path) -> str:
    """A name that need not be UTF-8, for JSON."""
    return os.fsencode(path).decode("utf-8", "replace")
