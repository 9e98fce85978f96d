"""Answers that are too long for the balancer's event, on their way to the front end of the same process."""

import secrets
from threading import Lock
from typing import NamedTuple

from lambda_matchbox.answers.response_store import StoredResponse


class LongResponse(NamedTuple):
    """A body, and the value of its Content-Type."""

    body: bytes
    content_type: str


class ResponseRelay:
    """The response store of directory mode (see `answers.response_store.ResponseStore`): each is taken once."""

    def __init__(self) -> None:
        self._waiting: dict[str, LongResponse] = {}
        self._lock = Lock()

    def put(self, body: bytes, content_type: str, origin: str) -> StoredResponse:  # noqa: ARG002 (nobody is sent elsewhere)
        """Hold the answer for the front end."""
        name = secrets.token_hex(16)
        with self._lock:
            self._waiting[name] = LongResponse(body, content_type)
        return StoredResponse(name, accel_redirect=True)

    def take(self, name: str) -> LongResponse | None:
        """The answer of that name, once."""
        with self._lock:
            return self._waiting.pop(name, None)
