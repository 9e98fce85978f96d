"""Calls in parallel threads, which an interruption ends soon."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

THREADS = 16
"""At most; a client's connection pool has to have as many."""

_Item = TypeVar("_Item")


def in_parallel(
    work: Callable[[_Item], object], items: Iterable[_Item], give_up: Callable[[], object] = lambda: None
) -> Iterator[_Item]:
    """Call `work` for each item in several threads; yields the items in order as their calls end.

    If a call raises or this thread is interrupted, the running ones are waited for and no other is started; `give_up`
    is called before that, for calls that can be ended early.
    """
    queued = list(items)
    threads = ThreadPoolExecutor(THREADS)
    try:
        for item, _ in zip(queued, threads.map(work, queued), strict=True):
            yield item
    finally:
        give_up()
        threads.shutdown(cancel_futures=True)
