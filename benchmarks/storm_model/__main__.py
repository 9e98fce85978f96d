"""Print the table of storms in docs/performance.md, and draw its pictures. Run by `make bench`."""

import time
from pathlib import Path

from matchboxctl.plan.limits import Limits
from matchboxctl.plan.picture import picture
from matchboxctl.plan.report import clock
from matchboxctl.plan.scenario import Scenario, run
from matchboxctl.plan.storm import Fleet

IMAGES = Path(__file__).parents[2] / "docs" / "images"
POWER = Scenario(Fleet(100_000))
# Without the balancer's limit, Lambda's is met.
RESERVED = POWER.with_limits(balancer_units=200)

STORMS = {
    "storm-power": (
        "Power comes back to 100,000 machines",
        {
            "as deployed": POWER,
            "retry.ipxe": POWER.with_fleet(retry=True),
            "200 reserved units": RESERVED,
            "retry.ipxe and 200 units": RESERVED.with_fleet(retry=True),
            "over 5 minutes": POWER.with_fleet(over=300),
        },
    ),
    "storm-quota": (
        "100,000 machines, 200 reserved units, by Lambda quota",
        {f"quota {quota:,}": RESERVED.with_limits(quota=quota) for quota in (1_000, 3_000, 10_000)},
    ),
    "storm-line": (
        "10,000 machines at a site with a line of 10 Gbit/s",
        {"as deployed": Scenario(Fleet(10_000), Limits(line_gbit=10)), "a cache on site": Scenario(Fleet(10_000))},
    ),
    "storm-640": ("640 machines", {"as deployed": Scenario(Fleet(640))}),
}


def main() -> None:
    """Simulate each storm."""
    print("| storm | with | booted | 50% after | 99% after | last after | failed because | USD | simulated in s |")
    print("|---|---|---|---|---|---|---|---|---|")
    for name, (title, scenarios) in STORMS.items():
        curves = []
        for label, scenario in scenarios.items():
            begin = time.perf_counter()
            result = run(scenario)
            seconds = time.perf_counter() - begin
            booted = result.outcome.booted
            curves.append((label, booted))
            times = " | ".join(clock(each) for each in (result.percentile(50), result.percentile(99), booted[-1]))
            failed = ", ".join(result.outcome.failed) or "-"
            costs = f"{sum(result.usd.values()):.2f} | {seconds:.0f}"
            print(f"| {title} | {label} | {len(booted):,} | {times} | {failed} | {costs} |", flush=True)
        (IMAGES / f"{name}.svg").write_text(picture(title, curves, scenario.fleet.machines))


if __name__ == "__main__":
    main()
