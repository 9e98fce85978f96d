"""A template's resources with conditions, parameters and intrinsic functions resolved.

A name that only AWS gives stands as `<Resource>` or `<Resource.Attribute>`.
"""

import re
from collections.abc import Mapping
from typing import Any

from tools.template_translation import REQUIRED_PARAMETERS, Deployment, translations

STACK = "matchbox"
IDENTITY = "6e1b0c9a-0000-4000-8000-123456789abc"
NAME = f"matchbox-{IDENTITY}"
"""The name of the table, and of the bucket."""

_PSEUDO = {
    "AWS::AccountId": "123456789012",
    "AWS::Partition": "aws",
    "AWS::Region": "eu-central-1",
    "AWS::StackName": STACK,
    "AWS::URLSuffix": "amazonaws.com",
}
_NOTHING = object()
_ALWAYS = {"Fn::And": ()}


class Stack:
    """A translated template for these parameters, beside those that have defaults or stand in REQUIRED_PARAMETERS.

    `identity` makes the stack's id, and so the names of table and bucket, different from other stacks'.
    """

    def __init__(self, template: Mapping[str, Any], given: Mapping[str, str], identity: str = IDENTITY) -> None:
        self._template = template
        stack_id = f"arn:aws:cloudformation:eu-central-1:123456789012:stack/{STACK}/{identity}"
        self._pseudo = {**_PSEUDO, "AWS::StackId": stack_id}
        defaults = {name: parameter.get("Default") for name, parameter in template["Parameters"].items()}
        self.parameters = {name: str(value) for name, value in {**defaults, **REQUIRED_PARAMETERS, **given}.items()}
        present = {
            name: resource
            for name, resource in template["Resources"].items()
            if "Condition" not in resource or self._holds(resource["Condition"])
        }
        self.resources: dict[str, dict[str, Any]] = {name: self.resolved(each) for name, each in present.items()}
        self.outputs: dict[str, str] = {
            name: self.resolved(output["Value"]) for name, output in template["Outputs"].items()
        }

    def refusals(self, given: Mapping[str, str]) -> list[str]:
        """Why CloudFormation refuses these parameters: names whose pattern fails, and descriptions of failed rules."""
        stack = Stack(self._template, given)
        patterns = {name: each.get("AllowedPattern", ".*") for name, each in self._template["Parameters"].items()}
        # Of a list each value has to match.
        values = {name: each if isinstance(each := stack._reference(name), list) else [each] for name in patterns}
        unmatched = [
            name
            for name, pattern in patterns.items()
            if not all(re.fullmatch(pattern, value) for value in values[name])
        ]
        rules = [each for each in self._template["Rules"].values() if stack._holds(each.get("RuleCondition", _ALWAYS))]
        assertions = [each for rule in rules for each in rule["Assertions"]]
        return unmatched + [each["AssertDescription"] for each in assertions if not stack._holds(each["Assert"])]

    def of_type(self, kind: str) -> dict[str, dict[str, Any]]:
        """The properties of the resources of that type, by their logical ids."""
        return {name: each.get("Properties", {}) for name, each in self.resources.items() if each["Type"] == kind}

    def properties(self, name: str) -> dict[str, Any]:
        """The properties of the resource with that logical id."""
        found: dict[str, Any] = self.resources[name]["Properties"]
        return found

    def environment(self, function: str) -> dict[str, str]:
        """The variables of a function."""
        variables: dict[str, str] = self.properties(function)["Environment"]["Variables"]
        return variables

    def statements(self, role: str) -> list[dict[str, Any]]:
        """The statements of a role's own policies, or of a managed policy, with lists of actions and resources."""
        properties = self.properties(role)
        policies = properties.get("Policies", [properties])
        found = [statement for policy in policies for statement in policy["PolicyDocument"]["Statement"]]
        return [{**each, "Action": _listed(each["Action"]), "Resource": _listed(each["Resource"])} for each in found]

    def resolved(self, value: Any) -> Any:
        """The value, without intrinsic functions."""
        if isinstance(value, list):
            return [made for each in value if (made := self.resolved(each)) is not _NOTHING]
        if not isinstance(value, Mapping):
            return value
        if len(value) == 1:
            [(function, argument)] = value.items()
            if function == "Ref" or function.startswith("Fn::"):
                return self._called(function, argument)
        return {name: made for name, each in value.items() if (made := self.resolved(each)) is not _NOTHING}

    def _called(self, function: str, argument: Any) -> Any:
        match function:
            case "Ref":
                return self._reference(argument)
            case "Fn::GetAtt":
                name = argument if isinstance(argument, str) else ".".join(argument)
                return f"https://<{name}>/" if name.endswith(".FunctionUrl") else f"<{name}>"
            case "Fn::If":
                condition, then, otherwise = argument
                return self.resolved(then if self._holds(condition) else otherwise)
            case "Fn::Sub":
                text, names = (argument, {}) if isinstance(argument, str) else argument
                return re.sub(r"\$\{([^}]+)\}", lambda found: self._substitute(found[1], names), text)
            case "Fn::Join":
                between, parts = argument
                return between.join(self.resolved(parts))
            case "Fn::Split":
                between, text = argument
                return self.resolved(text).split(between)
            case "Fn::Select":
                index, parts = argument
                return self.resolved(parts)[int(index)]
            case "Fn::FindInMap":
                mapping, first, second = map(self.resolved, argument)
                return self._template["Mappings"][mapping][first][second]
        raise NotImplementedError(function)

    def _reference(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return _NOTHING
        if name in self._pseudo:
            return self._pseudo[name]
        if name not in self.parameters:
            return f"<{name}>"
        value = self.parameters[name]
        kind = self._template["Parameters"][name]["Type"]
        return value.split(",") if kind.startswith("List<") or kind == "CommaDelimitedList" else value

    def _substitute(self, name: str, names: Mapping[str, Any]) -> str:
        if name in names:
            return str(self.resolved(names[name]))
        return f"<{name}>" if "." in name else str(self._reference(name))

    def _holds(self, condition: str | Mapping[str, Any]) -> bool:
        if isinstance(condition, str):
            return self._holds(self._template["Conditions"][condition])
        [(function, argument)] = condition.items()
        match function:
            case "Condition":
                return self._holds(argument)
            case "Fn::Equals":
                first, second = map(self.resolved, argument)
                return str(first) == str(second)
            case "Fn::Contains":
                several, one = map(self.resolved, argument)
                return one in several
            case "Fn::Not":
                return not self._holds(argument[0])
            case "Fn::And":
                return all(map(self._holds, argument))
            case "Fn::Or":
                return any(map(self._holds, argument))
        raise NotImplementedError(function)


def stacks(deployments: list[Deployment]) -> list[Stack]:
    """The stacks that these deployments make."""
    made = translations(deployments)
    return [Stack(template, each.parameters) for template, each in zip(made, deployments, strict=True)]


def wildcards(text: str) -> re.Pattern[str]:
    """A pattern of AWS's: `*` for any characters, `?` for one."""
    return re.compile(re.escape(text).replace(r"\*", ".*").replace(r"\?", "."), re.DOTALL)


def leading_keys(statement: Mapping[str, Any]) -> set[str]:
    """The patterns of the items' keys that a statement is limited to."""
    return set(statement.get("Condition", {}).get("ForAllValues:StringLike", {}).get("dynamodb:LeadingKeys", ()))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
