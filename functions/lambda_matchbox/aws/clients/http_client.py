"""How does a request reach a service, and how long is it worth trying?"""

import time
from collections.abc import Mapping
from contextlib import closing
from typing import NamedTuple

import urllib3
from urllib3.connection import HTTPConnection
from urllib3.exceptions import HTTPError, ProtocolError

from lambda_matchbox.aws.clients import errors
from lambda_matchbox.errors import StoreUnavailableError
from lambda_matchbox.retry import Backoff

CONNECT_TIMEOUT = 1.0
"""Seconds to reach one address of a service."""

READ_TIMEOUT = 2.0
"""Seconds of silence after which an attempt is given up."""

CONNECTIONS = 64
"""How many connections to one host are kept; more than that are made where they are needed."""

_BACKOFF = Backoff()
_PIECE = 65536


class Answer(NamedTuple):
    """A service's answer; header names are in lower case."""

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

    def request(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, deadline: float) -> Answer:
        """The answer to an idempotent request, with a status below 300, got before `deadline` (of time.monotonic()).

        Broken connections, silence, throttling and statuses from 500 on are retried while time remains. The path of
        `url` is sent as it is given. What `deadline` does not cut short is the lookup of the host's name and, of a
        host with many addresses that are all silent, the second and later ones.
        Raises StoreUnavailableError when time is up or the signature's time is refused, AWSError for other refusals.
        """
        scheme, _, rest = url.partition("://")
        host, _, target = rest.partition("/")
        pool = self._pools.connection_from_url(f"{scheme}://{host}")
        attempt = 0
        why = "no time was left to ask"
        while (left := deadline - time.monotonic()) > 0:
            attempt += 1
            try:
                answer = self._attempt(pool, method, "/" + target, headers, body, left, deadline)
            except HTTPError as error:
                # One that the deadline has cut short tells nothing of the service: what it answered before does.
                if attempt == 1 or time.monotonic() < deadline:
                    why = f"{type(error).__name__}: {error}"
                # A kept connection may have been closed by the other side meanwhile; a new one is worth no pause.
                if attempt == 1 and isinstance(error, ProtocolError):
                    continue
            else:
                if answer.status < 300:
                    return answer
                refusal = errors.read(answer.status, answer.body)
                if errors.is_stale_signature(refusal):
                    raise StoreUnavailableError(f"{host} refuses the signature's time: {refusal}")
                if not errors.passes(refusal):
                    raise refusal
                why = str(refusal)
            if self._backoff is None or not self._backoff.wait(attempt, deadline):
                break
        raise StoreUnavailableError(f"no answer from {host} (attempts: {attempt}): {why}")

    def close(self) -> None:
        """Close the connections that are kept."""
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
    ) -> Answer:
        # The pool is asked, not the manager, which would resolve `.` and `..` in a signed path.
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
        return Answer(response.status, fields, b"".join(pieces))

    def _piece(self, response: urllib3.BaseHTTPResponse, deadline: float) -> bytes:
        """What has arrived of the body, waiting for it no longer than until the deadline; empty at the end."""
        left = deadline - time.monotonic()
        if left <= 0:
            raise ProtocolError("the body came too slowly")
        # With the whole body read the connection is the pool's again, or another thread's: then there is none here.
        connection = response.connection
        if isinstance(connection, HTTPConnection) and connection.sock is not None:
            connection.sock.settimeout(min(left, self._read_timeout))
        return response.read1(_PIECE, decode_content=False)
