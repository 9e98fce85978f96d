"""From the domain's errors to what a machine is answered and the log says: one table."""

import logging
import random
from typing import NamedTuple

from lambda_matchbox.errors import (
    AnswerTooLargeError,
    MatchboxError,
    NotFoundError,
    StoreUnavailableError,
    UndeliverableError,
)
from lambda_matchbox.golang.http.paths import to_bytes
from lambda_matchbox.http import Response


class Failure(NamedTuple):
    """Status, and the level at which the log has it."""

    status: int
    level: int


# iPXE and Ignition retry 5xx and take 4xx for final, so only what a machine asked wrongly is 404.
FAILURES: dict[str, Failure] = {
    NotFoundError.__name__: Failure(404, logging.WARNING),
    StoreUnavailableError.__name__: Failure(503, logging.ERROR),
    AnswerTooLargeError.__name__: Failure(500, logging.ERROR),
    UndeliverableError.__name__: Failure(500, logging.ERROR),
    # Named, not imported: their modules load only where they are needed.
    "AWSError": Failure(500, logging.ERROR),
    "RenderError": Failure(500, logging.ERROR),
    "InvalidConfigError": Failure(500, logging.ERROR),
    "DocumentError": Failure(500, logging.ERROR),
    "UnwritableError": Failure(500, logging.ERROR),
}

_PLAIN = {"content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff"}
_NOT_FOUND = b"404 page not found\n"


def failure_of(error: MatchboxError) -> Failure:
    """The row of the table for this error's class, or for the nearest one above it.

    Raises KeyError for an error that the table lacks.
    """
    for kind in type(error).__mro__:
        if kind.__name__ in FAILURES:
            return FAILURES[kind.__name__]
    raise KeyError(type(error).__name__)


def answer_of(error: MatchboxError) -> Response:
    """What a machine is answered: never a Location, which iPXE would follow, and one line."""
    failure = failure_of(error)
    if failure.status == 404:
        return Response(404, _PLAIN | {"content-length": str(len(_NOT_FOUND))}, _NOT_FOUND)
    body = to_bytes(" ".join(str(error).split()) + "\n")
    headers = _PLAIN | {"content-length": str(len(body))}
    if failure.status == 503:
        # Machines of one rack ask at the same moment: they are not to come back at the same moment.
        headers |= {"retry-after": str(random.randint(2, 10))}  # noqa: S311 (no secret)
    return Response(failure.status, headers, body)
