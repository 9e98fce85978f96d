"""Answers that are too long for the balancer's event, on their way to the front end of the same process."""

import secrets
from threading import Lock
from typing import NamedTuple

from lambda_matchbox.catalog.stores import Kept


class LongAnswer(NamedTuple):
    """A body, and the value of its Content-Type."""

    body: bytes
    content_type: str


class AnswerRelay:
    """The answer store of directory mode (see `catalog.stores.AnswerStore`): what is kept is taken at once."""

    def __init__(self) -> None:
        self._waiting: dict[str, LongAnswer] = {}
        self._lock = Lock()

    def keep(self, body: bytes, content_type: str, origin: str) -> Kept:  # noqa: ARG002 (nobody is sent elsewhere)
        """Hold the answer for the front end."""
        name = secrets.token_hex(16)
        with self._lock:
            self._waiting[name] = LongAnswer(body, content_type)
        return Kept(name, with_front=True)

    def take(self, name: str) -> LongAnswer | None:
        """The answer of that name, once."""
        with self._lock:
            return self._waiting.pop(name, None)
