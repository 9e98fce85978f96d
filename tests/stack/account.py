"""An account on moto with what the owner's checks read of a stack: roles, stores, queues, logs and function URLs.

IAM's simulation, which moto lacks, evaluates the policies that the roles have there.
"""

import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import parse_qs
from xml.etree import ElementTree

from moto.iam.models import iam_backends
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

from tests.rigs.moto_server import _Quiet
from tests.rigs.service import Service
from tests.stack.resolution import Stack
from tests.support.server_threads import in_thread

_KINDS = ("DynamoDB::Table", "IAM::Role", "Lambda::Function", "Logs::LogGroup", "S3::Bucket", "SQS::Queue")
_NAME = re.compile(r"<(\w+)(\.\w+)?>")


def created(stack: Stack, code: str, outputs: Mapping[str, str]) -> dict[str, Any]:
    """The stack's resources of these kinds as a template, with its parameters; `code` is a bucket with the code."""
    kept = {
        name: {
            "Type": each["Type"],
            "Properties": {key: its for key, its in each["Properties"].items() if key != "Layers"},
        }
        for name, each in stack.resources.items()
        if each["Type"].removeprefix("AWS::") in _KINDS
    }
    for each in kept.values():
        if "Code" in each["Properties"]:
            each["Properties"]["Code"] = each["Properties"]["Code"] | {"S3Bucket": code}
    return {
        "Parameters": {name: {"Type": "String", "Default": value} for name, value in stack.parameters.items()},
        "Resources": _referring(kept, set(kept)),
        "Outputs": {name: {"Value": value} for name, value in _referring(stack.outputs | outputs, set(kept)).items()},
    }


def _referring(value: Any, names: set[str]) -> Any:
    """The value with `Fn::Sub` where a name stands that only AWS gives."""
    if isinstance(value, dict):
        return {name: _referring(each, names) for name, each in value.items()}
    if isinstance(value, list):
        return [_referring(each, names) for each in value]
    if not isinstance(value, str) or names.isdisjoint(found[0] for found in _NAME.findall(value)):
        return value
    return {"Fn::Sub": _NAME.sub(lambda found: f"${{{found[0][1:-1]}}}" if found[1] in names else "other", value)}


class _Account:
    def __init__(self) -> None:
        self._moto = DomainDispatcherApplication(create_backend_app)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        if body.startswith(b"Action=SimulatePrincipalPolicy"):
            start_response("200 OK", [("Content-Type", "text/xml")])
            return [_simulated({name: each[0] for name, each in parse_qs(body.decode()).items()})]
        answer: Iterable[bytes] = self._moto(environ, start_response)
        return answer


def _simulated(form: Mapping[str, str]) -> bytes:
    role = iam_backends["123456789012"]["aws"].get_role(form["PolicySourceArn"].rpartition("/")[2])
    context: dict[str, list[str]] = {}
    for name, value in form.items():
        if found := re.fullmatch(r"ContextEntries\.member\.(\d+)\.ContextKeyValues\.member\.\d+", name):
            context.setdefault(form[f"ContextEntries.member.{found[1]}.ContextKeyName"], []).append(value)
    statements = [each for policy in role.policies.values() for each in _document(policy)["Statement"]]
    action, resource = form["ActionNames.member.1"], form["ResourceArns.member.1"]
    allowed = any(_allows(statement, action, resource, context) for statement in statements)
    root = ElementTree.Element("SimulatePrincipalPolicyResponse")
    results = ElementTree.SubElement(ElementTree.SubElement(root, "SimulatePrincipalPolicyResult"), "EvaluationResults")
    decision = ElementTree.SubElement(ElementTree.SubElement(results, "member"), "EvalDecision")
    decision.text = "allowed" if allowed else "implicitDeny"
    return ElementTree.tostring(root)


def _document(policy: Any) -> Any:
    """A policy as moto keeps it: of CloudFormation's as a mapping, else as text."""
    return policy if isinstance(policy, dict) else json.loads(policy)


def _allows(statement: Mapping[str, Any], action: str, resource: str, context: Mapping[str, list[str]]) -> bool:
    assert "Allow" == statement["Effect"]
    return (
        any(fnmatchcase(action, each) for each in _listed(statement["Action"]))
        and any(fnmatchcase(resource, each) for each in _listed(statement["Resource"]))
        and all(
            _holds(operator, context.get(key, []), _listed(wanted))
            for operator, keys in statement.get("Condition", {}).items()
            for key, wanted in keys.items()
        )
    )


def _holds(operator: str, values: list[str], wanted: list[str]) -> bool:
    match operator:
        case "Null":
            return ["false" if values else "true"] == wanted
        case "StringEquals":
            return any(value in wanted for value in values)
        case "ForAllValues:StringLike":
            return all(any(fnmatchcase(value, each) for each in wanted) for value in values)
    raise NotImplementedError(operator)


def _listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


@contextmanager
def account(moto: Service) -> Iterator[Service]:
    """The same account as moto's, with IAM's simulation."""
    server = make_server("127.0.0.1", 0, _Account(), threaded=False, request_handler=_Quiet)
    with in_thread(server):
        yield replace(moto, endpoint=f"http://127.0.0.1:{server.server_port}")
