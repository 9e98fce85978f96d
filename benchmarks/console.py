"""Pages of a console of 100,000 machines: their times, sizes and calls, and its memory, in both modes.

The console is a process of its own. Its table is on DynamoDB Local, behind a proxy that counts the calls. Run by
`make bench`.
"""

import http.client
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from benchmarks.machine_lists import MACHINES, THE_LAST, cursor_of_the_last, in_both_modes, mac
from lambda_matchbox.machines.history_stores import HistoryStore

SAMPLES, ROWS = 7, 50
COMMAND = [sys.executable, "-m", "matchboxctl.main", "console", "--address", "127.0.0.1:0"]


class Console(NamedTuple):
    """A console that runs: its process, its port, and the cookie of a session."""

    process: int
    port: int
    cookie: str

    def get(self, target: str) -> tuple[float, int]:
        """The seconds until the page is there, and its size."""
        start = time.perf_counter()
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)) as connection:
            connection.request("GET", target, headers={"Cookie": self.cookie})
            response = connection.getresponse()
            body = response.read()
        assert response.status in (200, 303), body
        return time.perf_counter() - start, len(body)

    @property
    def most_memory(self) -> int:
        """The most megabytes that it had."""
        [line] = [one for one in Path(f"/proc/{self.process}/status").read_text().splitlines() if "VmHWM" in one]
        return int(line.split()[1]) // 1024


def main() -> None:
    """Print a table for each mode."""
    in_both_modes(print_times)


def print_times(
    mode: str, store: HistoryStore, environment: Mapping[str, str], calls: Callable[[], Counter[str]]
) -> None:
    """Print what the pages take, in turns."""
    keys = "".join(f"&key=mac:{mac(MACHINES - number)}" for number in range(1, ROWS))
    pages = {
        "first page": "/",
        "filter: a group": "/?group=g",
        "filter: few, unknown": "/?state=unknown",
        f"page {2 * THE_LAST:,}": f"/?cursor={cursor_of_the_last(store)}",
        "search: a MAC address": f"/?q={mac(7)}",
        "search: the beginning of one": f"/?q={mac(7)[:14]}",
        "search: nothing": "/?q=nothing",
        "a machine": f"/machines/{mac(7)}",
        "boots of a week": "/boots?last=week",
        "what changed on a page": f"/live/machines?since={time.time_ns() // 1_000_000}{keys}",
    }
    with running(environment) as console:
        first, _ = console.get("/")
        samples: dict[str, list[tuple[float, int]]] = {name: [] for name in pages}
        made: dict[str, Counter[str]] = {}
        for _ in range(SAMPLES):
            for name, target in pages.items():
                calls()
                samples[name].append(console.get(target))
                made[name] = calls()
        title = f"console of {MACHINES:,} machines, {mode}"
        print(f"{title:52} {'p50 ms':>8} {'kB':>8}  calls")
        print(f"{'first page of all':52} {first * 1e3:>8.0f}")
        for name, taken in samples.items():
            wall, size = (statistics.median(each) for each in zip(*taken, strict=True))
            asked = ", ".join(f"{count} {call}" for call, count in sorted(made[name].items()))
            print(f"{name:52} {wall * 1e3:>8.0f} {size / 1e3:>8.1f}  {asked}")
        print(f"{'memory, MB':52} {console.most_memory:>8}")


@contextmanager
def running(environment: Mapping[str, str]) -> Iterator[Console]:
    """A console of the environment's store."""
    with subprocess.Popen(COMMAND, env=dict(environment), stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            opened = next(line for line in process.stdout if line.startswith("open "))
            port, _, secret = opened.removeprefix("open http://127.0.0.1:").strip().partition("/?token=")
            with closing(http.client.HTTPConnection("127.0.0.1", int(port), timeout=120)) as connection:
                connection.request("GET", f"/?token={secret}")
                cookie = connection.getresponse().headers["set-cookie"].partition(";")[0]
            yield Console(process.pid, int(port), cookie)
        finally:
            process.terminate()


if __name__ == "__main__":
    main()
