"""CloudFront Functions of a stack, in one process of Node that is kept, and what CloudFront takes from them."""

import json
import re
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.rigs.install import on_path
from tests.stack.cloudfront.messages import Headers, Request, Response
from tests.stack.resolution import Stack

_PROGRAM = Path(__file__).with_name("runtime.cjs")
_CODE_LIMIT, _URI_LIMIT = 10_240, 8_192
# CloudFront's guide, "Restrictions on all edge functions".
_READ_ONLY = {"content-length", "host", "transfer-encoding", "via"}
_DISALLOWED = re.compile(
    r"connection|expect|keep-alive|proxy-(authenticat|authorizat|connect).*|trailer|upgrade|x-accel-.*|x-amz-cf-.*"
    r"|x-amzn-.*|x-cache|x-edge-.*|x-forwarded-proto|x-real-ip"
)


class FunctionError(Exception):
    """Why CloudFront answers 502: the function failed, or made what it may not make."""


class ViewerFunctions:
    """Those of a stack, by their logical ids; made by `viewer_functions`."""

    def __init__(self, stack: Stack, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self._alone = threading.Lock()
        for name, function in stack.of_type("AWS::CloudFront::Function").items():
            assert "cloudfront-js-2.0" == function["FunctionConfig"]["Runtime"]
            if len(function["FunctionCode"].encode()) > _CODE_LIMIT:
                raise FunctionError(f"{name} is longer than {_CODE_LIMIT} bytes")
            self._said(name=name, code=function["FunctionCode"])

    def made(self, name: str, event: Mapping[str, Any]) -> dict[str, Any]:
        """What the function makes of an event; raises FunctionError."""
        found: dict[str, Any] = self._said(name=name, event=event)
        return found

    def applied(self, name: str, request: Request, domain: str) -> Request | Response:
        """The request as the function passes it on, or the function's response; raises FunctionError."""
        event = event_of(request, domain)
        made = self.made(name, event)
        if "statusCode" in made:
            return _response(made)
        return _changed(request, event["request"], made)

    def _said(self, **asked: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._alone:
            self._process.stdin.write(f"{json.dumps(asked)}\n")
            self._process.stdin.flush()
            said = json.loads(self._process.stdout.readline())
        if "error" in said:
            raise FunctionError(said["error"])
        return said["made"]


@contextmanager
def viewer_functions(stack: Stack) -> Iterator[ViewerFunctions]:
    """The functions of a stack, in a process that is ended on leaving."""
    command: list[str | Path] = [on_path("node", "nodejs"), _PROGRAM]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        # The end of its input ends it.
        yield ViewerFunctions(stack, process)


def event_of(request: Request, domain: str) -> dict[str, Any]:
    """The event of a viewer's request (CloudFront's guide, "Event structure")."""
    headers = [(name, value) for name, value in request.headers if name != "cookie" and not _DISALLOWED.fullmatch(name)]
    pairs = (part.partition("=") for part in request.query.split("&") if part)
    cookies = (part.strip().partition("=") for part in request.header("cookie").split(";") if part.strip())
    return {
        "version": "1.0",
        "context": {
            "distributionDomainName": domain,
            "distributionId": "EDFDVBD6EXAMPLE",
            "eventType": "viewer-request",
            "requestId": "EXAMPLEntjQpEXAMPLE_SG5Z-EXAMPLEPmPfEXAMPLEu3EqEXAMPLE==",
        },
        "viewer": {"ip": request.client},
        "request": {
            "method": request.method,
            "uri": request.path,
            "querystring": _fields((name, value) for name, _, value in pairs),
            "headers": _fields(headers),
            "cookies": _fields((name, value) for name, _, value in cookies),
        },
    }


def _fields(pairs: Any) -> dict[str, Any]:
    """Each name once: with its first value, and with all of them if there are several."""
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return {
        name: {"value": each[0]} | ({"multiValue": [{"value": one} for one in each]} if len(each) > 1 else {})
        for name, each in values.items()
    }


def _pairs(fields: Mapping[str, Any]) -> Headers:
    return tuple((name, one["value"]) for name, field in fields.items() for one in field.get("multiValue", [field]))


def _changed(request: Request, sent: Mapping[str, Any], made: Mapping[str, Any]) -> Request:
    """The request with what the function has changed; path and query stay as sent if it has not changed them."""
    for name in {*sent["headers"], *made["headers"]}:
        before, after = sent["headers"].get(name), made["headers"].get(name)
        if name in _READ_ONLY and before != after:
            raise FunctionError(f"the header {name} is read only")
        if name != name.lower() or _DISALLOWED.fullmatch(name):
            raise FunctionError(f"the header {name} is not allowed")
    if made["method"] != sent["method"] or not made["uri"].startswith("/"):
        raise FunctionError("the method is read only, and a path begins with a slash")
    query = request.query
    if made["querystring"] != sent["querystring"]:
        query = "&".join(f"{name}={value}" for name, value in _pairs(made["querystring"]))
    if len(made["uri"]) + len(query) >= _URI_LIMIT or re.search(
        r"[\x00-\x20#]", query if query != request.query else ""
    ):
        raise FunctionError("path and query are too long, or have characters that they may not have")
    cookies = "; ".join(f"{name}={value}" for name, value in _pairs(made["cookies"]))
    headers = _pairs(made["headers"]) + ((("cookie", cookies),) if cookies else ())
    return request._replace(path=made["uri"], query=query, headers=headers)


def _response(made: Mapping[str, Any]) -> Response:
    body = made.get("body", "")
    if isinstance(body, dict):
        assert "text" == body["encoding"]
        body = body["data"]
    return Response(made["statusCode"], dict(_pairs(made.get("headers", {}))), body.encode())
