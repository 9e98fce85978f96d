"""What does the SAM transform make of template.yaml? CloudFormation templates, without AWS.

For the environment of aws-sam-cli: the transform wants an older pydantic than the functions. Standard input is a JSON
list of objects with `parameters` and `code`, standard output the list of templates.
"""

import copy
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

PROJECT = Path(__file__).resolve().parents[1]

_LOCAL = {"AWS::Serverless::Function": "CodeUri", "AWS::Serverless::LayerVersion": "ContentUri"}


class _NoManagedPolicies:
    def load(self) -> dict[str, str]:
        return {}


def transformed(source: Mapping[str, Any], parameters: Mapping[str, str], code: Mapping[str, str]) -> dict[str, Any]:
    """The template for these parameters. `code` is where functions and layers lie once they are uploaded."""
    template = copy.deepcopy(dict(source))
    template["Globals"]["Function"].pop("CodeUri")
    for name, resource in template["Resources"].items():
        if local := _LOCAL.get(resource["Type"]):
            resource["Properties"][local] = f"s3://code/{code.get(name, name)}"
    made: dict[str, Any] = transform(template, dict(parameters), _NoManagedPolicies())
    return made


if __name__ == "__main__":
    written = yaml_parse((PROJECT / "template.yaml").read_text())
    defaults = {name: str(parameter.get("Default", "")) for name, parameter in written["Parameters"].items()}
    os.environ["AWS_DEFAULT_REGION"] = "eu-central-1"
    questions = json.load(sys.stdin)
    json.dump([transformed(written, defaults | each["parameters"], each["code"]) for each in questions], sys.stdout)
