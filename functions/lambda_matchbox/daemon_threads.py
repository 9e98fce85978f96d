"""Calls in threads that no exit waits for, unlike those of an executor."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from contextvars import copy_context
from queue import SimpleQueue
from threading import Thread
from typing import TypeVar

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def in_daemon_threads(
    work: Callable[[_Item], _Result], items: Iterable[_Item], number: int
) -> Iterator[tuple[_Item, _Result]]:
    """Call `work` for each item in so many threads; yields the items with the results as the calls end.

    The calls have this thread's context, such as its request's deadline. Raises the first error; before that the
    running calls are waited for, and no other is started. An interruption, and whoever reads no further, waits for none
    and leaves the rest.
    """
    waiting = list(items)
    errors: list[BaseException] = []
    # None after an error. Results are not kept.
    ended = SimpleQueue[tuple[_Item, _Result] | None]()

    def run() -> None:
        with suppress(IndexError):
            while not errors:
                item = waiting.pop(0)
                try:
                    ended.put((item, work(item)))
                except BaseException as error:  # noqa: BLE001 (the caller raises it)
                    errors.append(error)
                    ended.put(None)

    calls = len(waiting)
    threads = [Thread(target=copy_context().run, args=(run,), daemon=True) for _ in range(min(number, calls))]
    for thread in threads:
        thread.start()
    try:
        for _ in range(calls):
            if (call := ended.get()) is None:
                break
            yield call
    finally:
        waiting.clear()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
