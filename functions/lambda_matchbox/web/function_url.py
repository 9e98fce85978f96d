"""The adapter of a Lambda function URL behind CloudFront: its event, payload 2.0, as a request, and a response.

The distribution's own function writes the client's address and the distribution's name into two headers, in place of
what the client sent there. Only CloudFront may invoke the function URL, so both are trusted, in this payload only.
"""

from collections.abc import Mapping
from typing import Any

from lambda_matchbox.http import Request, Response
from lambda_matchbox.web.alb import event_body, one_line

_VIEWER, _HOST = "x-boot-viewer", "x-boot-host"


def sent(event: Mapping[str, Any]) -> bool:
    """Whether a function URL sent the event."""
    return event.get("version") == "2.0"


def request_from(event: Mapping[str, Any]) -> Request:
    """The request in the event, whose path and query are as CloudFront received them.

    Which scheme the client used is not known: addresses are made with https, which every distribution serves.
    """
    headers = {name.lower(): one_line(value) for name, value in event["headers"].items()}
    known = {
        "host": headers.pop(_HOST, ""),
        "x-forwarded-for": headers.pop(_VIEWER, ""),
        "x-forwarded-proto": "https",
    }
    return Request(
        method=event["requestContext"]["http"]["method"],
        path=event["rawPath"] or "/",
        # A fragment never belongs to a request.
        raw_query=event["rawQueryString"].partition("#")[0],
        headers=headers | known,
    )


def event_response(response: Response) -> dict[str, Any]:
    """The response in payload form. What the function makes belongs to one machine, and is never cached."""
    return {
        "statusCode": response.status,
        "headers": {"cache-control": "no-store", **response.headers},
        **event_body(response.body),
    }
