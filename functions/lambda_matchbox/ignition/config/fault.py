"""What is wrong with an Ignition config, and where, in Ignition's words; and the paths that many rules check."""

from collections.abc import Iterator
from typing import NamedTuple

from lambda_matchbox.ignition.config.reader import Struct


class Fault(NamedTuple):
    """A broken rule: `path` is like `$.storage.files.0.path`, `reason` shows no value but the name of a unit."""

    path: str
    reason: str
    is_warning: bool = False


Faults = Iterator[Fault]


def text(value: Struct, name: str) -> str:
    """A string, empty where the config has none."""
    found = value.get(name)
    return found if isinstance(found, str) else ""


def structs(value: Struct, name: str) -> list[Struct]:
    """The elements of a list of structs."""
    found = value.get(name)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def struct(value: Struct, name: str) -> Struct:
    """A struct, empty where this version has none."""
    found = value.get(name)
    return found if isinstance(found, dict) else {}


def number(value: Struct, name: str) -> int | None:
    """An integer, None where the config has none."""
    found = value.get(name)
    return found if isinstance(found, int) else None


def path_fault(path: str) -> str:
    """Why `path` is not the shortest spelling of an absolute path; empty if it is."""
    if not path:
        return "path not specified"
    if not path.startswith("/"):
        return "path not absolute"
    if path != "/" and not {"", ".", ".."}.isdisjoint(path[1:].split("/")):
        return "path is not fully simplified"
    return ""


def faults_at(path: str, reason: str) -> Faults:
    """The fault at `path`; none if there is no reason."""
    if reason:
        yield Fault(path, reason)
