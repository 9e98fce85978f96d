"""The one table from the domain's errors to the response and the log level."""

from typing import NamedTuple

from lambda_matchbox.answers.errors import InvalidConfigError, RenderError
from lambda_matchbox.aws.catalog.items import UnwritableError
from lambda_matchbox.aws.clients.errors import AWSError
from lambda_matchbox.errors import (
    DocumentError,
    MatchboxError,
    NotFoundError,
    RefusedError,
    StoreUnavailableError,
    UndeliverableError,
    WaitingError,
)
from lambda_matchbox.golang.http.paths import to_bytes
from lambda_matchbox.http import Response
from lambda_matchbox.log_levels import ERROR, INFO, WARNING
from lambda_matchbox.secrets.stores import UnsafeSecretError


class Failure(NamedTuple):
    """The status of the response, and the level in the log."""

    status: int
    level: int


# iPXE and Ignition retry 5xx and take 4xx for final: only an error of the machine's request is 404.
FAILURES: dict[type[MatchboxError], Failure] = {
    NotFoundError: Failure(404, WARNING),
    StoreUnavailableError: Failure(503, ERROR),
    WaitingError: Failure(503, INFO),
    RefusedError: Failure(403, WARNING),
    UndeliverableError: Failure(500, ERROR),
    RenderError: Failure(500, ERROR),
    InvalidConfigError: Failure(500, ERROR),
    DocumentError: Failure(500, ERROR),
    UnsafeSecretError: Failure(500, ERROR),
    AWSError: Failure(500, ERROR),
    UnwritableError: Failure(500, ERROR),
}

_PLAIN = {"content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff"}
_NOT_FOUND = b"404 page not found\n"


def failure_for(error: MatchboxError) -> Failure:
    """The row of the table for this error's class, or for its nearest base class.

    Raises KeyError for an error that is not in the table.
    """
    for kind in type(error).__mro__:
        if kind in FAILURES:
            return FAILURES[kind]
    raise KeyError(type(error).__name__)


def error_response(error: MatchboxError) -> Response:
    """The response to a machine: one line, and never a Location, which iPXE would follow."""
    failure = failure_for(error)
    if failure.status == 404:
        return Response(404, _PLAIN | {"content-length": str(len(_NOT_FOUND))}, _NOT_FOUND)
    body = to_bytes(" ".join(str(error).split()) + "\n")
    headers = _PLAIN | {"content-length": str(len(body))}
    if failure.status == 503:
        # Machines of one rack make their requests at the same moment: their retries are spread.
        import random

        headers |= {"retry-after": str(random.randint(2, 10))}  # noqa: S311 (no secret)
    return Response(failure.status, headers, body)
