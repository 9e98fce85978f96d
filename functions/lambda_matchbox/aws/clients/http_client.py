"""HTTP requests with retries, over connections that are kept."""

import time
from collections.abc import Mapping
from contextlib import closing
from typing import NamedTuple

import urllib3
from urllib3.connection import HTTPConnection
from urllib3.exceptions import HTTPError, ProtocolError

from lambda_matchbox.aws.clients import errors
from lambda_matchbox.backoff import Backoff
from lambda_matchbox.errors import StoreUnavailableError
from lambda_matchbox.http_reasons import reason

CONNECT_TIMEOUT = 1.0
"""Seconds to connect to one address of a service."""

READ_TIMEOUT = 2.0
"""Seconds without data after which an attempt fails."""

CONNECTIONS = 64
"""Kept per host; more are opened on demand."""

_BACKOFF = Backoff()
_PIECE = 65536


class HttpResponse(NamedTuple):
    """A service's response; header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class HttpClient:
    """Connections that are kept between requests; for any number of threads.

    `backoff` is None for callers that retry themselves.
    """

    def __init__(
        self,
        *,
        connect_timeout: float = CONNECT_TIMEOUT,
        read_timeout: float = READ_TIMEOUT,
        backoff: Backoff | None = _BACKOFF,
    ) -> None:
        self._connect_timeout = connect_timeout
        self._read_timeout = read_timeout
        self._backoff = backoff
        self._pools = urllib3.PoolManager(maxsize=CONNECTIONS)

    def request(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, deadline: float
    ) -> HttpResponse:
        """The response to an idempotent request, with a status below 300, before `deadline` (of time.monotonic()).

        Broken connections, silence, throttling and statuses from 500 on are retried while time remains. The path of
        `url` is sent as it is given. `deadline` does not bound the host's DNS lookup nor, if a host has many
        addresses and none answers, the second and later ones.
        Raises StoreUnavailableError when time is up or the signature's time is rejected, AWSError for other refusals.
        """
        scheme, _, rest = url.partition("://")
        host, _, target = rest.partition("/")
        pool = self._pools.connection_from_url(f"{scheme}://{host}")
        attempt = 0
        why = "no time was left"
        while (left := deadline - time.monotonic()) > 0:
            attempt += 1
            try:
                response = self._attempt(pool, method, "/" + target, headers, body, left, deadline)
            except HTTPError as error:
                # An attempt that the deadline cut short says nothing about the service; the one before it does.
                if attempt == 1 or time.monotonic() < deadline:
                    why = reason(error)
                # The service may have closed a kept connection meanwhile; a new one needs no pause.
                if attempt == 1 and isinstance(error, ProtocolError):
                    continue
            else:
                if response.status < 300:
                    return response
                refusal = errors.error_in(response.status, response.body)
                if errors.is_stale_signature(refusal):
                    raise StoreUnavailableError(f"{host} rejects the time of the signature: {refusal}")
                if not errors.is_transient(refusal):
                    raise refusal
                why = str(refusal)
            if self._backoff is None or not self._backoff.wait(attempt, deadline):
                break
        attempts = f" (attempts: {attempt})" if self._backoff else ""
        raise StoreUnavailableError(f"no answer from {host}{attempts}: {why}")

    def close(self) -> None:
        """Close all connections."""
        self._pools.clear()

    def _attempt(
        self,
        pool: urllib3.HTTPConnectionPool,
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: bytes | None,
        left: float,
        deadline: float,
    ) -> HttpResponse:
        # Not the manager, which would resolve `.` and `..` in a signed path.
        response = pool.urlopen(
            method,
            target,
            body=body,
            headers=headers,
            retries=False,
            redirect=False,
            preload_content=False,
            decode_content=False,
            timeout=urllib3.Timeout(total=left, connect=self._connect_timeout, read=self._read_timeout),
        )
        with closing(response):
            pieces = []
            while piece := self._piece(response, deadline):
                pieces.append(piece)
        fields = {name.lower(): value for name, value in response.headers.items()}
        return HttpResponse(response.status, fields, b"".join(pieces))

    def _piece(self, response: urllib3.BaseHTTPResponse, deadline: float) -> bytes:
        """The next bytes of the body, waiting until the deadline at most; empty at the end."""
        left = deadline - time.monotonic()
        if left <= 0:
            raise ProtocolError("the body arrived too slowly")
        # None once the whole body is read: the pool may have given the connection to another thread.
        connection = response.connection
        if isinstance(connection, HTTPConnection) and connection.sock is not None:
            connection.sock.settimeout(min(left, self._read_timeout))
        return response.read1(_PIECE, decode_content=False)
