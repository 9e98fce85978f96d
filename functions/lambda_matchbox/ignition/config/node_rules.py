"""Ignition's rules for files, directories and links."""

import posixpath
from collections import Counter

from lambda_matchbox.ignition.config.problem import Problem, Problems, path_problem, problems_at
from lambda_matchbox.ignition.config.reader import Struct, number, struct, structs, text

_MAX_MODE = 0o7777
_UNITS = "/etc/systemd/system/"
_SPECIAL_BITS = 0o7000
_SPECIAL_BITS_SINCE = 6
_NAMES = {"directories": "directory", "files": "file", "links": "link"}


def node_problems(node: Struct, path: str, minor: int) -> Problems:
    """The rules that files, directories and links share."""
    yield from problems_at(f"{path}.path", path_problem(text(node, "path")))
    mode = number(node, "mode")
    if mode is not None and not 0 <= mode <= _MAX_MODE:
        yield Problem(f"{path}.mode", "illegal file mode")
    if mode is not None and mode & _SPECIAL_BITS and minor < _SPECIAL_BITS_SINCE:
        reason = "setuid/setgid/sticky bits are not supported or functional in spec versions older than 3.6.0"
        yield Problem(f"{path}.mode", reason, is_warning=True)


def file_problems(file: Struct, path: str, minor: int) -> Problems:
    """The rules for a file."""
    yield from node_problems(file, path, minor)
    if file.get("overwrite") and "source" not in struct(file, "contents"):
        yield Problem(f"{path}.overwrite", "overwrite must be false if source is unspecified")


def owner_problems(owner: Struct, path: str, _minor: int) -> Problems:
    """The rule for the user or group of a node."""
    if "id" in owner and text(owner, "name"):
        yield Problem(path, "cannot set both id and name")


def storage_problems(storage: Struct, path: str, minor: int) -> Problems:
    """Conflicts between files, directories and links, and between filesystems and disks."""
    links = structs(storage, "links")
    link_paths = Counter(text(link, "path") for link in links)
    lengths = set(map(len, link_paths))
    directories = {text(directory, "path") for directory in structs(storage, "directories")}
    for kind in _NAMES:
        for index, node in enumerate(structs(storage, kind)):
            where = f"{path}.{kind}.{index}"
            node_path = text(node, "path")
            for _ in range(sum(link_paths[node_path[:end]] for end in lengths if node_path[end : end + 1] == "/")):
                yield Problem(where, f"{_NAMES[kind]} path includes link in config")
            if kind == "links":
                yield from _target_problems(node, where, minor, directories)
    yield from _overwritten(storage, path)


def _target_problems(link: Struct, path: str, minor: int, directories: set[str]) -> Problems:
    target = text(link, "target")
    if not target and minor >= 3:
        yield Problem(f"{path}.target", "link target is required")
        return
    if link.get("hard"):
        whole = _clean(target if target.startswith("/") else f"{text(link, 'path')}/{target}")
        if whole in directories:
            yield Problem(path, "hard link target is a directory")
        for owner in ("user", "group"):
            for name in ("id", "name"):
                if name in struct(link, owner):
                    yield Problem(f"{path}.{owner}.{name}", "user/group ignored for hard link", is_warning=True)


def _overwritten(storage: Struct, path: str) -> Problems:
    disks = {text(disk, "device"): disk for disk in structs(storage, "disks")}
    for index, filesystem in enumerate(structs(storage, "filesystems")):
        disk = disks.get(text(filesystem, "device"), {})
        where = f"{path}.filesystems.{index}.device"
        if disk.get("partitions"):
            yield Problem(where, "filesystem overwrites partitioned device", is_warning=True)
        elif disk.get("wipeTable") and not filesystem.get("wipeFilesystem"):
            reason = "device matches disk with wipeTable enabled; filesystem will be wiped"
            yield Problem(where, reason, is_warning=True)


def config_problems(config: Struct, path: str, _minor: int) -> Problems:
    """Conflicts of files, directories and links with systemd units."""
    units = set()
    for unit in structs(struct(config, "systemd"), "units"):
        name = _UNITS + text(unit, "name")
        if text(unit, "contents"):
            units.add(name)
        units |= {f"{name}.d/{text(one, 'name')}" for one in structs(unit, "dropins") if text(one, "contents")}
    for kind in ("files", "directories", "links"):
        for index, node in enumerate(structs(struct(config, "storage"), kind)):
            if text(node, "path") in units:
                yield Problem(f"{path}.storage.{kind}.{index}.path", "path conflicts with systemd unit or dropin")


def _clean(path: str) -> str:
    return posixpath.normpath(path).replace("//", "/", 1)
