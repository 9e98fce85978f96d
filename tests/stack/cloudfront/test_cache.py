"""How long an edge keeps responses, and which requests share one."""

import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.stack.cloudfront.cache import Cache
from tests.stack.cloudfront.messages import Response
from tests.stack.cloudfront.settings import CachePolicy

DISABLED, OWN, OPTIMIZED = CachePolicy(0, 0, 0), CachePolicy(0, 60, 3600), CachePolicy(1, 86_400, 31_536_000)


class Origin:
    """Responds with a number, which grows."""

    def __init__(self, status: int = 200, control: str = "", etag: str = "") -> None:
        self.asked = 0
        self.status = status
        named = {"cache-control": control, "etag": etag}
        self._headers = {name: value for name, value in named.items() if value}

    def __call__(self, more: Mapping[str, str]) -> Response:
        self.asked += 1
        if more.get("if-none-match") and more["if-none-match"] == self._headers.get("etag"):
            return Response(304, self._headers)
        return Response(self.status, self._headers, str(self.asked).encode())


class Edge:
    """A cache at a time that is set."""

    def __init__(self, policy: CachePolicy, error_ttl: float = 0) -> None:
        self.now = 0.0
        self._policy = policy
        self._cache = Cache(lambda status: error_ttl, lambda: self.now)

    def body(self, origin: Origin, at: float) -> int:
        self.now = at
        kept = self._cache.fresh("key")
        return int((kept[0] if kept else self._cache.fetched("key", self._policy, origin)).body)


@pytest.mark.parametrize(
    ("policy", "control", "kept"),
    [
        (DISABLED, "max-age=60", 0),
        (OWN, "", 60),
        (OWN, "max-age=5", 5),
        (OWN, "max-age=7200", 3600),
        (OWN, "max-age=5, s-maxage=9", 9),
        (OWN, "no-store", 0),
        (OWN, "private, max-age=60", 0),
        (OPTIMIZED, "", 86_400),
        (OPTIMIZED, "max-age=0", 1),
        (OPTIMIZED, "no-store", 1),
        (OPTIMIZED, "max-age=60", 60),
    ],
)
def test_response_is_kept_as_policy_and_origin_say(policy: CachePolicy, control: str, kept: float) -> None:
    edge, origin = Edge(policy), Origin(control=control)
    assert 1 == edge.body(origin, 0)
    if kept:
        assert 1 == edge.body(origin, kept - 0.5)
    assert 2 == edge.body(origin, kept)


@pytest.mark.parametrize(
    ("status", "control", "least", "kept"),
    [
        (404, "", 10, 10),
        (404, "", 0, 0),
        (404, "max-age=20", 10, 20),
        (404, "no-store", 10, 10),
        (503, "", 10, 10),
        (403, "", 10, 0),
        (400, "max-age=20", 0, 20),
    ],
)
def test_error_is_kept_also_where_caching_is_disabled(status: int, control: str, least: float, kept: float) -> None:
    edge, origin = Edge(DISABLED, least), Origin(status, control)
    assert 1 == edge.body(origin, 0)
    if kept:
        assert 1 == edge.body(origin, kept - 0.5)
    assert 2 == edge.body(origin, kept)


def test_file_that_has_not_changed_is_kept_on_and_given_in_place_of_a_5xx() -> None:
    edge, origin = Edge(OWN), Origin(etag='"a"')
    assert [1, 1] == [edge.body(origin, at) for at in (0, 60)]
    assert 2 == origin.asked
    origin = Origin(status=503)
    assert (1, 1) == (edge.body(origin, 120), origin.asked)


def asked_together(policy: CachePolicy, control: str = "") -> int:
    """How often an origin is asked of which eight want the same at once, before it has answered the first."""
    cache, origin = Cache(lambda status: 0), Origin(control=control)
    all_are_there, counting = threading.Barrier(8 if not policy.collapses else 1), threading.Lock()

    def fetch(more: Mapping[str, str]) -> Response:
        all_are_there.wait(30)
        deadline = time.monotonic() + 30
        while policy.collapses and cache.waited < 7 and time.monotonic() < deadline:
            time.sleep(0.001)
        with counting:
            return origin(more)

    with ThreadPoolExecutor(8) as threads:
        done = [threads.submit(cache.fetched, "key", policy, fetch) for _ in range(8)]
    assert len({each.result().body for each in done}) == origin.asked
    return origin.asked


def test_equal_requests_share_a_response_unless_caching_is_disabled() -> None:
    """Nor do they if the origin forbids it, but where the policy has a time of its own."""
    assert 1 == asked_together(OPTIMIZED) == asked_together(OPTIMIZED, "no-store") == asked_together(OWN)
    assert 8 == asked_together(DISABLED) == asked_together(OWN, "no-store")


def test_failure_of_the_origin_is_everybodys_own() -> None:
    cache = Cache(lambda status: 0)

    def failing(more: Mapping[str, str]) -> Response:
        raise ConnectionError

    for _ in range(2):
        with pytest.raises(ConnectionError):
            cache.fetched("key", OWN, failing)
