"""Where nobody may wait, as in an event loop: what would have to is told so, and is done again in a thread."""

from contextvars import ContextVar

_at_once = ContextVar("at_once", default=False)


class MustWaitError(Exception):
    """This would have to wait for another process or for the disk."""


class AtOnce:
    """A context whose body may not wait, and raises MustWaitError."""

    def __enter__(self) -> None:
        self._before = _at_once.set(True)

    def __exit__(self, *_: object) -> None:
        _at_once.reset(self._before)


def is_at_once() -> bool:
    """Whether the caller may not wait."""
    return _at_once.get()
