"""The usual response, sent with less than half of the work of aiohttp's class for any response."""

from collections.abc import Mapping
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from time import time
from typing import Any

from aiohttp import HttpVersion11, web
from multidict import CIMultiDict

from lambda_matchbox.http import Response

_NEEDED = {"content-length", "content-type"}


class _Sent(web.StreamResponse):
    """What aiohttp gets of a response that is sent already, over a connection that stays open."""

    keep_alive = True

    async def prepare(self, request: web.BaseRequest) -> None:
        """There is nothing to prepare."""

    async def write_eof(self, data: Any = b"") -> None:
        """There is nothing to end."""


_SENT = _Sent()


def is_usual(http: web.BaseRequest, response: Response) -> bool:
    """Whether HTTP has no rules of its own for the response, and its connection stays open."""
    return (
        response.status == HTTPStatus.OK
        and http.method == "GET"
        and http.keep_alive
        and http.version == HttpVersion11
        and response.headers.keys() >= _NEEDED
    )


async def send_usual(http: web.BaseRequest, headers: Mapping[str, str], body: bytes) -> web.StreamResponse:
    """Send the response with these headers and a date."""
    dated = CIMultiDict(headers, Date=_date(int(time())))
    await http.writer.write_headers("HTTP/1.1 200 OK", dated)
    await http.writer.write_eof(body)
    return _SENT


@lru_cache(maxsize=1)
def _date(seconds: int) -> str:
    return formatdate(seconds, usegmt=True)
