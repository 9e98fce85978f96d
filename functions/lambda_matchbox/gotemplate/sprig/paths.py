"""Paths as texts: no file is looked at."""

import re


def clean(path: str) -> str:
    """The shortest path of the same meaning, by Go's path.Clean: `.` for the empty one."""
    rooted = path.startswith("/")
    kept: list[str] = []
    for part in path.split("/"):
        if part == ".." and (kept and kept[-1] != ".."):
            kept.pop()
        elif part not in ("", ".") and not (part == ".." and rooted):
            kept.append(part)
    return ("/" if rooted else "") + "/".join(kept) or "."


def _base(path: str) -> str:
    if not path:
        return "."
    return path.rstrip("/").rpartition("/")[2] or "/"


def _directory(path: str) -> str:
    head, slash, _ = path.rpartition("/")
    return clean(head + slash)


def _extension(path: str) -> str:
    found = re.search(r"\.[^./]*\Z", path)
    return found[0] if found else ""


_FUNCTIONS = {
    "base": _base,
    "clean": clean,
    "dir": _directory,
    "ext": _extension,
    "isAbs": lambda path: path.startswith("/"),
}
# Those for the operating system's paths are the same where matchbox runs.
PLAIN = {**_FUNCTIONS, **{"os" + name[0].upper() + name[1:]: function for name, function in _FUNCTIONS.items()}}
BOUNDED: dict[str, object] = {}
