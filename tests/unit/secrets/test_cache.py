"""Values of secrets that are kept."""

import threading
from collections.abc import Collection, Mapping

import pytest

from lambda_matchbox.errors import StoreUnavailableError
from lambda_matchbox.secrets.cache import MAX_SECONDS, CachedSecrets
from tests.support.memory_secrets import MemorySecrets


def test_values_are_kept_for_five_minutes_at_most() -> None:
    store, now = MemorySecrets({"a": "1", "b": "2"}), [1000.0]
    cached = CachedSecrets(store, lambda: now[0])
    assert cached.values({"a", "b"}) == {"a": "1", "b": "2"}
    store.held["a"] = "new"
    now[0] += MAX_SECONDS * 0.79
    assert cached.values(["b", "a"]) == {"a": "1", "b": "2"}
    assert store.calls == [["a", "b"]]
    now[0] += MAX_SECONDS * 0.22
    assert cached.values(["a"]) == {"a": "new"}
    assert store.calls == [["a", "b"], ["a"]]


def test_processes_do_not_read_again_at_the_same_moment() -> None:
    def kept_until() -> float:
        store, now = MemorySecrets({"a": "1"}), [0.0]
        cached = CachedSecrets(store, lambda: now[0])
        while len(store.calls) < 2:
            cached.values(["a"])
            now[0] += 1
        return now[0]

    assert len({kept_until() for _ in range(50)}) > 10


def test_only_what_is_missing_is_asked_for() -> None:
    store = MemorySecrets({"a": "1", "b": "2"})
    cached = CachedSecrets(store)
    cached.values(["a"])
    assert cached.values(["a", "b"]) == {"a": "1", "b": "2"}
    assert store.calls == [["a"], ["b"]]


def test_an_absent_secret_is_asked_for_again_after_seconds() -> None:
    store, now = MemorySecrets({}), [0.0]
    cached = CachedSecrets(store, lambda: now[0])
    assert cached.values(["a"]) == {}
    store.held["a"] = "1"
    assert cached.values(["a"]) == {}
    now[0] += 10
    assert cached.values(["a"]) == {"a": "1"}


def test_a_deleted_secret_is_gone_after_five_minutes() -> None:
    store, now = MemorySecrets({"a": "1"}), [0.0]
    cached = CachedSecrets(store, lambda: now[0])
    cached.values(["a"])
    del store.held["a"]
    assert cached.values(["a"]) == {"a": "1"}
    now[0] += MAX_SECONDS
    assert cached.values(["a"]) == {}


def test_failures_are_not_kept() -> None:
    store = MemorySecrets({"a": "1"})
    store.failure = StoreUnavailableError("away")
    cached = CachedSecrets(store)
    with pytest.raises(StoreUnavailableError):
        cached.values(["a"])
    store.failure = None
    assert cached.values(["a"]) == {"a": "1"}


@pytest.mark.parametrize("away", [False, True])
def test_concurrent_misses_share_one_call(away: bool) -> None:
    waiting, go = threading.Barrier(9), threading.Event()

    class Slow(MemorySecrets):
        def values(self, names: Collection[str]) -> Mapping[str, str]:
            go.wait(60)
            return super().values(names)

    store = Slow({"a": "1", "b": "2"})
    store.failure = StoreUnavailableError("away") if away else None
    cached = CachedSecrets(store)
    results: list[object] = []

    def ask(names: list[str]) -> None:
        waiting.wait(60)
        try:
            results.append(cached.values(names))
        except StoreUnavailableError as error:
            results.append(str(error))

    threads = [threading.Thread(target=ask, args=(["a", "b"],)) for _ in range(8)]
    for thread in threads:
        thread.start()
    waiting.wait(60)
    # All but one wait for that one's call, which is not made before they do.
    while sum(thread.is_alive() for thread in threads) < 8 or not cached._calls:
        pass
    go.set()
    for thread in threads:
        thread.join(60)
    # Whoever came after the call was done found its values, or made another one if it failed.
    assert results == ["away" if away else {"a": "1", "b": "2"}] * 8
    assert store.calls[0] == ["a", "b"]
    if not away:
        assert len(store.calls) == 1
    assert not cached._calls
