"""HTTP requests to registries and wherever they redirect."""

import ssl
import threading
from collections.abc import Mapping
from typing import NamedTuple

import urllib3
from urllib3.exceptions import HTTPError, SSLError

from lambda_matchbox.oci.distribution.guarded_connections import Guard, PlainPool, TlsPool
from lambda_matchbox.oci.distribution.origins import Location, NetworkZone, redirect_target
from lambda_matchbox.oci.distribution.paced_body import PacedBody
from lambda_matchbox.oci.distribution.retries import RetryPolicy, TransientError, parse_retry_after
from lambda_matchbox.oci.distribution.urllib3_reasons import reason
from lambda_matchbox.oci.errors import RegistryError

USER_AGENT = "lambda-matchbox"

MAX_REDIRECTS = 5

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_TOO_MANY_REQUESTS = 429
_SERVER_ERRORS = 500
_CONNECTIONS = 8
"""Idle connections per host."""
_MAX_POOLS = 32


class RegistryResponse(NamedTuple):
    """A response that is neither a redirect nor a transient failure.

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
        self._pools: dict[tuple[tuple[str, str, int], NetworkZone], urllib3.HTTPConnectionPool] = {}
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
            response = self._send(at, what, headers, "" if redirected else authorization, self._innermost(at, trusted))
            body = PacedBody(response, self._policy.read_timeout, what, at.name)
            if response.status not in _REDIRECTS:
                break
            target = response.headers.get("Location")
            body.discard()
            if not target:
                raise RegistryError(f"{what}: {at.name} answers {response.status} without a Location")
            try:
                at = redirect_target(at, target)
            except RegistryError as error:
                raise RegistryError(f"{what}: {at.name} redirects to a forbidden address: {error}") from error
            # Once another origin has redirected, the request is that one's and not ours.
            redirected = redirected or at.origin != location.origin
        else:
            raise RegistryError(f"{what}: {location.name} redirects more than {MAX_REDIRECTS} times")
        if response.status == _TOO_MANY_REQUESTS or response.status >= _SERVER_ERRORS:
            body.discard()
            retry_after = parse_retry_after(response.headers.get("Retry-After", ""))
            raise TransientError(f"{what}: {at.name} answers {response.status}", retry_after)
        return RegistryResponse(response.status, response.headers, body, at.name, redirected)

    def close(self) -> None:
        """Close all connections."""
        with self._lock:
            for pool in self._pools.values():
                pool.close()
            self._pools.clear()

    def _send(
        self, at: Location, what: str, headers: Mapping[str, str], authorization: str, innermost: NetworkZone
    ) -> urllib3.BaseHTTPResponse:
        sent = {"User-Agent": USER_AGENT, **headers}
        if authorization:
            sent["Authorization"] = authorization
        try:
            return self._pool(at, innermost).urlopen(
                "GET",
                at.target,
                headers=sent,
                retries=False,
                redirect=False,
                preload_content=False,
                decode_content=False,
                timeout=urllib3.Timeout(connect=self._policy.connect_timeout, read=self._policy.read_timeout),
            )
        except SSLError as error:
            if error.args and isinstance(error.args[0], ssl.SSLCertVerificationError):
                why = error.args[0].verify_message
                raise RegistryError(
                    f"{what}: the certificate of {at.name} is not trusted: {why}; for a private certificate "
                    "authority let SSL_CERT_FILE name a file with its certificate"
                ) from error
            raise TransientError(f"{what}: TLS handshake with {at.name} failed: {error}") from error
        except HTTPError as error:
            raise TransientError(f"{what}: no response from {at.name}: {reason(error)}") from error
        except RegistryError as error:
            raise RegistryError(f"{what}: {error}") from error

    def _innermost(self, at: Location, trusted: Location) -> NetworkZone:
        if at.origin == trusted.origin:
            return NetworkZone.LOCAL
        return self._zones.get(trusted.origin, NetworkZone.INTERNET)

    def _pool(self, at: Location, innermost: NetworkZone) -> urllib3.HTTPConnectionPool:
        key = (at.origin, innermost)
        with self._lock:
            if key not in self._pools:
                # A registry may name any number of hosts.
                while len(self._pools) >= _MAX_POOLS:
                    self._pools.pop(next(iter(self._pools))).close()
                self._pools[key] = self._new_pool(at, innermost)
            return self._pools[key]

    def _new_pool(self, at: Location, innermost: NetworkZone) -> urllib3.HTTPConnectionPool:
        def connected(zone: NetworkZone) -> None:
            # Of a host with several addresses the outermost counts.
            self._zones[at.origin] = min(zone, self._zones.get(at.origin, zone))

        guard = Guard(innermost, connected, self._policy.read_timeout)
        if at.scheme == "http":
            return PlainPool(at.host, at.port, maxsize=_CONNECTIONS, guard=guard)
        # Shared, since loading the system's certificate authorities takes as long as several handshakes.
        self._tls = self._tls or ssl.create_default_context()
        return TlsPool(at.host, at.port, maxsize=_CONNECTIONS, guard=guard, ssl_context=self._tls)
