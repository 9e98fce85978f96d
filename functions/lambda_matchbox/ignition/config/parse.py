"""Ignition configs parsed, validated and written in canonical form.

Versions 3.0.0 to 3.4.0 are written as 3.4.0, as Ignition's library upgrades and marshals them; newer stable versions
keep theirs.
"""

import re

from lambda_matchbox.golang.json import JsonError, compact, decode
from lambda_matchbox.ignition.config.reader import (
    MismatchError,
    Struct,
    number,
    read_struct,
    struct,
    structs,
    text,
    written,
)
from lambda_matchbox.ignition.config.rules import problems
from lambda_matchbox.ignition.config.schema import NEWEST_MINOR

_WRITTEN_MINOR = 4
_PERMISSIONS = 0o777
_VERSION = r"[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}(?:[+-][0-9A-Za-z.+-]{1,40})?"
_SUPPORTED = {f"3.{minor}.0": minor for minor in range(NEWEST_MINOR + 1)}


class IgnitionError(Exception):
    """An invalid config: where and why. The message quotes no value but the config's version."""


def parse_and_translate(config: bytes) -> bytes:
    """`config`, of a stable version 3, in canonical form.

    Raises:
        IgnitionError: it is not JSON, its version is not supported, or it breaks a rule of Ignition.
    """
    try:
        document = decode(config)
        minor = _minor(document)
        read = read_struct("Config", document, minor)
    except (JsonError, MismatchError) as error:
        raise IgnitionError(str(error)) from None
    found = [problem for problem in problems(read, minor) if not problem.is_warning]
    if found:
        others = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        raise IgnitionError(f"{found[0].path}: {found[0].reason}{others}")
    return served_form(read, minor)


def served_form(config: Struct, minor: int) -> bytes:
    """`config`, a valid one of version 3.`minor`, in canonical form; it is upgraded in place.

    Absent members may be left out.
    """
    if minor < _WRITTEN_MINOR:
        _upgrade(config)
        minor = _WRITTEN_MINOR
    struct(config, "ignition")["version"] = f"3.{minor}.0"
    return compact(written("Config", config, minor)).encode()


def _minor(document: object) -> int:
    return minor_of(text(struct(read_struct("Stub", document, 0), "ignition"), "version"))


def minor_of(version: str) -> int:
    """The 4 of `3.4.0`. Raises MismatchError for an unsupported version."""
    if version in _SUPPORTED:
        return _SUPPORTED[version]
    if not version:
        reason = "missing"
    elif re.fullmatch(_VERSION, version):
        reason = f"{version} is not supported, only 3.0.0 to 3.{NEWEST_MINOR}.0 are"
    else:
        reason = "not a version"
    raise MismatchError("$.ignition.version", reason)


def _upgrade(config: Struct) -> None:
    """Clear the mode bits that only versions from 3.4.0 on may set."""
    storage = struct(config, "storage")
    for node in structs(storage, "files") + structs(storage, "directories"):
        mode = number(node, "mode")
        if mode is not None:
            node["mode"] = mode & _PERMISSIONS
