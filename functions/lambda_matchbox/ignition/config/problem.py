"""Problems of an Ignition config in Ignition's words, and the rule for paths."""

from collections.abc import Iterator
from typing import NamedTuple


class Problem(NamedTuple):
    """A broken rule. `path` is like `$.storage.files.0.path`; `reason` quotes no value but the name of a unit."""

    path: str
    reason: str
    is_warning: bool = False


Problems = Iterator[Problem]


def path_problem(path: str) -> str:
    """The reason why `path` is not a normalised absolute path; empty if it is."""
    if not path:
        return "path not specified"
    if not path.startswith("/"):
        return "path not absolute"
    if path != "/" and not {"", ".", ".."}.isdisjoint(path[1:].split("/")):
        return "path is not fully simplified"
    return ""


def problems_at(path: str, reason: str) -> Problems:
    """The problem at `path`, if there is a reason."""
    if reason:
        yield Problem(path, reason)
