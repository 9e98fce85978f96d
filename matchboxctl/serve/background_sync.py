"""`serve --sync`: syncs sources at the start and at their intervals, in separate processes.

A sync decompresses and hashes hundreds of megabytes: in this process it would delay responses.
"""

import subprocess
import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from threading import Event, Thread

from lambda_matchbox.errors import MatchboxError
from lambda_matchbox.image_sync.sources import ImageSources

_READ_INTERVAL = 5.0
_PAUSE = 0.2
# So that a slow registry does not delay the other sources.
_MAX_PROCESSES = 4
_RETRY_INTERVAL = 60.0
_GRACE = 9.0


class BackgroundSync:
    """Runs `matchboxctl sync ID` for each source as it falls due.

    `read` returns the current sources; `flags` and `environment` select the command's mode. `warn` receives a message
    for each problem that is not in `known`. A source that failed is retried after a minute, or after its interval if
    that is shorter.
    """

    def __init__(
        self,
        read: Callable[[], ImageSources],
        flags: Sequence[str],
        warn: Callable[[str], None],
        known: Collection[str] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._read = read
        self._flags = flags
        self._environment = environment
        self._warn = warn
        self._due: dict[str, float] = {}
        self._refused = set(known)
        self._ending = Event()
        self._thread = Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Start."""
        self._thread.start()

    def begin_end(self) -> None:
        """Have running syncs terminated; the next sync of their sources completes them."""
        self._ending.set()

    def end(self) -> None:
        """Terminate running syncs."""
        self.begin_end()
        self._thread.join()

    def _run(self) -> None:
        running: dict[str, subprocess.Popen[bytes]] = {}
        intervals: Mapping[str, float] = {}
        last_read = -_READ_INTERVAL
        while not self._ending.wait(_PAUSE):
            for source_id in [name for name, process in running.items() if process.poll() is not None]:
                code = running.pop(source_id).returncode
                self._schedule(source_id, intervals.get(source_id, _RETRY_INTERVAL), failed=code != 0)
            if time.monotonic() - last_read >= _READ_INTERVAL:
                intervals, last_read = self._intervals(), time.monotonic()
            for source_id, interval in intervals.items():
                idle = source_id not in running and len(running) < _MAX_PROCESSES
                if idle and self._due.get(source_id, 0.0) <= time.monotonic():
                    try:
                        running[source_id] = self._start_process(source_id)
                    except OSError as error:
                        self._warn(f"{source_id}: cannot start a process: {error.strerror}")
                        self._schedule(source_id, interval, failed=True)
        self._terminate(running.values())

    def _schedule(self, source_id: str, interval: float, *, failed: bool) -> None:
        """Set when the source is due again."""
        self._due[source_id] = time.monotonic() + (min(interval, _RETRY_INTERVAL) if failed else interval)

    def _intervals(self) -> Mapping[str, float]:
        try:
            sources, refused, _ = self._read()
        except (MatchboxError, OSError) as error:
            sources, refused = {}, [f"cannot read the sources: {error}"]
        for line in refused:
            if line not in self._refused:
                self._warn(line)
        self._refused = set(refused)
        return {source_id: source.interval for source_id, source in sources.items()}

    def _start_process(self, source_id: str) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-P", "-m", "matchboxctl.main", "sync", *self._flags, source_id]
        # The results of syncs are log lines of `serve`.
        return subprocess.Popen(command, env=self._environment, stdin=subprocess.DEVNULL, stdout=sys.stderr)

    def _terminate(self, running: Collection["subprocess.Popen[bytes]"]) -> None:
        for process in running:
            process.terminate()
        end = time.monotonic() + _GRACE
        for process in running:
            try:
                process.wait(max(0.0, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
