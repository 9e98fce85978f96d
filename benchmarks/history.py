"""What the history of machines costs boots: `serve` with it and without it, in turns, over a data directory.

A storm is 200 machines at once, each of which requests its script, its configuration and an asset, on a connection of
its own. A ratio is the median of those of the rounds, each of which has a storm on either. Run by `make bench`.
"""

import http.client
import json
import math
import statistics
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path

from tests.support.serving import started

MACHINES, ROUNDS, PAUSE = 200, 24, 6.0


def main() -> None:
    """Print a line for each percentile."""
    with ExitStack() as stack:
        servers = {}
        for name, days in (("without", "0"), ("with", "30")):
            data = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            _fill(data)
            flags = ("--address", "127.0.0.1:0", "--data-path", str(data), "--log-level", "error")
            servers[name] = stack.enter_context(started(*flags, "--history-days", days)).port
        found: dict[str, list[list[float]]] = {name: [] for name in servers}
        for number in range(ROUNDS + 1):
            for name in [*servers][:: 1 if number % 2 else -1]:
                taken = _storm(servers[name])
                # What is queued for three seconds is written by then, and no burden on the next storm. The first round
                # warms both.
                time.sleep(PAUSE)
                if number:
                    found[name].append(statistics.quantiles(taken, n=100))
    for percent in (50, 99):
        values = {name: [quantiles[percent - 1] for quantiles in each] for name, each in found.items()}
        medians = ", ".join(f"{name} history {statistics.median(each):.1f} ms" for name, each in values.items())
        ratios = sorted(one / other for one, other in zip(values["with"], values["without"], strict=True))
        # By the binomial distribution of how many are below the median.
        rank = int((ROUNDS - 1.96 * math.sqrt(ROUNDS)) / 2)
        low, high = ratios[rank], ratios[-1 - rank]
        print(f"/ipxe, p{percent}: {medians}; ratio {statistics.median(ratios):.3f}, 95% from {low:.3f} to {high:.3f}")


def _storm(port: int) -> list[float]:
    """The milliseconds that each machine waited for its script."""
    taken: list[float] = []
    barrier = threading.Barrier(MACHINES)

    def boot(number: int) -> None:
        query = f"mac=52:54:00:00:00:{number:02x}&uuid=4c4c4544-0038-4410-8052-{number:012x}"
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.connect()
        barrier.wait()
        for route in (f"/ipxe?{query}", f"/generic?{query}", "/assets/k"):
            start = time.perf_counter()
            connection.request("GET", route)
            response = connection.getresponse()
            response.read()
            if response.status != 200:
                raise SystemExit(f"{route}: {response.status}")
            if route.startswith("/ipxe"):
                taken.append((time.perf_counter() - start) * 1000)
        connection.close()

    threads = [threading.Thread(target=boot, args=(number,)) for number in range(MACHINES)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return taken


def _fill(data: Path) -> None:
    for name in ("groups", "profiles", "generic", "assets"):
        (data / name).mkdir()
    (data / "groups/g.json").write_text(json.dumps({"profile": "p", "metadata": {"name": "n"}}))
    profile = {"boot": {"kernel": "/assets/k", "args": ["console=ttyS0"]}, "generic_id": "t"}
    (data / "profiles/p.json").write_text(json.dumps(profile))
    (data / "generic/t").write_text("hostname: {{.name}}\n")
    (data / "assets/k").write_bytes(b"k" * 4096)


if __name__ == "__main__":
    main()
