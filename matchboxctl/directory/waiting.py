"""Where nobody may wait, as in an event loop: what would have to is told so, and is done again in a thread."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_at_once = ContextVar("at_once", default=False)


class MustWaitError(Exception):
    """This would have to wait for another process or for the disk."""


@contextmanager
def at_once() -> Iterator[None]:
    """The body may not wait, and raises MustWaitError."""
    before = _at_once.set(True)
    try:
        yield
    finally:
        _at_once.reset(before)


def is_at_once() -> bool:
    """Whether the caller may not wait."""
    return _at_once.get()
