"""The resources of a former template.yaml: what an update of a stack starts from.

`python -m tests.stack.release_before REVISION` writes those of a git revision to release_before.json, with the smallest
parameters and with all.
"""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.stack.conftest import FULL
from tests.stack.resolution import Stack
from tools.template_translation import PROJECT, Deployment, translations

FILE = Path(__file__).with_name("release_before.json")
REPLACED = ("AWS::Lambda::LayerVersion", "AWS::Lambda::Version")
"""What is replaced with each code."""


def resources(stack: Stack) -> dict[str, Any]:
    """Type and properties of each resource that an update may keep, by its logical id."""
    kept = {name: each for name, each in stack.resources.items() if each["Type"] not in REPLACED}
    return {name: {"Type": each["Type"], "Properties": each.get("Properties", {})} for name, each in kept.items()}


def before() -> tuple[dict[str, Any], dict[str, Any]]:
    """Those of the release before, with the smallest parameters and with all."""
    plain, full = json.loads(FILE.read_text()).values()
    return {name: each or full[name] for name, each in plain.items()}, full


def _main(revision: str) -> None:
    with TemporaryDirectory() as directory:
        template = Path(directory, "template.yaml")
        template.write_bytes(subprocess.check_output(["git", "show", f"{revision}:template.yaml"], cwd=PROJECT))
        given: tuple[Mapping[str, str], ...] = ({}, FULL)
        made = translations([Deployment(each) for each in given], template)
    plain, full = (resources(Stack(each, parameters)) for each, parameters in zip(made, given, strict=True))
    same = {name: None if each == full[name] else each for name, each in plain.items()}
    FILE.write_text(
        "{"
        + ",\n".join(f"{json.dumps(name)}: {_lines(each)}" for name, each in (("plain", same), ("full", full)))
        + "}\n"
    )


def _lines(resources: Mapping[str, Any]) -> str:
    return (
        "{\n" + ",\n".join(f"  {json.dumps(name)}: {json.dumps(resources[name])}" for name in sorted(resources)) + "\n}"
    )


if __name__ == "__main__":
    _main(*sys.argv[1:])
