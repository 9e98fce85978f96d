"""Values of secrets, kept for a while."""

import threading
import time
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING

from lambda_matchbox.secrets.stores import SecretStore

if TYPE_CHECKING:
    from concurrent.futures import Future

MAX_SECONDS = 300
"""Seconds after which a value is read anew; up to a fifth less, so that the processes of a storm spread their reads."""

_ABSENT_SECONDS = 10
_JITTER = 0.2


class CachedSecrets:
    """A store in front of another, for any number of threads; concurrent reads of one secret share a call."""

    def __init__(self, store: SecretStore, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._clock = clock
        self._lock = threading.Lock()
        # With the time until which it is kept; None for a secret that does not exist.
        self._kept: dict[str, tuple[float, str | None]] = {}
        self._calls: dict[str, Future[Mapping[str, str]]] = {}

    def values(self, names: Collection[str]) -> Mapping[str, str]:
        """The values of these secrets, without those that do not exist."""
        # Most functions never ask.
        from concurrent.futures import Future

        found: dict[str, str | None] = {}
        others: dict[str, Future[Mapping[str, str]]] = {}
        own: Future[Mapping[str, str]] = Future()
        with self._lock:
            now = self._clock()
            for name in names:
                until, value = self._kept.get(name, (now, None))
                if now < until:
                    found[name] = value
                else:
                    others[name] = self._calls.setdefault(name, own)
        asked = [name for name, call in others.items() if call is own]
        if asked:
            self._ask(asked, own)
        # The one who asks is bounded by a deadline, and so is this.
        found.update({name: call.result().get(name) for name, call in others.items()})
        return {name: value for name, value in found.items() if value is not None}

    def _ask(self, names: list[str], call: "Future[Mapping[str, str]]") -> None:
        try:
            values = self._store.values(names)
        except BaseException as error:
            self._done(names)
            call.set_exception(error)
            raise
        # Imported where it is needed: few machines have secrets.
        import random

        seconds = MAX_SECONDS * (1 - random.uniform(0, _JITTER))  # noqa: S311 (no secret)
        now = self._clock()
        kept = {name: (now + (seconds if name in values else _ABSENT_SECONDS), values.get(name)) for name in names}
        self._done(names, kept)
        call.set_result(values)

    def _done(self, names: list[str], kept: Mapping[str, tuple[float, str | None]] | None = None) -> None:
        with self._lock:
            self._kept.update(kept or {})
            for name in names:
                del self._calls[name]
