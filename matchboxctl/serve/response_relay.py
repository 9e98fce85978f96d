"""The response store of directory mode: bodies too long for the balancer's event pass to the emulator in memory."""

import secrets
from threading import Lock
from typing import NamedTuple

from lambda_matchbox.http import StoredResponse


class LongBody(NamedTuple):
    """A body, and the value of its Content-Type."""

    body: bytes
    content_type: str


class ResponseRelay:
    """A response store (see `http.ResponseStore`) from which each body is taken once."""

    def __init__(self) -> None:
        self._waiting: dict[str, LongBody] = {}
        self._lock = Lock()

    def put(self, body: bytes, content_type: str, origin: str) -> StoredResponse:  # noqa: ARG002 (no redirect)
        """Hold the body for the emulator."""
        name = secrets.token_hex(16)
        with self._lock:
            self._waiting[name] = LongBody(body, content_type)
        return StoredResponse(name, accel_redirect=True)

    def take(self, name: str) -> LongBody | None:
        """The body of that name, once."""
        with self._lock:
            return self._waiting.pop(name, None)
