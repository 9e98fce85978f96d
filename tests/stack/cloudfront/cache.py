"""What an edge keeps of origins' responses, and how equal requests share one."""

import re
import threading
import time
from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import Future
from typing import NamedTuple, TypeAlias

from tests.stack.cloudfront.messages import Response
from tests.stack.cloudfront.settings import CachePolicy

# CloudFront's guide, "How CloudFront caches HTTP 4xx and 5xx status codes".
_ALWAYS_KEPT = {404, 405, 414, 500, 501, 502, 503, 504}
_KEPT_IF_ORIGIN_SAYS = {400, 403, 412, 415}

Fetch: TypeAlias = Callable[[Mapping[str, str]], Response]
"""Asks the origin, with these headers beside the request's."""


class _Kept(NamedTuple):
    response: Response
    since: float
    until: float


class Cache:
    """The responses that are kept, by their keys; `clock` says how many seconds have passed.

    `waited` counts the requests that did not go to the origin at once, as an equal one was there.
    """

    def __init__(self, error_ttl: Callable[[int], float], clock: Callable[[], float] = time.monotonic) -> None:
        self._error_ttl = error_ttl
        self._clock = clock
        self.waited = 0
        self._alone = threading.Lock()
        self._kept: dict[Hashable, _Kept] = {}
        self._asked: dict[Hashable, Future[Response]] = {}

    def fresh(self, key: Hashable) -> tuple[Response, int] | None:
        """What is kept and may be given without asking the origin, and its age."""
        kept, now = self._kept.get(key), self._clock()
        return (kept.response, int(now - kept.since)) if kept and now < kept.until else None

    def fetched(self, key: Hashable, policy: CachePolicy, fetch: Fetch) -> Response:
        """The origin's response, which equal requests that wait for it share where the policy caches.

        They do not share it if the origin forbids that and the policy has no time of its own: then each asks itself.
        """
        if not policy.collapses:
            return self._keep(key, policy, fetch)
        with self._alone:
            asked = self._asked.get(key)
            if asked is None:
                mine = self._asked[key] = Future[Response]()
            else:
                self.waited += 1
        if asked is not None:
            response = asked.result()
            return response if policy.min_ttl or not _forbidden(response) else self._keep(key, policy, fetch)
        try:
            response = self._keep(key, policy, fetch)
        except BaseException as error:
            mine.set_exception(error)
            raise
        else:
            mine.set_result(response)
            return response
        finally:
            del self._asked[key]

    def _keep(self, key: Hashable, policy: CachePolicy, fetch: Fetch) -> Response:
        """Ask the origin whether it has something newer than what is kept, which is given in place of a 5xx."""
        old = self._kept.get(key)
        etag = old.response.headers.get("etag") if old and old.response.status < 400 else None
        response = fetch({"if-none-match": etag} if etag else {})
        if old and etag and (response.status == 304 or response.status >= 500):
            response = old.response
        ttl = self._ttl(response, policy)
        if ttl > 0:
            now = self._clock()
            self._kept[key] = _Kept(response, now, now + ttl)
        return response

    def _ttl(self, response: Response, policy: CachePolicy) -> float:
        """How long a response is kept (CloudFront's guide, "Manage how long content stays in the cache")."""
        said = _max_age(response)
        if response.status >= 400:
            if response.status in _ALWAYS_KEPT or (response.status in _KEPT_IF_ORIGIN_SAYS and said is not None):
                return max(self._error_ttl(response.status), said or 0)
            return 0
        if _forbidden(response):
            return policy.min_ttl
        return max(policy.min_ttl, min(policy.default_ttl if said is None else said, policy.max_ttl))


def _max_age(response: Response) -> float | None:
    control = response.headers.get("cache-control", "")
    found = re.search(r"s-maxage=(\d+)", control) or re.search(r"max-age=(\d+)", control)
    return float(found[1]) if found else None


def _forbidden(response: Response) -> bool:
    """Whether the origin says that the response is for one request only."""
    control = response.headers.get("cache-control", "")
    return bool(re.search(r"no-cache|no-store|private", control)) or _max_age(response) == 0
