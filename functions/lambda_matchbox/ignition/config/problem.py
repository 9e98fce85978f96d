"""What is wrong with an Ignition config, and where, in Ignition's words; and the paths that many rules check."""

from collections.abc import Iterator
from typing import NamedTuple


class Problem(NamedTuple):
    """A broken rule: `path` is like `$.storage.files.0.path`, `reason` shows no value but the name of a unit."""

    path: str
    reason: str
    is_warning: bool = False


Problems = Iterator[Problem]


def path_problem(path: str) -> str:
    """Why `path` is not the shortest spelling of an absolute path; empty if it is."""
    if not path:
        return "path not specified"
    if not path.startswith("/"):
        return "path not absolute"
    if path != "/" and not {"", ".", ".."}.isdisjoint(path[1:].split("/")):
        return "path is not fully simplified"
    return ""


def problems_at(path: str, reason: str) -> Problems:
    """The problem at `path`; none if there is no reason."""
    if reason:
        yield Problem(path, reason)
