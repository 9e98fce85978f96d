"""`serve --sync`: sources are synced at the start and at their intervals, in processes of their own.

A sync inflates and hashes hundreds of megabytes: in this process it would delay answers.
"""

import subprocess
import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from threading import Event, Thread

from asset_sync.sources import ImageSources
from matchbox.errors import MatchboxError

_LOOK = 5.0
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
        while not self._ending.is_set():
            for source_id, interval in self._intervals().items():
                if self._due.get(source_id, 0.0) <= time.monotonic() and not self._ending.is_set():
                    synced = self._sync(source_id)
                    pause = interval if synced else min(interval, _AFTER_FAILURE)
                    self._due[source_id] = time.monotonic() + pause
            self._ending.wait(_LOOK)

    def _intervals(self) -> Mapping[str, float]:
        try:
            sources, refused = self._read()
        except (MatchboxError, OSError) as error:
            sources, refused = {}, [f"the sources cannot be read: {error}"]
        for line in refused:
            if line not in self._refused:
                self._report(line)
        self._refused = set(refused)
        return {source_id: source.interval for source_id, source in sources.items()}

    def _sync(self, source_id: str) -> bool:
        """Whether the source is up to date."""
        command = [sys.executable, "-m", "matchboxctl.main", "sync", *self._flags, source_id]
        # Its results are this command's log, not its output.
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=sys.stderr) as process:
            while process.poll() is None:
                if self._ending.wait(0.2):
                    process.terminate()
                    try:
                        process.wait(_GRACE)
                    except subprocess.TimeoutExpired:
                        process.kill()
            return process.returncode == 0
