"""HTTP requests with retries, over connections that are kept."""

import math
import select
import ssl
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import cached_property

from lambda_matchbox.aws.clients import errors
from lambda_matchbox.aws.clients.errors import UnreachableError
from lambda_matchbox.aws.clients.http_connection import Body, HttpConnection, HttpResponse
from lambda_matchbox.backoff import Backoff
from lambda_matchbox.errors import StoreUnavailableError
from lambda_matchbox.http_reasons import ResponseError, reason

CONNECT_TIMEOUT = 1.0
"""Seconds to connect to one address of a service."""

READ_TIMEOUT = 2.0
"""Seconds without data after which an attempt fails."""

CONNECTIONS = 64
"""Kept per host; more are opened on demand."""

_BACKOFF = Backoff()
_BROKEN = (ConnectionError, ResponseError)


class HttpClient:
    """Connections that are kept between requests; for any number of threads.

    `backoff` is None for callers that retry themselves; `attempts` limits those of a request.
    """

    def __init__(
        self,
        *,
        connect_timeout: float = CONNECT_TIMEOUT,
        read_timeout: float = READ_TIMEOUT,
        backoff: Backoff | None = _BACKOFF,
        attempts: float = math.inf,
    ) -> None:
        self._connect_timeout = connect_timeout
        self._read_timeout = read_timeout
        self._backoff = backoff
        self._attempts = attempts
        # Of each scheme and host. Lists are safe for threads.
        self._kept: dict[str, list[HttpConnection]] = {}

    def request(
        self, method: str, url: str, headers: Mapping[str, str], body: Body | None, deadline: float
    ) -> HttpResponse:
        """The response to an idempotent request, with a status below 300, before `deadline` (of time.monotonic()).

        Broken connections, silence, throttling and statuses from 500 on are retried while time remains. The path of
        `url` is sent as it is given. `deadline` does not bound the host's DNS lookup nor, if a host has many addresses
        and none answers, the second and later ones.
        Raises StoreUnavailableError when time is up or the signature's time is rejected, AWSError for other refusals.
        """
        scheme, _, rest = url.partition("://")
        host, _, target = rest.partition("/")
        origin = f"{scheme}://{host}"
        attempt = 0
        failure = StoreUnavailableError("no time was left")
        while time.monotonic() < deadline:
            attempt += 1
            try:
                response = self._attempt(origin, method, "/" + target, headers, body, deadline)
            except (UnreachableError, OSError, ResponseError) as error:
                # An attempt that the deadline cut short says nothing about the service; the one before it does.
                if attempt == 1 or time.monotonic() < deadline:
                    failure = error if isinstance(error, UnreachableError) else StoreUnavailableError(reason(error))
                # The service may have closed a kept connection meanwhile; a new one needs no pause.
                if attempt == 1 and isinstance(error, _BROKEN):
                    continue
            else:
                if response.status < 300:
                    return response
                refusal = errors.error_in(response.status, response.body)
                if errors.is_stale_signature(refusal):
                    raise StoreUnavailableError(f"{host} rejects the time of the signature: {refusal}")
                if not errors.is_transient(refusal):
                    raise refusal
                failure = StoreUnavailableError(str(refusal))
            if self._backoff is None or attempt >= self._attempts or not self._backoff.wait(attempt, deadline):
                break
        attempts = f" (attempts: {attempt})" if self._backoff else ""
        raise type(failure)(f"no response from {host}{attempts}: {failure}")

    def close(self) -> None:
        """Close all connections."""
        for kept in list(self._kept.values()):
            with suppress(IndexError):
                while True:
                    kept.pop().close()

    def __del__(self) -> None:
        # Programs that end, and most tests, just let go of it.
        self.close()

    def _attempt(
        self, origin: str, method: str, target: str, headers: Mapping[str, str], body: Body | None, deadline: float
    ) -> HttpResponse:
        connection = self._connection(origin, deadline)

        def timeout() -> float:
            return min(_left(deadline), self._read_timeout)

        try:
            # A service may refuse a body and close before it has read it.
            with suppress(BrokenPipeError):
                connection.send(method, target, headers, body, timeout())
            response = connection.response(method, timeout)
        except BaseException:
            connection.close()
            raise
        if connection.is_open and len(kept := self._kept.setdefault(origin, [])) < CONNECTIONS:
            kept.append(connection)
        else:
            connection.close()
        return response

    def _connection(self, origin: str, deadline: float) -> HttpConnection:
        """A kept connection that the service has not closed, or a new one."""
        kept = self._kept.get(origin, [])
        # Until there is none, or another thread has taken it.
        with suppress(IndexError):
            while _readable(connection := kept.pop()):
                connection.close()
            return connection
        scheme, _, host = origin.partition("://")
        timeout = min(_left(deadline), self._connect_timeout)
        try:
            return HttpConnection(host, timeout, self._tls if scheme == "https" else None)
        except OSError as error:
            timed_out = isinstance(error, TimeoutError) and error.errno is None
            why = "no connection within the time limit" if timed_out else reason(error)
            raise UnreachableError(why) from error

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return ssl.create_default_context()


def _left(deadline: float) -> float:
    """The seconds that are left. Raises TimeoutError when none are."""
    if (left := deadline - time.monotonic()) <= 0:
        raise TimeoutError
    return left


def _readable(connection: HttpConnection) -> bool:
    """Whether the service has closed an idle connection, or sent what nobody asked for."""
    waiting = select.poll()
    waiting.register(connection.sock, select.POLLIN)
    return bool(waiting.poll(0))
