"""The built template in a form that the emulator takes.

Every change here is for a fault of the emulator: AWS takes the template as it is.
"""

from pathlib import Path
from typing import Any

import yaml

# A metric of its own in place of an expression over several, which CloudFormation refuses there.
_ONE_METRIC = {"Namespace": "AWS/Lambda", "MetricName": "Errors", "Statistic": "Sum", "Period": 60}
_UNKNOWN_KEY = "dynamodb:LeadingKeys"


def adapted(built: Path) -> dict[str, Any]:
    """The template that `sam build` has put into `built`, with absolute paths of the code."""
    template: dict[str, Any] = yaml.safe_load((built / "template.yaml").read_text())
    for resource in template["Resources"].values():
        properties = resource["Properties"]
        for code in properties.keys() & {"CodeUri", "ContentUri"}:
            properties[code] = str(built / properties[code])
        if resource["Type"] == "AWS::CloudWatch::Alarm" and properties.pop("Metrics", None):
            properties |= _ONE_METRIC
        if resource["Type"] == "AWS::Logs::SubscriptionFilter":
            # It looks for each word of the pattern in the line, `$.message` among them.
            properties["FilterPattern"] = "request"
        if resource["Type"] == "AWS::IAM::Role":
            # tests/stack/test_policies.py holds what this drops: without it, roles reach every item of the table, and
            # every parameter.
            _widen(properties["Policies"])
    # A joined list without members is not equal to an empty text there.
    template["Conditions"]["HasNewEndpoint"] = {"Fn::Equals": ["no", "endpoint"]}
    template["Conditions"]["HasSecretsManager"] = {"Fn::Equals": ["no", "secret"]}
    return template


def _widen(value: Any) -> None:
    """Remove the conditions on the key that the emulator does not know, in place.

    It takes a request for several parameters for one of all parameters.
    """
    if isinstance(value, list):
        for each in value:
            _widen(each)
        return
    if not isinstance(value, dict):
        return
    if value.get("Action") == "ssm:GetParameters":
        value["Resource"] = "*"
    for operator, keys in list(value.get("Condition", {}).items() if isinstance(value.get("Condition"), dict) else ()):
        keys.pop(_UNKNOWN_KEY, None)
        if not keys:
            del value["Condition"][operator]
    if value.get("Condition") == {}:
        del value["Condition"]
    for each in value.values():
        _widen(each)
