"""What the balancer asks is a version of boot_api, with the code, the layer and the settings of one deployment."""

import pytest

from tests.stack.conftest import FULL
from tests.stack.resolution import Stack, stacks
from tests.stack.translation import Deployment

OTHERS = {
    **FULL,
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
    "MonthlyBudget": "100",
    "LogRetention": "7",
    "LogLevel": "debug",
    "Architecture": "x86_64",
}
"""Another value for each parameter."""

ASKED = {"LogLevel", "Architecture", "PresignedLifetime", "RouteTableIds", "S3EndpointId", "TokenFreeAddress"}
"""The parameters that boot_api depends on."""


@pytest.fixture(scope="module")
def changed() -> dict[str, Stack]:
    """The stack where one parameter has another value, by the parameter's name; first, under "", that of defaults."""
    names = ["", *OTHERS]
    made = stacks([Deployment({name: OTHERS[name]} if name else {}) for name in names])
    return dict(zip(names, made, strict=True))


def _version(stack: Stack) -> tuple[str, str]:
    """What CloudFormation knows the version by: with another id it is made anew, with another description replaced."""
    [(name, properties)] = stack.of_type("AWS::Lambda::Version").items()
    return name, properties["Description"]


def _function(stack: Stack) -> dict[str, object]:
    return {name: value for name, value in stack.properties("BootApi").items() if name != "Role"}


def test_every_parameter_is_tried(plain: Stack) -> None:
    """The tests here change each parameter of the template."""
    assert set(plain.parameters) == set(OTHERS)


def test_what_boot_api_depends_on(changed: dict[str, Stack]) -> None:
    """A known few of the parameters change the function."""
    plain = changed.pop("")
    found = {name for name, stack in changed.items() if _function(stack) != _function(plain)}
    changed[""] = plain
    assert ASKED == found


@pytest.mark.parametrize("name", sorted(ASKED))
def test_a_parameter_publishes(changed: dict[str, Stack], name: str) -> None:
    """Another value of a parameter that the function depends on publishes a version."""
    assert _version(changed[""]) != _version(changed[name])


@pytest.mark.parametrize("what", ["BootApi", "BootApiLayer"])
def test_code_publishes(changed: dict[str, Stack], what: str) -> None:
    """Other code, and another layer, publish a version."""
    [other] = stacks([Deployment(code={what: "another"})])
    assert _version(changed[""])[0] != _version(other)[0]


def test_nothing_else_publishes(changed: dict[str, Stack]) -> None:
    """The same deployment once more, and another code of asset_sync, publish nothing."""
    again = stacks([Deployment(), Deployment(code={"AssetSync": "another", "AssetSyncLayer": "another"})])
    assert [_version(changed[""])] * 2 == list(map(_version, again))


def test_the_balancer_asks_the_alias(plain: Stack) -> None:
    """The target is the alias, and the alias is of the version."""
    [(version, _)] = plain.of_type("AWS::Lambda::Version").items()
    [target] = plain.properties("TargetGroup")["Targets"]
    assert ("<BootApiAliaslive>", f"<{version}.Version>") == (
        target["Id"],
        plain.properties("BootApiAliaslive")["FunctionVersion"],
    )


def test_a_description_fits(changed: dict[str, Stack]) -> None:
    """The longest values of the parameters make a description that Lambda takes (256 characters)."""
    longest = {"TokenFreeAddress": "http://" + 120 * "a", "S3EndpointId": "vpce-0123456789abcdef0", "LogLevel": "debug"}
    [stack] = stacks([Deployment({**longest, "PresignedLifetime": "604800", "Architecture": "x86_64"})])
    assert len(_version(stack)[1]) <= 256
