"""Talos' own validation of a machine configuration, where `talosctl` is installed."""

import re
import shutil
import subprocess

from matchboxctl.render.secret_masks import MASK, Masks

_SECONDS = 30
# Go's YAML quotes values so in its errors; a part of one would not be found by its mask.
_QUOTED = re.compile(r"`[^`]*`|\"[^\"]*\"")
_BULLET = re.compile(r"^\s*\*\s*")


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
    lines = [_BULLET.sub("", line).strip() for line in ended.stderr.decode("utf-8", "replace").splitlines()]
    reasons = [line for line in lines if line and not re.fullmatch(r"\d+ errors? occurred:", line)]
    return _masked("; ".join(reasons) or f"talosctl ended with {ended.returncode}", config)


def _masked(text: str, config: bytes) -> str:
    import yaml

    documents = list(yaml.safe_load_all(config))
    return Masks(documents).text(_QUOTED.sub(MASK, text))
