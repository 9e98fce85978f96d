"""One request to a registry and wherever it leads: redirects, broken connections, refusals that pass."""

import ssl
import threading
from collections.abc import Mapping
from typing import NamedTuple

import urllib3
from urllib3.exceptions import HTTPError, SSLError

from lambda_matchbox.oci.distribution.guarded_connections import Guard, PlainPool, TlsPool
from lambda_matchbox.oci.distribution.origins import Place, Reach, led_to
from lambda_matchbox.oci.distribution.paced_body import PacedBody
from lambda_matchbox.oci.distribution.patience import Patience, TransientError, asked_pause
from lambda_matchbox.oci.errors import RegistryError

USER_AGENT = "lambda-matchbox"

MOST_REDIRECTS = 5
"""Redirects that one request follows."""

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_TOO_MANY_REQUESTS = 429
_SERVER_ERRORS = 500
_CONNECTIONS = 8
"""Kept for each host; more are made where they are needed."""
_MOST_POOLS = 32


class Reply(NamedTuple):
    """An answer that is no redirect, and no refusal that may pass.

    `host` is who gives it; `moved` says that this is another origin than the one that was asked.
    """

    status: int
    headers: Mapping[str, str]
    body: PacedBody
    host: str
    moved: bool


class RegistryHttp:
    """Connections that are kept between requests; for any number of threads."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._pools: dict[tuple[tuple[str, str, int], Reach], urllib3.HTTPConnectionPool] = {}
        self._reaches: dict[tuple[str, str, int], Reach] = {}
        self._lock = threading.Lock()
        self._tls: ssl.SSLContext | None = None

    def ask(
        self,
        start: Place,
        what: str,
        headers: Mapping[str, str],
        authorization: str = "",
        *,
        led_by: Place | None = None,
    ) -> Reply:
        """The answer to a GET; its body is to be closed by who asks. Errors begin with `what` is wanted.

        The authorization goes to the origin of `start` only. Where `start` is not what an operator named, `led_by` is
        the registry that named it.
        Raises TransientError for what may pass by itself, RegistryError for what may not.
        """
        home = led_by or start
        at, moved = start, False
        for _ in range(MOST_REDIRECTS + 1):
            response = self._send(at, what, headers, "" if moved else authorization, self._farthest(at, home))
            body = PacedBody(response, self._patience.silence, what, at.name)
            if response.status not in _REDIRECTS:
                break
            location = response.headers.get("Location")
            body.dismiss()
            if not location:
                raise RegistryError(f"{what}: {at.name} answers {response.status} without saying where to go")
            try:
                at = led_to(at, location)
            except RegistryError as error:
                raise RegistryError(f"{what}: {at.name} redirects where nothing is asked: {error}") from error
            # For good: what comes back from elsewhere is that one's request, not ours.
            moved = moved or at.origin != start.origin
        else:
            raise RegistryError(f"{what}: {start.name} redirects more than {MOST_REDIRECTS} times")
        if response.status == _TOO_MANY_REQUESTS or response.status >= _SERVER_ERRORS:
            body.dismiss()
            pause = asked_pause(response.headers.get("Retry-After", ""))
            raise TransientError(f"{what}: {at.name} answers {response.status}", pause)
        return Reply(response.status, response.headers, body, at.name, moved)

    def close(self) -> None:
        """Close the connections that are kept."""
        with self._lock:
            for pool in self._pools.values():
                pool.close()
            self._pools.clear()

    def _send(
        self, at: Place, what: str, headers: Mapping[str, str], authorization: str, farthest: Reach
    ) -> urllib3.BaseHTTPResponse:
        sent = {"User-Agent": USER_AGENT, **headers}
        if authorization:
            sent["Authorization"] = authorization
        try:
            return self._pool(at, farthest).urlopen(
                "GET",
                at.target,
                headers=sent,
                retries=False,
                redirect=False,
                preload_content=False,
                decode_content=False,
                timeout=urllib3.Timeout(connect=self._patience.connect, read=self._patience.silence),
            )
        except SSLError as error:
            if error.args and isinstance(error.args[0], ssl.SSLCertVerificationError):
                reason = error.args[0].verify_message
                raise RegistryError(
                    f"{what}: the certificate of {at.name} is not trusted ({reason}); one of an own authority is when "
                    "SSL_CERT_FILE names a file with that authority's"
                ) from error
            raise TransientError(f"{what}: no encrypted connection to {at.name}: {error}") from error
        except HTTPError as error:
            raise TransientError(f"{what}: no answer from {at.name}: {error}") from error
        except RegistryError as error:
            raise RegistryError(f"{what}: {error}") from error

    def _farthest(self, at: Place, home: Place) -> Reach:
        if at.origin == home.origin:
            return Reach.MACHINE
        return self._reaches.get(home.origin, Reach.INTERNET)

    def _pool(self, at: Place, farthest: Reach) -> urllib3.HTTPConnectionPool:
        key = (at.origin, farthest)
        with self._lock:
            if key not in self._pools:
                # A registry may name any number of hosts.
                while len(self._pools) >= _MOST_POOLS:
                    self._pools.pop(next(iter(self._pools))).close()
                self._pools[key] = self._new_pool(at, farthest)
            return self._pools[key]

    def _new_pool(self, at: Place, farthest: Reach) -> urllib3.HTTPConnectionPool:
        def found(reach: Reach) -> None:
            # Of a host with several addresses the outermost counts.
            self._reaches[at.origin] = min(reach, self._reaches.get(at.origin, reach))

        guard = Guard(farthest, found, self._patience.silence)
        if at.scheme == "http":
            return PlainPool(at.host, at.port, maxsize=_CONNECTIONS, guard=guard)
        # One for all: to read the authorities of the system takes as long as some handshakes.
        self._tls = self._tls or ssl.create_default_context()
        return TlsPool(at.host, at.port, maxsize=_CONNECTIONS, guard=guard, ssl_context=self._tls)
