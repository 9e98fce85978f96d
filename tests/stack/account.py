"""What moto's account lacks for the owner's checks of a stack.

IAM's simulation evaluates the policies that the roles have, CloudFront's test of a function runs it in Node.
"""

import io
import json
import re
from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import parse_qs
from xml.etree import ElementTree

from moto.iam.models import iam_backends
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

from tests.rigs.moto_server import _Quiet
from tests.stack.cloudfront.viewer_functions import FunctionError, ViewerFunctions
from tests.support.server_threads import in_thread


class Account:
    """moto's account; `functions` are CloudFront's, of which a test of a function runs one."""

    def __init__(self) -> None:
        self._moto = DomainDispatcherApplication(create_backend_app)
        self.functions: ViewerFunctions | None = None

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        root = None
        if body.startswith(b"Action=SimulatePrincipalPolicy"):
            root = _simulated({name: each[0] for name, each in parse_qs(body.decode()).items()})
        elif self.functions and environ["PATH_INFO"].startswith("/2020-05-31/function/"):
            root = _tested(self.functions, body) if body else ElementTree.Element("FunctionSummary")
        if root is not None:
            start_response("200 OK", [("Content-Type", "text/xml"), ("ETag", "E1")])
            return [ElementTree.tostring(root)]
        response: Iterable[bytes] = self._moto(environ, start_response)
        return response


def _tested(functions: ViewerFunctions, body: bytes) -> ElementTree.Element:
    """CloudFront's API, "TestFunction"."""
    [event] = (each.text or "" for each in ElementTree.fromstring(body).iter() if each.tag.endswith("EventObject"))
    root = ElementTree.Element("TestResult")
    try:
        made = functions.made("DoorFunction", json.loads(b64decode(event)))
    except FunctionError as error:
        ElementTree.SubElement(root, "FunctionErrorMessage").text = str(error)
    else:
        output = {"response" if "statusCode" in made else "request": made}
        ElementTree.SubElement(root, "FunctionOutput").text = json.dumps(output)
    return root


def _simulated(form: Mapping[str, str]) -> ElementTree.Element:
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
    return root


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
def account() -> Iterator[tuple[Account, str]]:
    """The account of this process, and its endpoint."""
    made = Account()
    with in_thread(make_server("127.0.0.1", 0, made, threaded=False, request_handler=_Quiet)) as server:
        yield made, f"http://127.0.0.1:{server.server_port}"
