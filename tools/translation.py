"""The CloudFormation template that the SAM transform makes of template.yaml.

`python -m tools.translation FILE` writes it as JSON.
"""

import json
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

PROJECT = Path(__file__).resolve().parents[1]

# What an operator has to answer; the rest has defaults.
ANSWERS: Mapping[str, str] = {
    "VpcId": "vpc-0123456789abcdef0",
    "SubnetIds": "subnet-0123456789abcdef0,subnet-0123456789abcdef1",
    "AllowedCidr": "10.0.0.0/16",
}


class Deployment(NamedTuple):
    """What is deployed: parameters beside ANSWERS; where functions and layers lie, their names unless given."""

    parameters: Mapping[str, str] = {}
    code: Mapping[str, str] = {}


def translations(deployments: list[Deployment]) -> list[dict[str, Any]]:
    """The template for each of them."""
    subprocess.run(["make", "-s", ".venv-sam/ready"], cwd=PROJECT, stdout=subprocess.DEVNULL, check=True)
    questions = [{"parameters": {**ANSWERS, **parameters}, "code": dict(code)} for parameters, code in deployments]
    done = subprocess.run(
        [".venv-sam/bin/python", "-m", "tools.sam_transform"],
        cwd=PROJECT,
        input=json.dumps(questions),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    made: list[dict[str, Any]] = json.loads(done.stdout)
    return made


@cache
def translation() -> dict[str, Any]:
    """The template as it is for the defaults."""
    return translations([Deployment()])[0]


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(translation(), indent=2))
