"""The load balancer's event as a request, and an answer as the balancer wants it.

The target group has multi-value headers on: without it a repeated key keeps its last value, and matchbox's first
counts. The event holds no raw query: it is rebuilt from the undecoded parameters, so the interleaving of repeated keys,
empty pairs and `k` against `k=` are lost.
"""

import json
import re
from base64 import b64encode
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from lambda_matchbox.http import Request, Response

# The balancer takes an answer of at most 1 MB, measured on the serialised JSON; a binary body costs a third more.
ANSWER_LIMIT = 1_000_000
# The front end streams what this header names in the place of the (empty) body.
ACCEL_REDIRECT = "x-accel-redirect"
# A header folded over lines is one line (RFC 9112, section 5.2); no part of it may end a line of an answer.
_FOLD = re.compile(r"[\r\n]+[ \t]*")
# What fits as a body whatever its bytes are, with room for the headers.
BODY_LIMIT = 720_000
# JSON writes a character as up to six for each of its bytes (`\\u0000`), Base64 four for three.
_FITS_AS_TEXT = BODY_LIMIT * 4 // 3 // 6


def request_of(event: Mapping[str, Any]) -> Request:
    """The request that the balancer's event holds, with multi-value headers or without."""
    single_headers = {name: [value] for name, value in (event.get("headers") or {}).items()}
    headers = event.get("multiValueHeaders") or single_headers
    single_query = {key: [value] for key, value in (event.get("queryStringParameters") or {}).items()}
    query = event.get("multiValueQueryStringParameters") or single_query
    # A fragment never belongs to a request; what stands behind it is not part of the last value.
    raw_query = "&".join(f"{key}={value}" for key, values in query.items() for value in values).partition("#")[0]
    return Request(
        method=event.get("httpMethod") or "GET",
        path=event.get("path") or "/",
        raw_query=raw_query,
        headers={name.lower(): _FOLD.sub(" ", values[0]) for name, values in headers.items() if values},
    )


def event_answer(answer: Response) -> dict[str, Any]:
    """The answer in the form that the balancer asks for, statusDescription included."""
    try:
        phrase = HTTPStatus(answer.status).phrase
    except ValueError:
        phrase = "Unknown"
    text = _text(answer.body)
    return {
        "statusCode": answer.status,
        "statusDescription": f"{answer.status} {phrase}",
        "multiValueHeaders": {name: [value] for name, value in answer.headers.items()},
        "body": b64encode(answer.body).decode("ascii") if text is None else text,
        "isBase64Encoded": text is None,
    }


def _text(body: bytes) -> str | None:
    """The body as it stands in JSON; None for one that is no text, or shorter in Base64."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return None
    if len(body) > _FITS_AS_TEXT and len(json.dumps(text)) > len(body) * 4 // 3:
        return None
    return text
