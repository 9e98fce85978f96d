"""The writer of the history, in a thread of its own: no response waits for it."""

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Self

from lambda_matchbox.errors import MatchboxError
from lambda_matchbox.machines.events import Event, event_in, may_be_event
from lambda_matchbox.machines.history_stores import History, HistoryStore
from lambda_matchbox.web.access_log import REQUEST, Log
from matchboxctl.cli.plurals import counted

_QUEUED = 10_000
_LONG, _KEPT = ("path", "user_agent", "reason"), 512
_INTERVAL = 1.0
_BATCH = 50
# While many machines boot, their responses come first, for so many milliseconds.
_MANY, _MOST_DELAY = 100, 3000
# Responses have the interpreter for so many times as long as a batch has it.
_SHARE = 10
# And for so many while lines are about to be lost anyway.
_SHARE_IN_A_FLOOD = 40
# After the downloads of the end: together with their 8 seconds, less than the 10 after which Docker kills.
_END_SECONDS = 1.5
_REPORT_SECONDS = 60.0
_REMOVAL_SECONDS = 60.0


class HistoryWriter:
    """Writes the events of a log's requests while it is entered, and has the store remove what is too old.

    It is entered after a fork, and its thread opens the store. The oldest lines are dropped while that cannot be
    written or is too slow; `warn` gets a line that says so.
    """

    def __init__(self, opened: Callable[[], AbstractContextManager[HistoryStore]], warn: Callable[[str], None]) -> None:
        self._opened = opened
        self._warn = warn
        self._queue: deque[tuple[int, Mapping[str, object]]] = deque(maxlen=_QUEUED)
        self._dropped = 0
        self._batch: list[Event] = []
        self._problem = ""
        self._next_report = self._next_removal = 0.0
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="history", daemon=True)

    def put(self, line: Mapping[str, object]) -> None:
        """Queue a line of the access log, whose event is made when it is written."""
        if may_be_event(line):
            if len(self._queue) == _QUEUED:
                self._dropped += 1
            # A client chooses how long these are, up to a whole head: thousands must not fill the memory.
            long = {
                name: text[:_KEPT] for name in _LONG if isinstance(text := line.get(name), str) and len(text) > _KEPT
            }
            self._queue.append((_now(), {**line, **long} if long else line))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Write what is queued, for some seconds."""
        self._stopped.set()
        self._thread.join(_END_SECONDS)

    def _run(self) -> None:
        with self._opened() as store:
            while not self._stopped.wait(_INTERVAL):
                if len(self._queue) < _MANY or self._queue[0][0] < _now() - _MOST_DELAY:
                    self._write(store)
            self._write(store)
            # A damaged file has been replaced now.
            self._write(store)

    def _write(self, store: HistoryStore) -> None:
        """Write what is queued. A batch that cannot be written is tried again the next time."""
        try:
            while self._batch or self._queue:
                start = time.monotonic()
                self._batch = self._batch or self._next_batch()
                History(store).add(self._batch)
                self._batch = []
                self._remove_old(store)
                share = _SHARE if len(self._queue) < _QUEUED // 2 else _SHARE_IN_A_FLOOD
                self._stopped.wait(share * (time.monotonic() - start))
            self._remove_old(store)
        except MatchboxError as error:
            if str(error) != self._problem:
                self._problem = str(error)
                self._warn(f"history: {error}; boots go on")
            return
        self._problem = ""
        if self._dropped and time.monotonic() >= self._next_report:
            lost, self._dropped = self._dropped, 0
            self._next_report = time.monotonic() + _REPORT_SECONDS
            self._warn(f"history: {counted(lost, 'event')} lost: it could not be written in time")

    def _next_batch(self) -> list[Event]:
        lines = [self._queue.popleft() for _ in range(min(_BATCH, len(self._queue)))]
        return [event for moment, line in lines if (event := event_in(line, moment)) is not None]

    def _remove_old(self, store: HistoryStore) -> None:
        # Some with each batch, and never fewer than it adds.
        if time.monotonic() >= self._next_removal and not store.remove_old(_now()):
            self._next_removal = time.monotonic() + _REMOVAL_SECONDS


class RecordedLog:
    """A log (see `web.access_log.Log`) whose requests are put into the history too, whatever level it shows."""

    def __init__(self, log: Log, put: Callable[[Mapping[str, object]], None]) -> None:
        self.info, self.warning, self.error = (_recorded(write, put) for write in (log.info, log.warning, log.error))
        self.exception = log.exception


def _recorded(write: Callable[..., None], put: Callable[[Mapping[str, object]], None]) -> Callable[..., None]:
    def log(msg: object, *args: object, extra: Mapping[str, object] | None = None, **more: object) -> None:
        write(msg, *args, extra=extra, **more)
        if msg == REQUEST and extra is not None:
            put(extra)

    return log


def _now() -> int:
    return time.time_ns() // 1_000_000
