"""A request and a response of matchbox's HTTP API, as every layer sees them."""

from collections.abc import Mapping
from typing import NamedTuple


class Request(NamedTuple):
    """An HTTP request: `path` and `raw_query` are not decoded; the first value of each header, in lower case."""

    method: str
    path: str
    raw_query: str
    headers: Mapping[str, str]

    @property
    def origin(self) -> str:
        """Scheme and host as the client addressed them."""
        return f"{self.headers.get('x-forwarded-proto', 'http')}://{self.headers.get('host', '')}"


class Response(NamedTuple):
    """Status, headers (names in lower case) and body."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""
