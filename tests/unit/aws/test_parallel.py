"""Parallel calls, and tables that are read in parallel segments."""

import threading
from collections.abc import Mapping
from typing import Any

import pytest

from lambda_matchbox.aws.clients.request_deadline import deadline_within, request_deadline
from lambda_matchbox.aws.parallel import SCANNED_AT_ONCE, SEGMENTS, THREADS, in_parallel, scan_pages
from lambda_matchbox.errors import StoreUnavailableError


class Table:
    """Answers scans of a table whose items are numbers; fails at one of the calls."""

    def __init__(self, size: int, fails_at: int = -1) -> None:
        self.size = size
        self.calls: list[Mapping[str, Any]] = []
        self._fails_at = fails_at
        self._lock = threading.Lock()

    def scan(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        with self._lock:
            self.calls.append(dict(request))
            if len(self.calls) - 1 == self._fails_at:
                raise StoreUnavailableError("away")
        numbers = range(request.get("Segment", 0), self.size, request.get("TotalSegments", 1))
        start = request.get("ExclusiveStartKey", 0)
        page = numbers[start : start + request["Limit"]]
        end = start + len(page)
        return {"Items": [*page], **({"LastEvaluatedKey": end} if end < len(numbers) else {})}


@pytest.mark.parametrize(
    ("size", "calls"),
    [
        (0, 1),
        (SCANNED_AT_ONCE, 1),
        (SCANNED_AT_ONCE + 1, 1 + SEGMENTS),
        (SEGMENTS * SCANNED_AT_ONCE + 3, 1 + SEGMENTS + 3),
        (40 * SCANNED_AT_ONCE, 1 + 10 * SEGMENTS),
    ],
)
def test_every_item_is_read_once_and_a_small_table_by_one_call(size: int, calls: int) -> None:
    table = Table(size)
    items = [item for page in scan_pages(table.scan, {"TableName": "t"}) for item in page["Items"]]
    assert [*range(size)] == sorted(items)
    assert calls == len(table.calls)
    assert {"t"} == {call["TableName"] for call in table.calls}


def test_only_a_page_of_each_segment_is_read_ahead() -> None:
    table = Table(100 * SCANNED_AT_ONCE)
    pages = scan_pages(table.scan, {})
    next(pages)
    pages.close()  # type: ignore[attr-defined]
    assert len(table.calls) <= 1 + SEGMENTS


@pytest.mark.parametrize("call", [0, 1, SEGMENTS + 1])
def test_a_failure_ends_the_scan(call: int) -> None:
    table = Table(100 * SCANNED_AT_ONCE, fails_at=call)
    with pytest.raises(StoreUnavailableError, match="away"):
        list(scan_pages(table.scan, {}))
    assert len(table.calls) <= call + SEGMENTS


def test_calls_have_the_deadline_of_their_request() -> None:
    table, found = Table(2 * SCANNED_AT_ONCE), set[float]()

    def scan(request: Mapping[str, Any]) -> Mapping[str, Any]:
        found.add(deadline_within(3600))
        return table.scan(request)

    with request_deadline(5.0):
        own = deadline_within(3600)
        assert SEGMENTS == len(list(scan_pages(scan, {})))
    assert {own} == found


def test_no_call_begins_after_one_that_failed() -> None:
    begun, given_up = set[int](), threading.Event()

    def work(item: int) -> None:
        begun.add(item)
        if item == 0:
            raise ValueError
        assert given_up.wait(60)

    with pytest.raises(ValueError):  # noqa: PT011 (raised above)
        list(in_parallel(work, range(1000), given_up.set))
    assert len(begun) <= 2 * THREADS
