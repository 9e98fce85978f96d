"""A storm as tables, and as a document."""

from collections.abc import Sequence
from typing import Any

from matchboxctl.cli.tables import table
from matchboxctl.plan.limits import STANDING
from matchboxctl.plan.scenario import Result

PERCENTILES = (50, 90, 99, 100)

_CENT = 0.01
_FOOT = (
    "This is a model. Limits of AWS are as documented, and not measured on AWS. What\n"
    "a balancer serves without reserved units, firmware, DHCP, calls of the table and\n"
    "Lambda's own part of a start, among others, are assumed. -o json names each\n"
    "limit with its source.\n"
)

Tried = Sequence[tuple[str, Result]]


def text(result: Result, within: float, tried: Tried) -> str:
    """The tables."""
    fleet, outcome, done = result.scenario.fleet, result.outcome, result.outcome.within(within)
    booted = f"{len(outcome.booted):,} of {fleet.machines:,} machines booted, {done:,} within {clock(within)}.\n"
    counts = f"Lambda had {result.environments:,} environments, {result.most_busy:,} busy at once.\n"
    lag = f"Histories were {clock(result.history_lag)} late at most.\n"
    parts = [booted, table(["BOOTED", "AFTER"], [[f"{each}%", clock(result.percentile(each))] for each in PERCENTILES])]
    for heading, counted in (("FAILED MACHINES", outcome.failed), ("REFUSED REQUESTS", outcome.refused)):
        if counted:
            parts.append(table([f"{heading:16}", "WHY"], [[f"{n:,}", why] for why, n in counted.most_common()]))
    if waits := [[f"{wait:.1f} s", why] for why, wait in result.waits.items() if wait]:
        parts.append(table(["LONGEST WAIT    ", "AT"], waits))
    lines = sorted(result.usd.items(), key=lambda each: -each[1])
    money = [("all", sum(result.usd.values())), *((line, usd) for line, usd in lines if usd >= _CENT / 2)]
    parts += [counts + lag, table(["USD", "FOR"], [[f"{usd:,.2f}", line] for line, usd in money])]
    if tried:
        rows = [
            [name, f"{len(one.booted):,}", f"{one.within(within):,}", clock(max(one.booted, default=None))]
            for name, (_, one, *_) in tried
        ]
        parts.append(table(["WITH", "BOOTED", f"WITHIN {clock(within)}", "LAST AFTER"], rows))
    return "\n".join([*parts, _FOOT])


def document(result: Result, within: float, tried: Tried) -> dict[str, Any]:
    """The same for programs, with every limit."""
    limits = result.scenario.limits._asdict()
    scenario = result.scenario._asdict() | {"fleet": result.scenario.fleet._asdict()}
    del scenario["limits"]
    return {
        "scenario": scenario,
        "within_seconds": within,
        **_document(result, within),
        "knobs": [{"knob": name, **_document(one, within)} for name, one in tried],
        "limits": [
            {"name": name, "value": value, "standing": STANDING[name][0], "source": STANDING[name][1]}
            for name, value in limits.items()
        ],
    }


def _document(result: Result, within: float) -> dict[str, Any]:
    outcome = result.outcome
    return {
        "booted": len(outcome.booted),
        "booted_within": outcome.within(within),
        "seconds": {f"p{each}": result.percentile(each) for each in PERCENTILES},
        "failed": dict(outcome.failed),
        "refused_requests": dict(outcome.refused),
        "longest_waits": dict(result.waits),
        "environments": result.environments,
        "busy_environments": result.most_busy,
        "history_lag_seconds": result.history_lag,
        "usd": dict(result.usd),
    }


def clock(seconds: float | None) -> str:
    """Hours, minutes and seconds; a dash for never."""
    if seconds is None:
        return "-"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s" if minutes else f"{rest} s"
