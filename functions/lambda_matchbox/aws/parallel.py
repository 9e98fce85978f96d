"""Calls in parallel threads, which an interruption ends soon."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

THREADS = 16
"""At most; a client's connection pool has to have as many."""

SEGMENTS = 4
"""More would take most of the 3,000 read units a second that a partition gives, and machines boot from it."""

SCANNED_AT_ONCE = 1000
"""Items of a page where all are read: few may be wanted, and for a page without a limit DynamoDB Local reads all that
is left of the table, so that its time grows with the square of their number."""

_Item = TypeVar("_Item")


def in_parallel(
    work: Callable[[_Item], object], items: Iterable[_Item], give_up: Callable[[], object] = lambda: None
) -> Iterator[_Item]:
    """Call `work` for each item in several threads; yields the items in order as their calls end.

    If a call raises or this thread is interrupted, the running ones are waited for and no other is started; `give_up`
    is called before that, for calls that can be ended early.
    """
    # Imported where it is needed: with the module logging it takes a tenth of the boot path's imports.
    from concurrent.futures import ThreadPoolExecutor

    queued = list(items)
    threads = ThreadPoolExecutor(THREADS)
    try:
        for item, _ in zip(queued, threads.map(work, queued), strict=True):
            yield item
    finally:
        give_up()
        threads.shutdown(cancel_futures=True)


def scan_pages(scan: Callable[[Mapping[str, Any]], Any], request: Mapping[str, Any]) -> Iterator[Any]:
    """The responses to a Scan of a whole table or index, in no order; `scan` makes a call.

    A table of more than one page is read in parallel segments, of each of which not more than a page is in memory. The
    error of a call is raised when the running ones have ended.
    """
    # Imported where it is needed: the boot path does not scan.
    from lambda_matchbox.daemon_threads import in_daemon_threads

    page = scan({**request, "Limit": SCANNED_AT_ONCE})
    if "LastEvaluatedKey" not in page:
        yield page
        return
    left = [
        {**request, "Limit": SCANNED_AT_ONCE, "Segment": segment, "TotalSegments": SEGMENTS}
        for segment in range(SEGMENTS)
    ]
    while left:
        calls = in_daemon_threads(scan, left, SEGMENTS)
        left = []
        for segment, page in calls:
            if "LastEvaluatedKey" in page:
                left.append({**segment, "ExclusiveStartKey": page["LastEvaluatedKey"]})
            yield page
