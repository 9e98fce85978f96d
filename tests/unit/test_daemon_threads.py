"""Calls in daemon threads."""

from contextvars import ContextVar
from threading import Barrier, Event, Lock

import pytest

from lambda_matchbox.daemon_threads import in_daemon_threads

CONTEXT: ContextVar[str] = ContextVar("context")


def test_calls_are_made_side_by_side() -> None:
    barrier = Barrier(3, timeout=60)

    def work(item: int) -> int:
        barrier.wait()
        return 2 * item

    assert {item: 2 * item for item in range(6)} == dict(in_daemon_threads(work, range(6), 3))
    assert not list(in_daemon_threads(work, [], 3))


def test_a_result_is_yielded_while_other_calls_run() -> None:
    first_is_used = Event()
    calls = in_daemon_threads(lambda item: item == 0 or first_is_used.wait(60), range(2), 2)
    assert (0, True) == next(calls)
    first_is_used.set()
    assert [(1, True)] == list(calls)


def test_error_ends_what_waits() -> None:
    begun, lock = [], Lock()

    def work(item: int) -> None:
        with lock:
            begun.append(item)
        raise ValueError(item)

    with pytest.raises(ValueError, match=r"^0$"):
        list(in_daemon_threads(work, range(10), 1))
    assert [0] == begun


def test_running_calls_are_waited_for_before_an_error_is_raised() -> None:
    both_run, ended = Barrier(2, timeout=60), []

    def work(item: int) -> None:
        both_run.wait()
        if item == 0:
            raise SystemExit
        ended.append(item)

    with pytest.raises(SystemExit):
        list(in_daemon_threads(work, range(2), 2))
    assert [1] == ended


def test_calls_have_the_context_of_their_caller() -> None:
    CONTEXT.set("caller's")
    assert ["caller's"] * 3 == [value for _, value in in_daemon_threads(lambda _: CONTEXT.get(), range(3), 2)]
