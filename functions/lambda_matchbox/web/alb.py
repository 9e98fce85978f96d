"""The adapter of the load balancer (ALB): its event as a request, and a response as it takes one.

The target group has multi-value headers on: without it a repeated key keeps its last value, and matchbox's first
counts. The event holds no raw query: it is rebuilt from the undecoded parameters, so the interleaving of repeated keys,
empty pairs and `k` against `k=` are lost.
"""

import json
import re
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from lambda_matchbox.http import Request, Response

# The balancer appends the connection's address to the last of them.
_FORWARDED_FOR = "x-forwarded-for"
# A header folded over lines is one line (RFC 9112, section 5.2); no part of it may end a line of a response.
_FOLD = re.compile(r"[\r\n]+[ \t]*")
# The balancer takes a response of at most 1 MB, measured on the serialised JSON; a binary body costs a third more. This
# fits as a body whatever its bytes are, with room for the headers.
BODY_LIMIT = 720_000
# JSON writes a character as up to six for each of its bytes (`\\u0000`), Base64 four for three.
_FITS_AS_TEXT = BODY_LIMIT * 4 // 3 // 6


def request_from(event: Mapping[str, Any]) -> Request:
    """The request in the balancer's event, which has multi-value headers or not."""
    headers = event.get("multiValueHeaders") or _lists(event.get("headers"))
    query = event.get("multiValueQueryStringParameters") or _lists(event.get("queryStringParameters"))
    # A fragment never belongs to a request: it is not part of the last value.
    raw_query = "&".join([f"{key}={value}" for key, values in query.items() for value in values]).partition("#")[0]
    lines: dict[str, str] = {}
    for name, values in headers.items():
        if values:
            name = name.lower()
            # Of a repeated header the first value counts.
            lines[name] = one_line(values[-1 if name == _FORWARDED_FOR else 0])
    return Request(event.get("httpMethod") or "GET", event.get("path") or "/", raw_query, lines)


def _lists(values: Mapping[str, str] | None) -> dict[str, list[str]]:
    return {name: [value] for name, value in (values or {}).items()}


def one_line(value: str) -> str:
    """A header's value on one line."""
    return value if value.isprintable() else _FOLD.sub(" ", value)


def event_response(response: Response) -> dict[str, Any]:
    """The response in the balancer's form, including statusDescription."""
    return {
        "statusCode": response.status,
        "statusDescription": f"{response.status} {_phrase(response.status)}",
        "multiValueHeaders": {name: [value] for name, value in response.headers.items()},
        **event_body(response.body),
    }


def _phrase(status: int) -> str:
    if status == 200:
        return "OK"
    from http import HTTPStatus

    return HTTPStatus(status).phrase


def event_body(body: bytes) -> dict[str, Any]:
    """The fields of a Lambda function's response with its body."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        text = None
    if text is None or (len(body) > _FITS_AS_TEXT and len(json.dumps(text)) > len(body) * 4 // 3):
        # It is no text, or is shorter in Base64.
        return {"body": b64encode(body).decode("ascii"), "isBase64Encoded": True}
    return {"body": text, "isBase64Encoded": False}
