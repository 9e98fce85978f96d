"""Calls in daemon threads."""

from threading import Barrier, Lock

import pytest

from lambda_matchbox.image_sync.daemon_threads import in_daemon_threads


def test_calls_are_made_side_by_side() -> None:
    barrier, done = Barrier(3, timeout=60), []

    def work(item: int) -> None:
        barrier.wait()
        done.append(item)

    in_daemon_threads(work, range(6), 3)
    assert list(range(6)) == sorted(done)
    in_daemon_threads(work, [], 3)


def test_error_ends_what_waits() -> None:
    begun, lock = [], Lock()

    def work(item: int) -> None:
        with lock:
            begun.append(item)
        raise ValueError(item)

    with pytest.raises(ValueError, match=r"^0$"):
        in_daemon_threads(work, range(10), 1)
    assert [0] == begun
