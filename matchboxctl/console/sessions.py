"""Sessions of browsers, which live in this process alone."""

import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

_MOST = 64
_MOST_NOTES = 4
_LIFETIME = 12 * 3600
_BYTES = 32


class Note(NamedTuple):
    """What was done, and the command that does the same; `is_error` if it was not done."""

    text: str
    command: str = ""
    is_error: bool = False


@dataclass
class Session:
    """A browser that knew the secret; `csrf` is what its forms send."""

    used: float
    csrf: str = field(default_factory=lambda: secrets.token_urlsafe(_BYTES))
    notes: dict[str, Note] = field(default_factory=dict)

    def keep(self, note: Note) -> str:
        """Keep a note for the next page; returns its name."""
        name = secrets.token_urlsafe(9)
        self.notes[name] = note
        while len(self.notes) > _MOST_NOTES:
            self.notes.pop(next(iter(self.notes)))
        return name

    def sent(self, token: str) -> bool:
        """Whether a form of this session sent the token."""
        return hmac.compare_digest(token.encode(), self.csrf.encode())


class Sessions:
    """The open sessions, of which one that was not used for twelve hours ends."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._open: dict[str, Session] = {}

    def begin(self) -> str:
        """Begin a session; returns its name, which is a secret."""
        name = secrets.token_urlsafe(_BYTES)
        self._open[name] = Session(self._clock())
        while len(self._open) > _MOST:
            del self._open[min(self._open, key=lambda one: self._open[one].used)]
        return name

    def find(self, name: str) -> Session | None:
        """The session of that name, unless it has ended."""
        session = self._open.get(name)
        if session is None:
            return None
        now = self._clock()
        if now - session.used > _LIFETIME:
            del self._open[name]
            return None
        session.used = now
        return session
