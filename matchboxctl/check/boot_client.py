"""A client that fetches addresses as iPXE does: one GET, and any Location is followed.

Nothing is retried, so that the operator sees what a machine would see. Configurations are requested by HEAD first, and
by GET only where that is no delivery, which would be the machine's.
"""

import re
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection, IncompleteRead
from urllib.parse import quote, unquote, urljoin, urlsplit

from lambda_matchbox.catalog.templates import TEMPLATE_KINDS
from lambda_matchbox.http_reasons import reason
from lambda_matchbox.web.delivery import DELIVERING_GROUP, VERDICT

_CONFIGURATIONS = (*TEMPLATE_KINDS, "metadata")
_CHUNK = 1 << 18
_MAX_REDIRECTS = 10  # iPXE has no limit, and a loop would not end
_MAX_ERROR_BODY = 1000
_S3_CODE = re.compile(r"<Code>(\w+)</Code>")
_OVER_HTTPS = (*_CONFIGURATIONS, "report")
_BY_CLOUDFRONT = "x-amz-cf-id"
# What the distribution's function says (template.yaml, DoorFunction).
_OF_DOOR = "is in no network of AllowedCidrs"
_CONTROL_OR_SPACE = re.compile(r"[\x00-\x20\x7f-\x9f]+")
# Not escaped in a request line: an address is escaped by its author.
_SAFE = "!#$%&'()*+,/:;=?@[]~"
_STATUS = {
    403: "the signature has expired, or a bucket policy denies access",
    502: "the function failed, could not be invoked or timed out: see its log and its alarms",
    503: "the table, bucket or function is unavailable or throttled: try again, and see the function's log",
    504: "the function timed out: see its log",
}


class FetchError(Exception):
    """The address does not serve what a machine needs: the reason in one line."""


class AbsentError(FetchError):
    """The response was 404."""


class GateError(FetchError):
    """The gate of boot policies let nothing through: its verdict, such as `wait`, and why; empty if it is not told."""

    def __init__(self, verdict: str, reason: str, group: str) -> None:
        self.verdict, self.reason, self.group = verdict, reason, group
        super().__init__(f"the boot policy's verdict is {verdict}: {reason}")


class DeliveryError(FetchError):
    """The configuration is there, but the group would count its GET as a delivery."""

    def __init__(self, group: str) -> None:
        self.group = group
        super().__init__(f"there, not fetched: group {group} would count it as delivered to this machine")


class BootClient:
    """Makes requests with one User-Agent; `timeout` is for a connection and for each read, in seconds."""

    def __init__(self, user_agent: str, timeout: float) -> None:
        self._headers = {"User-Agent": user_agent, "Connection": "close"}
        self._timeout = timeout
        self._behind_cloudfront: set[str] = set()

    def fetch(self, url: str, take: Callable[[bytes], object], begin: Callable[[int], object] = int) -> str:
        """Pass the body to `take`, piece by piece, and its size to `begin`, 0 if unknown; returns the final address.

        Raises FetchError, and the errors of `take`.
        """
        for _ in range(_MAX_REDIRECTS):
            location = self._attempt(url, take, begin)
            if location is None:
                return url
            target = resolve(url, location)
            if urlsplit(target).scheme not in ("http", "https"):
                raise FetchError(f"redirected to {origin(target)}, which is not a web server")
            url = target
        raise FetchError(f"more than {_MAX_REDIRECTS} redirects, the last to {origin(url)}")

    def body(self, url: str, limit: int) -> tuple[bytes, str]:
        """A short body, and its final address. Raises FetchError."""
        pieces = bytearray()

        def take(piece: bytes) -> None:
            pieces.extend(piece)
            if len(pieces) > limit:
                raise FetchError(f"more than {limit:,} bytes")

        end = self.fetch(url, take)
        return bytes(pieces), end

    def is_behind_cloudfront(self, url: str) -> bool:
        """Whether the server of the address has responded through CloudFront."""
        return origin(url) in self._behind_cloudfront

    def head(self, url: str) -> HTTPResponse:
        """The response to HEAD, closed; no Location is followed. Raises FetchError."""
        with self._response("HEAD", url) as response:
            return response

    def _attempt(self, url: str, take: Callable[[bytes], object], begin: Callable[[int], object]) -> str | None:
        """The Location of the response; None if `take` got its body."""
        if urlsplit(url).path.rpartition("/")[2] in _CONFIGURATIONS:
            _check_delivery(self.head(url))
        with self._response("GET", url) as response:
            location = response.headers.get("location")
            if 200 <= response.status < 300:
                size = response.headers.get("content-length", "")
                begin(int(size) if size.isascii() and size.isdigit() else 0)
                _check_verdict(response)
                while piece := response.read(_CHUNK):
                    take(piece)
                # read() of a part does not tell an early end.
                if response.length:
                    raise IncompleteRead(b"", response.length)
                return None
            if location is not None:
                return location
            _check_verdict(response)
            body = response.read(_MAX_ERROR_BODY)
            if response.status == 403 and self.is_behind_cloudfront(url) and (why := _refused_at_the_edge(url, body)):
                raise FetchError(f"403 from {origin(url)}: {why}")
            raise _refusal(response.status, body, origin(url))

    @contextmanager
    def _response(self, method: str, url: str) -> Iterator[HTTPResponse]:
        """The response, over a connection of its own, since servers close idle ones without notice."""
        parts = urlsplit(url)
        target = quote((parts.path or "/") + (f"?{parts.query}" if parts.query else ""), safe=_SAFE)
        with closing(self._connection(url)) as connection:
            try:
                connection.connect()
            except OSError as error:
                # There is a socket once TLS begins.
                why = self._broken(error, url) if connection.sock else self._unreachable(error, url)
                raise FetchError(why) from error
            try:
                connection.request(method, target, headers=self._headers)
                with connection.getresponse() as response:
                    if _BY_CLOUDFRONT in response.headers:
                        self._behind_cloudfront.add(origin(url))
                    yield response
            except (OSError, HTTPException) as error:
                raise FetchError(self._broken(error, url)) from error

    def _connection(self, url: str) -> HTTPConnection:
        try:
            parts = urlsplit(url)
            # An interface's name is escaped; no part of a name is empty.
            host = unquote(parts.hostname or "").encode("idna").decode()
            if not host:
                raise ValueError
            kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
            return kind(host, kind.default_port if parts.port is None else parts.port, timeout=self._timeout)
        except (ValueError, HTTPException) as error:
            raise FetchError(f"{origin(url)} is no address of a server") from error

    def _unreachable(self, error: OSError, url: str) -> str:
        where, host = origin(url), urlsplit(url).hostname
        match error:
            case socket.gaierror():
                return f"the name {host!r} cannot be resolved: check its spelling; on AWS, the stack's outputs have it"
            case ConnectionRefusedError():
                return f"{where} refuses the connection: no server listens on that port"
            case TimeoutError():
                return (
                    f"no connection to {where} within {self._timeout:g} s: a security group may drop this machine's "
                    "packets, or the balancer may be internal to another network"
                )
        return f"{where} cannot be reached: {reason(error)}"

    def _broken(self, error: OSError | HTTPException, url: str) -> str:
        match error:
            case TimeoutError():
                return f"{origin(url)} sent nothing for {self._timeout:g} s: see the function's log"
            case ssl.SSLError():
                return f"{origin(url)}: TLS failed: {reason(error)}"
        return f"{origin(url)} ended the connection before the whole response was sent"


def resolve(base: str, address: str) -> str:
    """The address, relative to `base`. Raises FetchError."""
    try:
        return urlsplit(urljoin(base, address)).geturl()
    except ValueError as error:
        raise FetchError(f"invalid address {address!r}: {error}") from error


def origin(url: str) -> str:
    """Scheme and host of an address, without its password, and its query, which may contain a signature."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _check_delivery(response: HTTPResponse) -> None:
    """Raise GateError or DeliveryError if a GET might be a delivery."""
    if group := response.headers.get(DELIVERING_GROUP):
        _check_verdict(response)
        raise DeliveryError(unquote(group))


def _check_verdict(response: HTTPResponse) -> None:
    verdict, _, reason = response.headers.get(VERDICT, "").partition(": ")
    if verdict not in ("", "allow"):
        raise GateError(_line(verdict), _line(reason), unquote(response.headers.get(DELIVERING_GROUP, "")))


def _refused_at_the_edge(url: str, body: bytes) -> str:
    """Why CloudFront itself refuses the request; empty if it has passed an origin's refusal on."""
    text = body.decode("utf-8", "replace")
    if _OF_DOOR in text:
        return _line(text)
    is_own_page = text.lstrip().startswith("<")
    if is_own_page and url.startswith("http://") and urlsplit(url).path.rpartition("/")[2] in _OVER_HTTPS:
        return "CloudFront gives configurations over https only: begin the address with https://, or ${base}"
    return ""


def _refusal(status: int, body: bytes, where: str) -> FetchError:
    text = body.decode("utf-8", "replace")
    if status == 404:
        return AbsentError(f"404 from {where}")
    code = _S3_CODE.search(text)
    said = code[1] if code else "" if text.lstrip().startswith("<") else _line(text)
    return FetchError(": ".join(part for part in (f"{status} from {where}", said, _STATUS.get(status, "")) if part))


def _line(text: str) -> str:
    return _CONTROL_OR_SPACE.sub(" ", text).strip()
