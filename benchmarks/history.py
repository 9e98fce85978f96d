"""What the history of machines costs boots: `serve` with it and without it, in turns, over a data directory.

A storm is 200 machines at once, each of which requests its script, an asset and its configuration, on a connection of
its own; between them all wait for all, as each would load a kernel. The servers have one processor, and the machines
the others. Each round has two storms on either, one right after the other. The second counts: the first after a pause
measures how a processor wakes. What slows a round on a virtual machine is mostly its neighbours, which is why the
fastest tenths of the rounds are compared, too. Run by `make bench`.
"""

import asyncio
import json
import math
import os
import re
import statistics
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from tests.support.serving import started

MACHINES, ROUNDS, PAUSE = 200, 50, 6.0


def main() -> None:
    """Print a line for each percentile."""
    with ExitStack() as stack:
        # Otherwise the time is that of machines and servers that wait for a processor of one another.
        first, *others = processors = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {first})
        servers = {}
        for name, days in (("without", "0"), ("with", "30")):
            data = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            _fill(data)
            flags = ("--address", "127.0.0.1:0", "--data-path", str(data), "--log-level", "error")
            servers[name] = stack.enter_context(started(*flags, "--history-days", days)).port
        os.sched_setaffinity(0, others or processors)
        found: dict[str, list[list[float]]] = {name: [] for name in servers}
        for number in range(ROUNDS + 1):
            for name in [*servers][:: 1 if number % 2 else -1]:
                asyncio.run(_storm(servers[name]))
                taken = asyncio.run(_storm(servers[name]))
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
        fastest = {name: statistics.quantiles(each, n=10, method="inclusive")[0] for name, each in values.items()}
        shown = ", ".join(f"{name} history {each:.1f} ms" for name, each in fastest.items())
        print(f"  fastest tenths of the rounds: {shown}; ratio {fastest['with'] / fastest['without']:.3f}")


async def _storm(port: int) -> list[float]:
    """The milliseconds that each machine waited for its script."""
    begun = asyncio.Event()
    connected = asyncio.Barrier(MACHINES + 1)
    served = asyncio.Barrier(MACHINES)

    async def boot(number: int) -> float:
        query = f"mac=52:54:00:00:00:{number:02x}&uuid=4c4c4544-0038-4410-8052-{number:012x}"
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        await connected.wait()
        await begun.wait()
        taken = []
        for route in (f"/ipxe?{query}", "/assets/k", f"/generic?{query}"):
            start = time.perf_counter()
            writer.write(f"GET {route} HTTP/1.1\r\nHost: matchbox\r\n\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            size = re.search(rb"(?i)^content-length: (\d+)\r$", head, re.MULTILINE)
            if size is None or not head.startswith(b"HTTP/1.1 200 "):
                raise SystemExit(f"{route}: {head.decode()}")
            await reader.readexactly(int(size[1]))
            taken.append((time.perf_counter() - start) * 1000)
            await served.wait()
        writer.close()
        await writer.wait_closed()
        return taken[0]

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(boot(number)) for number in range(MACHINES)]
        await connected.wait()
        begun.set()
    return [task.result() for task in tasks]


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
