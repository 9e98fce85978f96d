"""Errors as pages."""

import sys
import traceback
from collections.abc import Mapping
from http import HTTPStatus

from aiohttp import web
from aiohttp.typedefs import Handler

from lambda_matchbox.errors import MatchboxError, StoreUnavailableError
from matchboxctl.cli.errors import CommandError, MissingError, UsageError
from matchboxctl.console.templates import page

_TITLES: Mapping[int, str] = {
    HTTPStatus.BAD_GATEWAY: "It did not work",
    HTTPStatus.SERVICE_UNAVAILABLE: "The store does not answer",
}


@web.middleware
async def failures(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer an error with a page that says what is wrong and what to do."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < HTTPStatus.BAD_REQUEST:
            raise
        return _page(request, error.status, error.text or "")
    except (CommandError, MatchboxError) as error:
        return _page(request, _status(error), str(error))
    except Exception:  # noqa: BLE001 (a page says so, and the next request is answered)
        traceback.print_exc(file=sys.stderr)
        return _page(request, HTTPStatus.INTERNAL_SERVER_ERROR, "this console has a fault: see its standard error")


def _status(error: Exception) -> HTTPStatus:
    match error:
        case MissingError():
            return HTTPStatus.NOT_FOUND
        case UsageError():
            return HTTPStatus.BAD_REQUEST
        case StoreUnavailableError():
            return HTTPStatus.SERVICE_UNAVAILABLE
        case _:
            return HTTPStatus.BAD_GATEWAY


def _page(request: web.Request, status: int, reason: str) -> web.Response:
    if status == HTTPStatus.NOT_FOUND and reason == f"{status}: Not Found":
        reason = "there is no such page"
    return page(
        request, "error.html", status=status, title=_TITLES.get(status) or HTTPStatus(status).phrase, reason=reason
    )
