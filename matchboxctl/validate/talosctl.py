"""Talos' own validation of a machine configuration, where `talosctl` is installed."""

import re
import shutil
import subprocess
from collections.abc import Iterator

from matchboxctl.render.secret_masks import MASK, Masks

_SECONDS = 30
_COUNT = re.compile(r"\d+ errors? occurred:")
_BULLET = re.compile(r"^\s*\*\s*")
# Go's YAML quotes values so in its errors; a part of one would not be found by its mask.
_QUOTED = re.compile(r"`[^`]*`|\"[^\"]*\"")
# What follows it is YAML with the values.
_UNKNOWN_KEYS = "unknown keys found during decoding:"


def talosctl() -> str | None:
    """The path of the program; None if it is not installed."""
    return shutil.which("talosctl")


def refusal(program: str, config: bytes) -> str:
    """Why `talosctl validate` refuses the configuration, without its values; empty if it does not."""
    try:
        # Through a pipe: the configuration holds secrets, and a file could outlive the command.
        command = [program, "validate", "--config", "/dev/stdin", "--mode", "metal"]
        ended = subprocess.run(command, input=config, capture_output=True, timeout=_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return f"talosctl did not end within {_SECONDS} seconds"
    except OSError as error:
        return f"talosctl cannot be run: {error.strerror}"
    if ended.returncode == 0:
        return ""
    return _reason(ended.stderr.decode("utf-8", "replace"), config) or f"talosctl ended with {ended.returncode}"


def _reason(errors: str, config: bytes) -> str:
    import yaml

    try:
        # The values behind many aliases would take forever to read.
        has_aliases = any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(config))
        masks = None if has_aliases else Masks(list(yaml.safe_load_all(config)))
    except (yaml.YAMLError, ValueError, RecursionError):
        masks = None
    if masks is None:
        return "its reasons, which may show values, are left out"
    before, unknown, snippet = errors.partition(_UNKNOWN_KEYS)
    lines = [_BULLET.sub("", line).strip() for line in _COUNT.sub("", before).splitlines()]
    text = "; ".join(filter(None, lines)).replace(":;", ":")
    masked = masks.text(_QUOTED.sub(MASK, text))
    if not unknown:
        return masked
    try:
        keys = ", ".join(_paths(yaml.safe_load(snippet)))
    except yaml.YAMLError:
        keys = ""
    return f"{masked}unknown keys {keys}".rstrip()


def _paths(value: object, path: str = "") -> Iterator[str]:
    """The paths of the values in a mapping."""
    if isinstance(value, dict) and value:
        for key, member in value.items():
            yield from _paths(member, f"{path}.{key}".removeprefix("."))
    else:
        yield path
