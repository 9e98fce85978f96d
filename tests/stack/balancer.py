"""The load balancer of a stack's template, in front of the built functions.

Listeners, rules, target groups with their attributes, and permissions are the template's; HTTP is spoken by
`matchboxctl serve`'s front end, which makes an event of each request.
"""

import logging
import re
import uuid
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tests.rigs.alb_emulator import ALBEmulator
from tests.rigs.lambda_runtime import Artefacts, LambdaFunction, lambda_function
from tests.stack.resolution import Stack, wildcards
from tests.support.server_threads import in_thread

_ELB = "AWS::ElasticLoadBalancingV2::"
_HEADER_NAME = re.compile(r"[-A-Za-z0-9]+")


class Target(NamedTuple):
    """A function as a target group has it."""

    arn: str
    function: LambdaFunction
    multi_value_headers: bool


class Rule(NamedTuple):
    """What sends a path to a target."""

    priority: int
    paths: re.Pattern[str]
    target: Target


class _Listener:
    """The app of the front end: the balancer's event to the target, and the target's response."""

    def __init__(self, default: Target, rules: list[Rule], *, drops_invalid_headers: bool) -> None:
        self.log = logging.getLogger(__name__)
        self._default = default
        self._rules = sorted(rules)
        self._drops_invalid_headers = drops_invalid_headers

    def handle(self, request: Mapping[str, Any]) -> dict[str, Any]:
        matching = (rule.target for rule in self._rules if rule.paths.fullmatch(request["path"]))
        target = next(matching, self._default)
        response: dict[str, Any] = target.function.invoke(self._event(request, target))
        if not target.multi_value_headers:
            response["multiValueHeaders"] = {name: [value] for name, value in response.get("headers", {}).items()}
        return response

    def _event(self, request: Mapping[str, Any], target: Target) -> dict[str, Any]:
        """What the front end's event lacks of the balancer's."""
        headers = {
            **request["multiValueHeaders"],
            "x-amzn-trace-id": [f"Root=1-6870a108-{uuid.uuid4().hex[:24]}"],
        }
        if self._drops_invalid_headers:
            headers = {name: values for name, values in headers.items() if _HEADER_NAME.fullmatch(name)}
        event = {
            **request,
            "requestContext": {"elb": {"targetGroupArn": target.arn}},
            "multiValueHeaders": headers,
            "isBase64Encoded": bool(request["body"]),
        }
        if not target.multi_value_headers:
            event["headers"] = _last(event.pop("multiValueHeaders"))
            event["queryStringParameters"] = _last(event.pop("multiValueQueryStringParameters"))
        return event


def artefacts(stack: Stack, name: str, built: Path, aws: Mapping[str, str]) -> Artefacts:
    """A function of the stack, whose code and layers lie in `built`; `aws` are credentials and endpoints."""
    function = stack.properties(name)
    assert "python3.13" == function["Runtime"]
    layers = [stack.properties(layer.strip("<>"))["Content"]["S3Key"] for layer in function.get("Layers", ())]
    return Artefacts(
        name,
        built / function["Code"]["S3Key"],
        tuple(built / layer for layer in layers),
        function["Handler"],
        function["Timeout"],
        {**stack.environment(name), **aws},
    )


class Balancer(NamedTuple):
    """Where the listener for HTTP is served, on 127.0.0.1, and the functions behind it by their logical ids."""

    port: int
    functions: Mapping[str, LambdaFunction]


@contextmanager
def balancer(stack: Stack, built: Path, aws: Mapping[str, str], port: int = 0) -> Iterator[Balancer]:
    """The stack's balancer, with its listener for HTTP on that port, 0 for a free one."""
    with ExitStack() as kept:
        functions: dict[str, LambdaFunction] = {}
        targets: dict[str, Target] = {}
        for name, group in stack.of_type(f"{_ELB}TargetGroup").items():
            function = _function_of(stack, group)
            if function not in functions:
                functions[function] = kept.enter_context(lambda_function(artefacts(stack, function, built, aws)))
            targets[name] = _target(group, functions[function])
        [(name, listener)] = _http_listeners(stack).items()
        rules = [
            Rule(int(rule["Priority"]), _paths(rule), targets[_forwarded(rule["Actions"])])
            for rule in stack.of_type(f"{_ELB}ListenerRule").values()
            if rule["ListenerArn"] == f"<{name}>"
        ]
        [load_balancer] = stack.of_type(f"{_ELB}LoadBalancer").values()
        drops = _attributes(load_balancer["LoadBalancerAttributes"])["routing.http.drop_invalid_header_fields.enabled"]
        app = _Listener(targets[_forwarded(listener["DefaultActions"])], rules, drops_invalid_headers=drops == "true")
        front = kept.enter_context(in_thread(ALBEmulator(port, app)))
        yield Balancer(front.server_port, functions)


def _http_listeners(stack: Stack) -> dict[str, Any]:
    listeners = stack.of_type(f"{_ELB}Listener")
    return {name: each for name, each in listeners.items() if (each["Protocol"], each["Port"]) == ("HTTP", 80)}


def _function_of(stack: Stack, group: Mapping[str, Any]) -> str:
    """The function that the target group invokes, which it has to have the permission for."""
    assert "lambda" == group["TargetType"]
    [target] = group["Targets"]
    arn = f"arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/{group['Name']}/0123456789abcdef"
    allowed = [
        permission
        for permission in stack.of_type("AWS::Lambda::Permission").values()
        if permission["FunctionName"] == target["Id"]
        and permission["Principal"] == "elasticloadbalancing.amazonaws.com"
        and permission["Action"] == "lambda:InvokeFunction"
        and wildcards(permission["SourceArn"]).fullmatch(arn)
    ]
    assert allowed, f"no permission for {arn} to invoke {target['Id']}"
    alias = stack.properties(target["Id"].strip("<>"))
    version = stack.properties(alias["FunctionVersion"].strip("<>").removesuffix(".Version"))
    assert version["FunctionName"] == alias["FunctionName"]
    function: str = version["FunctionName"].strip("<>")
    return function


def _target(group: Mapping[str, Any], function: LambdaFunction) -> Target:
    attributes = _attributes(group["TargetGroupAttributes"])
    arn = f"arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/{group['Name']}/0123456789abcdef"
    return Target(arn, function, attributes.get("lambda.multi_value_headers.enabled") == "true")


def _attributes(given: list[dict[str, str]]) -> dict[str, str]:
    return {attribute["Key"]: attribute["Value"] for attribute in given}


def _forwarded(actions: list[dict[str, Any]]) -> str:
    """The target group that the only action forwards to."""
    [action] = actions
    assert "forward" == action["Type"]
    group: str = action["TargetGroupArn"].strip("<>")
    return group


def _paths(rule: Mapping[str, Any]) -> re.Pattern[str]:
    [condition] = rule["Conditions"]
    assert "path-pattern" == condition["Field"]
    values = condition.get("Values") or condition["PathPatternConfig"]["Values"]
    return re.compile("|".join(wildcards(value).pattern for value in values))


def _last(values: Mapping[str, list[str]]) -> dict[str, str]:
    """Without multi-value headers, the balancer hands on the last value of a name."""
    return {name: each[-1] for name, each in values.items()}
