"""The CloudFormation template that the SAM transform makes of template.yaml.

`python -m tools.template_translation DIRECTORY` writes it as `translated-DOOR.json`, once with each front door as the
default: checkov looks at what the defaults of parameters make, and at nothing else.
"""

import atexit
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import IO, Any, NamedTuple, cast

PROJECT = Path(__file__).resolve().parents[1]

REQUIRED_PARAMETERS: Mapping[str, str] = {
    "VpcId": "vpc-0123456789abcdef0",
    "SubnetIds": "subnet-0123456789abcdef0,subnet-0123456789abcdef1",
    "AllowedCidr": "10.0.0.0/16",
}
"""Values of the parameters that rules ask for behind a load balancer."""


class Deployment(NamedTuple):
    """Parameters beside the required ones, and where code is uploaded to: its resource's name unless given."""

    parameters: Mapping[str, str] = {}
    code: Mapping[str, str] = {}


def translations(deployments: Sequence[Deployment], template: Path = PROJECT / "template.yaml") -> list[dict[str, Any]]:
    """The template of each deployment."""
    source, target = _transform(template)
    templates = []
    for parameters, code in deployments:
        line = json.dumps({"parameters": {**REQUIRED_PARAMETERS, **parameters}, "code": dict(code)})
        source.write(f"{line}\n")
        source.flush()
        templates.append(json.loads(target.readline()))
    return templates


@cache
def translation() -> dict[str, Any]:
    """The template for the defaults."""
    return translations([Deployment()])[0]


@cache
def _transform(template: Path) -> tuple[IO[str], IO[str]]:
    """Standard input and output of the running transform, which takes a second to start."""
    subprocess.run(["make", "-s", ".venv-sam/ready"], cwd=PROJECT, stdout=subprocess.DEVNULL, check=True)
    command = [".venv-sam/bin/python", "-m", "tools.sam_transform", str(template)]
    process = subprocess.Popen(command, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    atexit.register(process.communicate)
    return cast("IO[str]", process.stdin), cast("IO[str]", process.stdout)


if __name__ == "__main__":
    directory = Path(sys.argv[1])
    directory.mkdir(exist_ok=True)
    front_door = translation()["Parameters"]["FrontDoor"]
    for door in front_door["AllowedValues"]:
        front_door["Default"] = door
        (directory / f"translated-{door}.json").write_text(json.dumps(translation(), indent=2))
