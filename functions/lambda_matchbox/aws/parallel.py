"""Calls made in parallel threads."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

THREADS = 16
"""How many calls are under way at most; a client's own pool of connections has to have as many."""

_Item = TypeVar("_Item")


def in_parallel(
    work: Callable[[_Item], object], items: Iterable[_Item], give_up: Callable[[], object] = lambda: None
) -> Iterator[_Item]:
    """Call `work` for each item in several threads; the items, as their turn comes and their calls have ended.

    Where one raises, or this thread is interrupted, those under way are waited for and no other is begun; `give_up` is
    called before, for work that takes long and can be ended early.
    """
    asked = list(items)
    threads = ThreadPoolExecutor(THREADS)
    try:
        for item, _ in zip(asked, threads.map(work, asked), strict=True):
            yield item
    finally:
        give_up()
        threads.shutdown(cancel_futures=True)
