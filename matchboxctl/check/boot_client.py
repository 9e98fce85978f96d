"""How does a boot client fetch an address? As iPXE does: one GET, and wherever a Location leads.

Nothing is tried again: an operator wants to see what a machine would meet.
"""

import re
from collections.abc import Callable
from contextlib import closing
from http.client import HTTPException
from urllib.parse import quote, urljoin, urlsplit

import urllib3
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    LocationValueError,
    NameResolutionError,
    NewConnectionError,
    ReadTimeoutError,
    SSLError,
)

_PIECE = 1 << 18
_HOPS = 10  # iPXE has no limit, and a loop no end
_SHOWN = 1000  # bytes of a refusal's body
_S3_CODE = re.compile(r"<Code>(\w+)</Code>")
_NO_CLEAN_TEXT = re.compile(r"[\x00-\x20\x7f-\x9f]+")
# What stands in a request line as it is: an address is as its author has escaped it.
_AS_IT_IS = "!#$%&'()*+,/:;=?@[]~"
_STATUS = {
    403: "the signature has ended, or a policy of the bucket refuses it",
    502: "the function failed, was not let in or was too slow: see its log and its alarms",
    503: "table, bucket or function are away or throttled: try again, and see the function's log",
    504: "the function did not answer in time: see its log",
}


class FetchError(Exception):
    """The address does not give what a machine needs: one line that says why, and where to look."""


class AbsentError(FetchError):
    """The answer was 404."""


class BootClient:
    """Asks with one User-Agent; `silence` is how many seconds the other side may be silent."""

    def __init__(self, user_agent: str, silence: float) -> None:
        self._headers = {"User-Agent": user_agent, "Connection": "close"}
        self._silence = silence
        self._pools = urllib3.PoolManager()

    def fetch(self, url: str, take: Callable[[bytes], object]) -> str:
        """Give the body to `take`, piece by piece; the address that it came from in the end.

        Raises FetchError, and what `take` raises.
        """
        for _ in range(_HOPS):
            location = self._attempt(url, take)
            if location is None:
                return url
            target = joined(url, location)
            if urlsplit(target).scheme not in ("http", "https"):
                raise FetchError(f"it redirects to {place(target)}, which is no web server")
            url = target
        raise FetchError(f"it redirects more than {_HOPS} times, at last to {place(url)}")

    def text(self, url: str, limit: int) -> tuple[str, str]:
        """A short body as text, and the address that it came from. Raises FetchError."""
        pieces = bytearray()

        def take(piece: bytes) -> None:
            pieces.extend(piece)
            if len(pieces) > limit:
                raise FetchError(f"it has more than {limit:,} bytes")

        end = self.fetch(url, take)
        return pieces.decode("utf-8", "replace"), end

    def close(self) -> None:
        """Close what is open."""
        self._pools.clear()

    def _attempt(self, url: str, take: Callable[[bytes], object]) -> str | None:
        """Where the answer leads; None where it is the body, which `take` was given."""
        try:
            with closing(self._asked(url)) as response:
                location = response.headers.get("location")
                if 200 <= response.status < 300:
                    while piece := response.read(_PIECE, decode_content=False):
                        take(piece)
                    return None
                if location is not None:
                    return location
                body = response.read(_SHOWN, decode_content=False)
                raise _refusal(response.status, body, place(url))
        except (HTTPError, LocationValueError, HTTPException, OSError) as error:
            raise FetchError(self._explained(error, url)) from error
        finally:
            # Servers close without saying so, and then a connection that was kept is none.
            self.close()

    def _asked(self, url: str) -> urllib3.BaseHTTPResponse:
        parts = urlsplit(url)
        target = quote((parts.path or "/") + (f"?{parts.query}" if parts.query else ""), safe=_AS_IT_IS)
        # The pool is asked, not the manager, which would resolve `.` and `..` in a signed path.
        return self._pools.connection_from_url(f"{parts.scheme}://{parts.netloc}").urlopen(
            "GET",
            target,
            headers=self._headers,
            retries=False,
            redirect=False,
            preload_content=False,
            decode_content=False,
            timeout=urllib3.Timeout(connect=self._silence, read=self._silence),
        )

    def _explained(self, error: Exception, url: str) -> str:
        where, host = place(url), urlsplit(url).hostname
        match error:
            case NameResolutionError():
                return f"the name {host!r} cannot be resolved: is it spelled as the stack's output has it?"
            case NewConnectionError() if isinstance(error.__cause__, ConnectionRefusedError):
                return f"{where} refuses the connection: nothing listens on that port"
            case NewConnectionError():
                return f"{where} cannot be reached: {_line(str(error.__cause__ or error))}"
            case ConnectTimeoutError():
                return (
                    f"no connection to {where} within {self._silence:g} s: a security group that does not let this "
                    "machine in is silent like this, and so is an internal balancer outside its network"
                )
            case ReadTimeoutError():
                return f"{where} is connected, and silent for {self._silence:g} s: see the function's log"
            case SSLError():
                return f"{where} cannot be trusted: {_line(str(error))}"
        return f"{where}: {type(error).__name__}: {_line(str(error))}"


def joined(base: str, address: str) -> str:
    """The address as it is meant where it stands. Raises FetchError."""
    try:
        return urlsplit(urljoin(base, address)).geturl()
    except ValueError as error:
        raise FetchError(f"{address!r} is no address: {error}") from error


def place(url: str) -> str:
    """Scheme and host of an address, without its query, which may be a signature."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _refusal(status: int, body: bytes, where: str) -> FetchError:
    text = body.decode("utf-8", "replace")
    if status == 404:
        return AbsentError(f"404 from {where}")
    code = _S3_CODE.search(text)
    said = code[1] if code else "" if text.lstrip().startswith("<") else _line(text)
    return FetchError(": ".join(part for part in (f"{status} from {where}", said, _STATUS.get(status, "")) if part))


def _line(text: str) -> str:
    return _NO_CLEAN_TEXT.sub(" ", text).strip()
