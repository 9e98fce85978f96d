"""What viewer functions may do."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.stack.cloudfront.messages import Request, Response
from tests.stack.cloudfront.viewer_functions import FunctionError, ViewerFunctions, event_of, viewer_functions

pytestmark = pytest.mark.real

REQUEST = Request(
    "GET",
    "/a%20b",
    "a=1&b=%2F&a=2&c",
    (("host", "d1.cloudfront.net"), ("accept", "x"), ("x-real-ip", "1.1.1.1"), ("cookie", "k=v"), ("accept", "y")),
    True,
    "203.0.113.9",
)


class Written:
    """A stack with functions that a test has written."""

    def __init__(self, code: dict[str, str]) -> None:
        self._code = code

    def of_type(self, kind: str) -> dict[str, Any]:
        runtime = {"Runtime": "cloudfront-js-2.0"}
        return {name: {"FunctionConfig": runtime, "FunctionCode": code} for name, code in self._code.items()}


NODES = [
    *("require", "process", "fetch", "setTimeout", "setImmediate", "setInterval", "Buffer", "URL", "module", "global"),
    *("XMLHttpRequest", "WebSocket", "WebAssembly", "SharedArrayBuffer", "Atomics", "performance"),
]
BODIES = {
    "nothing": "",
    "globals": f"request.headers.found = {{value: {json.dumps(NODES)}.filter(each => each in globalThis).join()}};",
    "evaluates": "eval('1');",
    "constructs": "new Function('return 1')();",
    "escapes": "event.constructor.constructor('return process')();",
    "undeclared": "undeclared = 1;",
    "never ends": "while (true);",
    "host": "request.headers.host = {value: 'evil'};",
    "via": "request.headers.via = {value: 'x'};",
    "disallowed": "request.headers['x-forwarded-proto'] = {value: 'https'};",
    "capitals": "request.headers['X-Boot'] = {value: 'x'};",
    "method": "request.method = 'POST';",
    "relative": "request.uri = 'a';",
    "long": "request.uri = '/' + 'x'.repeat(8192);",
    "header": "request.headers['x-boot'] = {value: 'x'};",
    "path": "request.uri += '/\\u00fc';",
    "query": "request.querystring.b.value = '2';",
    "refuses": "return {statusCode: 403, headers: {'x-why': {value: 'no'}}, body: {encoding: 'text', data: 'no'}};",
}
FAILING = (
    *("evaluates", "constructs", "escapes", "undeclared", "never ends", "host", "via", "disallowed", "capitals"),
    *("method", "relative", "long"),
)


@pytest.fixture(scope="module")
def functions() -> Iterator[ViewerFunctions]:
    code = {
        name: f"function handler(event) {{ const request = event.request; {body} return request; }}"
        for name, body in BODIES.items()
    }
    with viewer_functions(Written(code)) as running:  # type: ignore[arg-type]
        yield running


def applied(functions: ViewerFunctions, name: str) -> Request | Response:
    return functions.applied(name, REQUEST, "d1.cloudfront.net")


def test_request_passes_as_it_was_sent(functions: ViewerFunctions) -> None:
    """Without the headers that functions do not see, which CloudFront does not pass on either."""
    made = applied(functions, "nothing")
    assert isinstance(made, Request)
    assert REQUEST._replace(headers=()) == made._replace(headers=())
    assert ["x, y", "k=v", ""] == [made.header(name) for name in ("accept", "cookie", "x-real-ip")]


def test_functions_have_nothing_of_nodes(functions: ViewerFunctions) -> None:
    made = applied(functions, "globals")
    assert isinstance(made, Request)
    assert "" == made.header("found")


@pytest.mark.parametrize("name", FAILING)
def test_what_cloudfront_forbids_fails(functions: ViewerFunctions, name: str) -> None:
    with pytest.raises(FunctionError):
        applied(functions, name)


def test_changes_are_applied(functions: ViewerFunctions) -> None:
    header, path, query, refusal = (applied(functions, name) for name in ("header", "path", "query", "refuses"))
    assert isinstance(header, Request)
    assert ("x", "/a%20b", REQUEST.query) == (header.header("x-boot"), header.path, header.query)
    assert REQUEST._replace(path="/a%20b/\u00fc", headers=()) == path._replace(headers=())
    assert isinstance(query, Request)
    assert "a=1&a=2&b=2&c=" == query.query
    assert Response(403, {"x-why": "no"}, b"no") == refusal


def test_event_has_repeated_names_once() -> None:
    event = event_of(REQUEST, "d1.cloudfront.net")["request"]
    assert {"value": "1", "multiValue": [{"value": "1"}, {"value": "2"}]} == event["querystring"]["a"]
    assert {"value": "x", "multiValue": [{"value": "x"}, {"value": "y"}]} == event["headers"]["accept"]
    assert ({"k": {"value": "v"}}, {"value": ""}) == (event["cookies"], event["querystring"]["c"])


def test_function_over_ten_kilobytes_is_not_taken() -> None:
    with pytest.raises(FunctionError, match="10240"), viewer_functions(Written({"a": "x" * 10_241})):  # type: ignore[arg-type]
        raise AssertionError
