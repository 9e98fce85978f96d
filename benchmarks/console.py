"""Pages of a console of 100,000 machines and groups: their times, sizes and calls, and its memory, in both modes.

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

from benchmarks.boot_machines import mac
from benchmarks.machine_lists import MACHINES, THE_LAST, cursor_of_the_last, in_both_modes
from lambda_matchbox.machines.events import Event
from lambda_matchbox.machines.history_stores import History, HistoryStore

SAMPLES, STARTS, ROWS = 7, 3, 50
BOOTED, AT_ONCE = 1_000, 100
COMMAND = [sys.executable, "-m", "matchboxctl.main", "console", "--address", "127.0.0.1:0"]


class TimedResponse(NamedTuple):
    """What came, after so many seconds."""

    seconds: float
    status: int
    body: bytes


class Console(NamedTuple):
    """A console that runs: its process, its port, and the cookie of a session."""

    process: int
    port: int
    cookie: str

    def get(self, target: str) -> TimedResponse:
        """A page."""
        start = time.perf_counter()
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=600)) as connection:
            connection.request("GET", target, headers={"Cookie": self.cookie})
            response = connection.getresponse()
            body = response.read()
        return TimedResponse(time.perf_counter() - start, response.status, body)

    @property
    def most_memory(self) -> int:
        """The most megabytes that it had."""
        [line] = [one for one in Path(f"/proc/{self.process}/status").read_text().splitlines() if "VmHWM" in one]
        return int(line.split()[1]) // 1024


def main() -> None:
    """Print a table for each mode."""
    in_both_modes(print_times, groups=MACHINES)


def print_times(
    mode: str, store: HistoryStore, environment: Mapping[str, str], calls: Callable[[], Counter[str]]
) -> None:
    """Print what the pages take, in turns."""
    boot(store)
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
        "which machine gets what": f"/which?labels=mac%3D{mac(7)}",
        "boots of an hour": "/boots?last=hour",
        "what changed on a page": f"/live/machines?since={time.time_ns() // 1_000_000}{keys}",
    }
    print(f"{f'console of {MACHINES:,} machines and groups, {mode}':52} {'p50 ms':>8} {'kB':>8}  calls")
    firsts = []
    for _ in range(STARTS):
        with running(environment) as console:
            firsts.append(console.get("/"))
    print_row("first page after the address was printed", firsts)
    with running(environment) as console:
        for name in ("which machine gets what", "boots of an hour"):
            calls()
            print_row(f"{name}, at first", [console.get(pages[name])], calls())
        whole = time.perf_counter()
        while b"being read" in console.get("/live/boots?last=hour").body:
            time.sleep(0.05)
        print(f"{'boots of an hour, when all were read':52} {(time.perf_counter() - whole) * 1e3:>8.0f} {calls()}")
        samples: dict[str, list[TimedResponse]] = {name: [] for name in pages}
        made: dict[str, Counter[str]] = {}
        for _ in range(SAMPLES):
            for name, target in pages.items():
                calls()
                samples[name].append(console.get(target))
                made[name] = calls()
        for name, taken in samples.items():
            print_row(name, taken, made[name])
        print(f"{'memory, MB':52} {console.most_memory:>8}")
        # They read all documents.
        for target in ("/groups", "/health"):
            print_row(f"{target}, at first", [console.get(target)])
        while b"is running" in console.get("/live/groups?name=node7").body:
            time.sleep(1)
        print(f"{'memory after a validation, MB':52} {console.most_memory:>8}")


def boot(store: HistoryStore) -> None:
    """Add a boot of each of the machines with the newest events."""
    for start in range(MACHINES - BOOTED, MACHINES, AT_ONCE):
        now = time.time_ns() // 1_000_000
        History(store).add(
            [
                Event(now + at, "request", route, mac(number), address="10.0.0.5", status=200, group="g")
                for number in range(start, start + AT_ONCE)
                for at, route in enumerate(("/ipxe", "/ignition"))
            ]
        )


def print_row(name: str, taken: list[TimedResponse], made: Mapping[str, int] | None = None) -> None:
    """Print the medians of a page."""
    wall, size = statistics.median(one.seconds for one in taken), statistics.median(len(one.body) for one in taken)
    asked = ", ".join(f"{count} {call}" for call, count in sorted((made or {}).items()))
    failed = "".join(f" failed with {status}" for status in {one.status for one in taken} - {200, 303})
    print(f"{name:52} {wall * 1e3:>8.0f} {size / 1e3:>8.1f}  {asked}{failed}", flush=True)


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
