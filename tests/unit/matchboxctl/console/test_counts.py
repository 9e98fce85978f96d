from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from threading import Event
from typing import Any, NamedTuple

from lambda_matchbox.errors import StoreUnavailableError
from matchboxctl.console.counts import Counts

_LIMIT = 60


class _History:
    """A history whose numbers come from a function."""

    def __init__(self, states: Callable[[], Mapping[str, int]]) -> None:
        self.states = states

    @contextmanager
    def required(self) -> Iterator["_History"]:
        yield self


class _Opened(NamedTuple):
    history: _History


def _opened(states: Callable[[], Mapping[str, int]]) -> Any:
    return _Opened(_History(states))


def test_numbers_are_kept_for_their_time_and_counted_again_when_they_expire() -> None:
    counts, numbers = Counts(1000, aside=False), [{"ready": 1}, {"ready": 2}]
    opened = _opened(lambda: numbers.pop(0))
    assert [{"ready": 1}] * 2 == [counts.of(opened).of, counts.of(opened).of]
    counts.expire()
    assert {"ready": 2} == counts.of(opened).of


def test_page_does_not_wait_for_a_long_count() -> None:
    may_end, counts = Event(), Counts(1000, aside=True)

    def states() -> Mapping[str, int]:
        assert may_end.wait(_LIMIT)
        return {"ready": 1}

    opened = _opened(states)
    assert "being counted" in counts.of(opened).why_not
    may_end.set()
    while counts.of(opened).of is None:
        pass
    counts.close()


def test_numbers_that_expire_while_they_are_counted_are_counted_again() -> None:
    begun, may_end, counts = Event(), Event(), Counts(1000, aside=True)
    numbers = [{"ready": 1}, {"ready": 2}]

    def states() -> Mapping[str, int]:
        begun.set()
        assert may_end.wait(_LIMIT)
        return numbers.pop(0)

    opened = _opened(states)
    counts.of(opened)
    assert begun.wait(_LIMIT)
    counts.expire()
    may_end.set()
    while counts.of(opened).of != {"ready": 2}:
        pass
    counts.close()


def test_numbers_that_cannot_be_read_are_none() -> None:
    def states() -> Mapping[str, int]:
        raise StoreUnavailableError("it is away")

    assert None is Counts(0, aside=False).of(_opened(states)).of
