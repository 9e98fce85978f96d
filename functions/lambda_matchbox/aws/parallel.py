"""Calls in parallel threads, which an interruption ends soon."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any, TypeVar

THREADS = 16
"""At most; a client's connection pool has to have as many."""

SCANNED_AT_ONCE = 1000
"""Items of a page where all are read: few may be wanted, and for a page without a limit DynamoDB Local reads all that
is left of the table, so that its time grows with the square of their number."""

_Item = TypeVar("_Item")


def in_parallel(
    work: Callable[[_Item], object], items: Iterable[_Item], give_up: Callable[[], object] = lambda: None
) -> Iterator[_Item]:
    """Call `work` for each item in several threads; yields the items in order as their calls end.

    The calls have this thread's context, such as the deadline of its request. If a call raises or this thread is
    interrupted, the running ones are waited for and no other is started; `give_up` is called before that, for calls
    that can be ended early.
    """
    queued = list(items)
    context = copy_context()
    threads = ThreadPoolExecutor(THREADS)
    try:
        for item, _ in zip(queued, threads.map(lambda one: context.copy().run(work, one), queued), strict=True):
            yield item
    finally:
        give_up()
        threads.shutdown(cancel_futures=True)


def scan_pages(scan: Callable[[Mapping[str, Any]], Any], request: Mapping[str, Any]) -> Iterator[Any]:
    """The responses to a Scan of a whole table or index, in no order; `scan` makes a call.

    A table of more than one page is read in parallel segments. Not more than a page of each is in memory.
    """
    page = scan({**request, "Limit": SCANNED_AT_ONCE})
    if "LastEvaluatedKey" not in page:
        yield page
        return
    segments = [
        {**request, "Limit": SCANNED_AT_ONCE, "Segment": segment, "TotalSegments": THREADS}
        for segment in range(THREADS)
    ]
    pages: dict[int, Any] = {}

    def read(segment: int) -> None:
        pages[segment] = scan(segments[segment])

    left = [*range(THREADS)]
    while left:
        following = []
        for segment in in_parallel(read, left):
            page = pages.pop(segment)
            if "LastEvaluatedKey" in page:
                segments[segment]["ExclusiveStartKey"] = page["LastEvaluatedKey"]
                following.append(segment)
            yield page
        left = following
