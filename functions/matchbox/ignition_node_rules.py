"""The rules of Ignition for files, directories and links, one by one and with each other."""

import posixpath

from matchbox.ignition_fault import Fault, Faults, faults_at, number, path_fault, struct, structs, text
from matchbox.ignition_reader import Struct

_GREATEST_MODE = 0o7777
_UNITS = "/etc/systemd/system/"
_KINDS = ("directories", "files", "links")


def node_faults(node: Struct, path: str, _minor: int) -> Faults:
    """What files, directories and links have in common."""
    yield from faults_at(f"{path}.path", path_fault(text(node, "path")))
    mode = number(node, "mode")
    if mode is not None and not 0 <= mode <= _GREATEST_MODE:
        yield Fault(f"{path}.mode", "it is not between 0 and 07777")


def file_faults(file: Struct, path: str, minor: int) -> Faults:
    """A file."""
    yield from node_faults(file, path, minor)
    if file.get("overwrite") and "source" not in struct(file, "contents"):
        yield Fault(f"{path}.overwrite", "it has to be false where there are no contents with a source")


def owner_faults(owner: Struct, path: str, _minor: int) -> Faults:
    """The user or the group of a node."""
    if "id" in owner and text(owner, "name"):
        yield Fault(path, "it has an id and a name")


def storage_faults(storage: Struct, path: str, minor: int) -> Faults:
    """Files, directories and links with each other."""
    links = structs(storage, "links")
    link_paths = {text(link, "path") for link in links}
    directories = {text(directory, "path") for directory in structs(storage, "directories")}
    for kind in _KINDS:
        for index, node in enumerate(structs(storage, kind)):
            place = f"{path}.{kind}.{index}"
            if not link_paths.isdisjoint(_parents(text(node, "path"))):
                yield Fault(place, "a link of this config is part of its path")
            if kind == "links":
                yield from _target_faults(node, place, minor, directories)


def _target_faults(link: Struct, path: str, minor: int, directories: set[str]) -> Faults:
    target = text(link, "target")
    if not target and minor >= 3:
        yield Fault(f"{path}.target", "it is missing")
    elif link.get("hard"):
        whole = _clean(target if target.startswith("/") else f"{text(link, 'path')}/{target}")
        if whole in directories:
            yield Fault(path, "the target of a hard link is a directory of this config")


def config_faults(config: Struct, path: str, _minor: int) -> Faults:
    """Files, directories and links against the units that the config has systemd read."""
    units = set()
    for unit in structs(struct(config, "systemd"), "units"):
        name = _UNITS + text(unit, "name")
        if text(unit, "contents"):
            units.add(name)
        units |= {f"{name}.d/{text(one, 'name')}" for one in structs(unit, "dropins") if text(one, "contents")}
    for kind in ("files", "directories", "links"):
        for index, node in enumerate(structs(struct(config, "storage"), kind)):
            if text(node, "path") in units:
                yield Fault(f"{path}.storage.{kind}.{index}.path", "a unit or a drop-in of this config is there")


def _parents(path: str) -> set[str]:
    return {path[:end] for end, character in enumerate(path) if character == "/"}


def _clean(path: str) -> str:
    return posixpath.normpath(path).replace("//", "/", 1) if path else "."
