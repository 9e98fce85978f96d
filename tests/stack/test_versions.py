"""The published versions of the functions, each with one deployment's code, layer and settings."""

import re

import pytest

from tests.stack.conftest import BEHIND_BALANCER, FULL, KEY
from tests.stack.resolution import Stack, stacks
from tools.template_translation import Deployment

OTHERS = {
    **FULL,
    "FrontDoor": "cloudfront",
    "AllowedCidrs": "203.0.113.0/24",
    "AllowEverybody": "yes",
    "PlainConfigurations": "yes",
    "SigningKeySecret": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:another-AbCdEf",
    "VpcId": "vpc-0123456789abcdef1",
    "SubnetIds": "subnet-0123456789abcdef2,subnet-0123456789abcdef3",
    "AllowedCidr": "10.1.0.0/16",
    "Scheme": "internet-facing",
    "SourceImage": "registry.example.com/talos:v1",
    "SourcePlatform": "linux/amd64",
    "ScheduleExpression": "rate(5 minutes)",
    "PresignedLifetime": "7200",
    "PlainDownloads": "no",
    "S3EndpointId": "vpce-0123456789abcdef0",
    "TokenFreeAddress": "http://assets.example.com",
    "BaseUrl": "https://boot.example.com",
    "MonthlyBudget": "100",
    "LogRetention": "7",
    "HistoryRetention": "7",
    "HistoryConcurrency": "5",
    "LogLevel": "debug",
    "Architecture": "x86_64",
}
"""Another value for each parameter."""

_ALIKE = {
    "LogLevel",
    "Architecture",
    "PresignedLifetime",
    "RouteTableIds",
    "S3EndpointId",
    "SecretsManagerArns",
    "TokenFreeAddress",
    "BaseUrl",
}
ASKED = {"BootApi": _ALIKE, "SignedApi": _ALIKE | {"SigningKeySecret"}}
"""The parameters that the functions behind the balancer depend on."""

PAIRS = [(function, name) for function, names in ASKED.items() for name in sorted(names)]


@pytest.fixture(scope="module")
def changed() -> dict[str, Stack]:
    """The stack where one parameter has another value, by the parameter's name; first, under "", that of defaults.

    Each has a key, so that it has both functions.
    """
    names = ["", *OTHERS]
    made = stacks([Deployment({**KEY, **({name: OTHERS[name]} if name else {})}) for name in names])
    return dict(zip(names, made, strict=True))


def _version(stack: Stack, function: str) -> tuple[str, str]:
    """What CloudFormation knows the version by: with another id it is made anew, with another description replaced."""
    versions = stack.of_type("AWS::Lambda::Version").items()
    [(name, properties)] = [each for each in versions if each[1]["FunctionName"] == f"<{function}>"]
    return name, properties["Description"]


def _function(stack: Stack, function: str) -> dict[str, object]:
    return {name: value for name, value in stack.properties(function).items() if name != "Role"}


def test_each_parameter_is_tested(plain: Stack) -> None:
    assert set(plain.parameters) == set(OTHERS)


@pytest.mark.parametrize("function", ASKED)
def test_function_depends_on_the_known_parameters(changed: dict[str, Stack], function: str) -> None:
    plain = changed[""]
    found = {name for name, stack in changed.items() if _function(stack, function) != _function(plain, function)}
    assert ASKED[function] == found


@pytest.mark.parametrize(("function", "name"), PAIRS)
def test_changed_parameter_publishes_a_version(changed: dict[str, Stack], function: str, name: str) -> None:
    assert _version(changed[""], function) != _version(changed[name], function)


@pytest.mark.parametrize("function", ASKED)
@pytest.mark.parametrize("what", ["", "Layer"])
def test_changed_code_or_layer_publishes_a_version(changed: dict[str, Stack], function: str, what: str) -> None:
    [other] = stacks([Deployment(KEY, code={function + what: "another"})])
    assert _version(changed[""], function)[0] != _version(other, function)[0]


@pytest.mark.parametrize("function", ASKED)
def test_unchanged_function_publishes_no_version(changed: dict[str, Stack], function: str) -> None:
    others = {"BootApi", "SignedApi", "AssetSync", "BootHistory"} - {function}
    code = {name + what: "another" for name in others for what in ("", "Layer")}
    again = stacks([Deployment(KEY), Deployment(KEY, code=code)])
    assert [_version(changed[""], function)] * 2 == [_version(stack, function) for stack in again]


@BEHIND_BALANCER
@pytest.mark.parametrize(("function", "group"), [("BootApi", "TargetGroup"), ("SignedApi", "SignedTargetGroup")])
def test_target_is_the_alias_of_the_version(with_key: Stack, function: str, group: str) -> None:
    [target] = with_key.properties(group)["Targets"]
    assert (f"<{function}Aliaslive>", f"<{_version(with_key, function)[0]}.Version>") == (
        target["Id"],
        with_key.properties(f"{function}Aliaslive")["FunctionVersion"],
    )


def test_longest_description_fits(changed: dict[str, Stack]) -> None:
    """Lambda takes 256 characters."""
    secret = f"arn:aws:secretsmanager:eu-central-1:123456789012:secret:{'a' * 80}"
    longest = {"TokenFreeAddress": "http://" + 120 * "a", "S3EndpointId": "vpce-0123456789abcdef0", "LogLevel": "debug"}
    rest = {"PresignedLifetime": "604800", "Architecture": "x86_64", "SigningKeySecret": secret}
    rest["SecretsManagerArns"] = FULL["SecretsManagerArns"]
    [stack] = stacks([Deployment({**longest, **rest})])
    assert re.fullmatch(changed[""]._template["Parameters"]["SigningKeySecret"]["AllowedPattern"], secret)
    assert [] == [function for function in ASKED if len(_version(stack, function)[1]) > 256]
