"""The SAM transform of the template in the argument into CloudFormation templates, without AWS.

It runs in the environment of aws-sam-cli, as the transform needs an older pydantic than the functions. Each line of
standard input is a JSON object with `parameters` and `code`, and each line of standard output its template.
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

_LOCAL = {"AWS::Serverless::Function": "CodeUri", "AWS::Serverless::LayerVersion": "ContentUri"}


class _NoManagedPolicies:
    def load(self) -> dict[str, str]:
        return {}


def transformed(source: Mapping[str, Any], parameters: Mapping[str, str], code: Mapping[str, str]) -> dict[str, Any]:
    """The template for these parameters; `code` has the keys to which functions and layers are uploaded."""
    template = copy.deepcopy(dict(source))
    template["Globals"]["Function"].pop("CodeUri")
    for name, resource in template["Resources"].items():
        if local := _LOCAL.get(resource["Type"]):
            resource["Properties"][local] = f"s3://code/{code.get(name, name)}"
    translated: dict[str, Any] = transform(template, dict(parameters), _NoManagedPolicies())
    return translated


if __name__ == "__main__":
    source = yaml_parse(Path(sys.argv[1]).read_text())
    defaults = {name: str(parameter.get("Default", "")) for name, parameter in source["Parameters"].items()}
    os.environ["AWS_DEFAULT_REGION"] = "eu-central-1"
    for line in sys.stdin:
        deployment = json.loads(line)
        print(json.dumps(transformed(source, defaults | deployment["parameters"], deployment["code"])), flush=True)
