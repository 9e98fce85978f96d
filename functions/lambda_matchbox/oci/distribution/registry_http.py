"""HTTP requests to registries and wherever they redirect."""

import socket
import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import NamedTuple

from lambda_matchbox.http_connection import HttpConnection
from lambda_matchbox.http_reasons import ResponseError, reason
from lambda_matchbox.oci.distribution.origins import Location, NetworkZone, admitted, redirect_target
from lambda_matchbox.oci.distribution.paced_body import PacedBody, within
from lambda_matchbox.oci.distribution.retries import RetryPolicy, TransientError, parse_retry_after
from lambda_matchbox.oci.errors import RegistryError

USER_AGENT = "lambda-matchbox"

MAX_REDIRECTS = 5

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_TOO_MANY_REQUESTS = 429
_SERVER_ERRORS = 500
_CONNECTIONS = 8
"""Idle ones that are kept per host."""
_MAX_HOSTS = 32


class RegistryResponse(NamedTuple):
    """A response that is neither a redirect nor a transient failure; names of headers are in lower case.

    `host` sent it; `redirected` says that this is another origin than the requested one.
    """

    status: int
    headers: Mapping[str, str]
    body: PacedBody
    host: str
    redirected: bool


class RegistryHttp:
    """An HTTP client with persistent connections; for any number of threads."""

    def __init__(self, retry_policy: RetryPolicy) -> None:
        self._policy = retry_policy
        self._kept: dict[tuple[tuple[str, str, int], NetworkZone], list[HttpConnection]] = {}
        self._zones: dict[tuple[str, str, int], NetworkZone] = {}
        self._lock = threading.Lock()
        self._tls: ssl.SSLContext | None = None

    def get(
        self,
        location: Location,
        what: str,
        headers: Mapping[str, str],
        authorization: str = "",
        *,
        named_by: Location | None = None,
    ) -> RegistryResponse:
        """The response to a GET, whose body the caller closes. Errors begin with `what`.

        The authorization is sent to the origin of `location` only. Where no operator but a registry named the location,
        that registry is `named_by`. Raises TransientError for a failure that may pass by itself, else RegistryError.
        """
        trusted = named_by or location
        at, redirected = location, False
        for _ in range(MAX_REDIRECTS + 1):
            innermost = self._innermost(at, trusted)
            status, received, body = self._send(at, what, headers, "" if redirected else authorization, innermost)
            if status not in _REDIRECTS:
                break
            target = received.get("location")
            body.discard()
            if not target:
                raise RegistryError(f"{what}: {at.name} answers {status} without a Location")
            try:
                at = redirect_target(at, target)
            except RegistryError as error:
                raise RegistryError(f"{what}: {at.name} redirects to a forbidden address: {error}") from error
            # Once another origin has redirected, the request is that one's and not ours.
            redirected = redirected or at.origin != location.origin
        else:
            raise RegistryError(f"{what}: {location.name} redirects more than {MAX_REDIRECTS} times")
        if status == _TOO_MANY_REQUESTS or status >= _SERVER_ERRORS:
            body.discard()
            retry_after = parse_retry_after(received.get("retry-after", ""))
            raise TransientError(f"{what}: {at.name} answers {status}", retry_after)
        return RegistryResponse(status, received, body, at.name, redirected)

    def close(self) -> None:
        """Close all connections."""
        with self._lock:
            for kept in self._kept.values():
                _close(kept)
            self._kept.clear()

    def __del__(self) -> None:
        # Functions and most tests just let go of it.
        self.close()

    def _send(
        self, at: Location, what: str, headers: Mapping[str, str], authorization: str, innermost: NetworkZone
    ) -> tuple[int, Mapping[str, str], PacedBody]:
        """Status, headers and body of the response, of which the head comes within the read timeout."""
        sent = {"User-Agent": USER_AGENT, **headers}
        if authorization:
            sent["Authorization"] = authorization
        kept = self._connections(at, innermost)
        connection = self._kept_connection(kept) or self._new_connection(at, what, innermost)
        try:
            connection.send("GET", at.target, sent, None, self._policy.read_timeout)
            status, received = connection.begin("GET", within(self._policy.read_timeout))
        except (OSError, ResponseError) as error:
            connection.close()
            raise TransientError(f"{what}: no response from {at.name}: {reason(error)}") from error

        def release() -> None:
            if connection.is_open and len(kept) < _CONNECTIONS:
                kept.append(connection)
            else:
                connection.close()

        return status, received, PacedBody(connection, release, self._policy.read_timeout, what, at.name)

    def _kept_connection(self, kept: list[HttpConnection]) -> HttpConnection | None:
        """One that the server has not closed."""
        # Until there is none, or another thread has taken it.
        with suppress(IndexError):
            while (connection := kept.pop()).is_stale():
                connection.close()
            return connection
        return None

    def _new_connection(self, at: Location, what: str, innermost: NetworkZone) -> HttpConnection:
        def check(peer: socket.socket) -> None:
            zone = admitted(at, str(peer.getpeername()[0]), innermost)
            # Of a host with several addresses the outermost counts.
            self._zones[at.origin] = min(zone, self._zones.get(at.origin, zone))

        if at.scheme == "https":
            # Shared, since loading the system's certificate authorities takes as long as several handshakes.
            self._tls = self._tls or ssl.create_default_context()
        try:
            tls = self._tls if at.scheme == "https" else None
            return HttpConnection(at.name, self._policy.connect_timeout, tls, check)
        except ssl.SSLCertVerificationError as error:
            raise RegistryError(
                f"{what}: the certificate of {at.name} is not trusted: {error.verify_message}; for a private "
                "certificate authority let SSL_CERT_FILE name a file with its certificate"
            ) from error
        except ssl.SSLError as error:
            raise TransientError(f"{what}: TLS handshake with {at.name} failed: {error}") from error
        except OSError as error:
            timed_out = isinstance(error, TimeoutError) and error.errno is None
            why = "no connection within the time limit" if timed_out else reason(error)
            raise TransientError(f"{what}: no response from {at.name}: {why}") from error
        except UnicodeError as error:
            raise RegistryError(f"{what}: invalid host {at.host!r}") from error
        except RegistryError as error:
            raise RegistryError(f"{what}: {error}") from error

    def _innermost(self, at: Location, trusted: Location) -> NetworkZone:
        if at.origin == trusted.origin:
            return NetworkZone.LOCAL
        return self._zones.get(trusted.origin, NetworkZone.INTERNET)

    def _connections(self, at: Location, innermost: NetworkZone) -> list[HttpConnection]:
        """Those that are kept for requests to this origin; a list is safe for threads."""
        with self._lock:
            # A registry may name any number of hosts.
            while len(self._kept) >= _MAX_HOSTS and (at.origin, innermost) not in self._kept:
                _close(self._kept.pop(next(iter(self._kept))))
            return self._kept.setdefault((at.origin, innermost), [])


def _close(kept: list[HttpConnection]) -> None:
    with suppress(IndexError):
        while True:
            kept.pop().close()
