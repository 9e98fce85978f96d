"""Requests and responses of matchbox's HTTP API, from the load balancer's adapter to the answer and back."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple, Protocol

from lambda_matchbox.golang.http.content import Span

if TYPE_CHECKING:
    from pathlib import Path


class Request(NamedTuple):
    """An HTTP request: `path` and `raw_query` are not decoded; one value of each header, by lower-case name."""

    method: str
    path: str
    raw_query: str
    headers: Mapping[str, str]

    @property
    def origin(self) -> str:
        """Scheme and host as the client addressed them."""
        return f"{self.headers.get('x-forwarded-proto', 'http')}://{self.headers.get('host', '')}"

    @property
    def client_address(self) -> str:
        """The address of the connection: what stands before the last comma is the client's own word."""
        # An IPv6 socket shows IPv4 addresses as ::ffff:10.0.0.5.
        return self.headers.get("x-forwarded-for", "").rpartition(",")[2].strip().removeprefix("::ffff:")


class FileBody(NamedTuple):
    """A body that the server streams from a local file: spans of the file, and text between them."""

    path: "Path"
    pieces: tuple[Span | bytes, ...]


class Response(NamedTuple):
    """An HTTP response; header names are in lower case.

    Of a `ranged` body a Range header selects parts. `file` replaces the body. `report` has lines for the log, which
    also shows `release`, the one that a script's addresses name. What `holds_secret` is stored nowhere.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = b""
    ranged: bool = False
    file: FileBody | None = None
    report: tuple[str, ...] = ()
    release: str = ""
    holds_secret: bool = False

    @classmethod
    def of(cls, body: bytes, content_type: str, *, ranged: bool = False, report: tuple[str, ...] = ()) -> "Response":
        """Status 200 with the body."""
        headers = {"content-type": content_type, "content-length": str(len(body))}
        return cls(200, headers, body, ranged, None, report)

    def with_secret(self) -> "Response":
        """This response as one that holds a secret."""
        return self._replace(headers={**self.headers, "cache-control": "no-store"}, holds_secret=True)

    @classmethod
    def redirect(cls, status: int, location: str) -> "Response":
        """A redirect without a body."""
        return cls(status, {"location": location, "content-length": "0"})


class ResponseStore(Protocol):
    """Stores response bodies that the load balancer cannot carry."""

    def put(self, body: bytes, content_type: str, origin: str) -> str:
        """Store the body for some hours at least, and return an address that serves it.

        `origin` is scheme and host as the client addressed them. Raises StoreUnavailableError.
        """
