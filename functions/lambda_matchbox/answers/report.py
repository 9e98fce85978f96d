"""The response of /report: the installer's word that an installation is done, or has failed and why."""

from lambda_matchbox.catalog.control_characters import CONTROL
from lambda_matchbox.catalog.labels import Query
from lambda_matchbox.errors import RefusedError
from lambda_matchbox.golang.http.content_type import TEXT
from lambda_matchbox.golang.http.paths import parse_query
from lambda_matchbox.http import Response

ROUTE = "/report"

MAX_MESSAGE = 1024
"""Characters that are kept of a message."""


def respond(query: Query) -> Response:
    """The response. Raises RefusedError for an unknown state."""
    failure_in(query)
    return Response.of(b"reported\n", TEXT)


def failure_in(query: Query) -> str | None:
    """The message of a failure; None for the state `installed`, which counts without one. Raises RefusedError.

    Line breaks and other control characters of the message become blanks.
    """
    # Not from the labels, in which a value that is not plain counts as absent.
    values = dict(reversed(parse_query(query.raw)))
    match values.get("state", "installed"):
        case "installed":
            return None
        case "failed":
            message = values.get("message", "")
            return CONTROL.sub(" ", message.encode("utf-8", "replace").decode()[:MAX_MESSAGE]) or "no reason given"
        case _:
            raise RefusedError("the state of a report is installed or failed")
