"""`serve --sync`: sources are synced at the start and at their intervals, in processes of their own.

A sync inflates and hashes hundreds of megabytes: in this process it would delay answers.
"""

import subprocess
import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from threading import Event, Thread

from lambda_matchbox.errors import MatchboxError
from lambda_matchbox.image_sync.sources import ImageSources

_LOOK = 5.0
_PAUSE = 0.2
# A registry that is slow keeps no other source back.
_MOST_AT_ONCE = 4
_AFTER_FAILURE = 60.0
_GRACE = 10.0


class BackgroundSync:
    """Runs `matchboxctl sync ID` for each source as it falls due.

    `read` gives the sources as they are now; `flags` are those of the command's mode. `report` is given a line for each
    fault, but for those that were `told` already. A source that failed is tried again after a minute, or its interval
    where that is shorter.
    """

    def __init__(
        self,
        read: Callable[[], ImageSources],
        flags: Sequence[str],
        report: Callable[[str], None],
        told: Collection[str] = (),
    ) -> None:
        self._read = read
        self._flags = flags
        self._report = report
        self._due: dict[str, float] = {}
        self._refused = set(told)
        self._ending = Event()
        self._thread = Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def end(self) -> None:
        """End what is under way; the next sync of that source finishes it."""
        self._ending.set()
        self._thread.join()

    def _run(self) -> None:
        running: dict[str, subprocess.Popen[bytes]] = {}
        intervals: Mapping[str, float] = {}
        looked = -_LOOK
        while not self._ending.wait(_PAUSE):
            for source_id in [name for name, process in running.items() if process.poll() is not None]:
                code = running.pop(source_id).returncode
                self._await(source_id, intervals.get(source_id, _AFTER_FAILURE), failed=code != 0)
            if time.monotonic() - looked >= _LOOK:
                intervals, looked = self._intervals(), time.monotonic()
            for source_id, interval in intervals.items():
                idle = source_id not in running and len(running) < _MOST_AT_ONCE
                if idle and self._due.get(source_id, 0.0) <= time.monotonic():
                    try:
                        running[source_id] = self._begin(source_id)
                    except OSError as error:
                        self._report(f"{source_id}: no process can be started: {error.strerror}")
                        self._await(source_id, interval, failed=True)
        self._end_all(running.values())

    def _await(self, source_id: str, interval: float, *, failed: bool) -> None:
        """Let the source be due again later."""
        self._due[source_id] = time.monotonic() + (min(interval, _AFTER_FAILURE) if failed else interval)

    def _intervals(self) -> Mapping[str, float]:
        try:
            sources, refused, _ = self._read()
        except (MatchboxError, OSError) as error:
            sources, refused = {}, [f"the sources cannot be read: {error}"]
        for line in refused:
            if line not in self._refused:
                self._report(line)
        self._refused = set(refused)
        return {source_id: source.interval for source_id, source in sources.items()}

    def _begin(self, source_id: str) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "matchboxctl.main", "sync", *self._flags, source_id]
        # Its results are this command's log, not its output.
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=sys.stderr)

    def _end_all(self, running: Collection["subprocess.Popen[bytes]"]) -> None:
        for process in running:
            process.terminate()
        for process in running:
            try:
                process.wait(_GRACE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
