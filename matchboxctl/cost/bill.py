"""The bill of a month, line by line: what is used, by which formula, and what it costs with and without free tiers."""

from collections import defaultdict
from collections.abc import Iterator
from math import prod
from typing import NamedTuple

from matchboxctl.cost import facts
from matchboxctl.cost.prices import PRICES, Price

ALB, CLOUDFRONT = DOORS = "alb", "cloudfront"
REGION, INTERNET, DIRECT_CONNECT = PLACES = "region", "internet", "direct-connect"
_GB = 1e9


class Plan(NamedTuple):
    """What to calculate: machines at `where`, behind a door.

    In the Region and behind Direct Connect they get files from the bucket itself, without the door: behind CloudFront
    that takes S3EndpointId or TokenFreeAddress.
    """

    nodes: int = 10
    boots_per_day: float = 1
    image_mb: float = 100
    door: str = ALB
    where: str = REGION
    history: bool = True

    @property
    def boots(self) -> float:
        """In a month."""
        return self.nodes * self.boots_per_day * facts.DAYS


class Use(NamedTuple):
    """An amount of what has a price; `factors` are the numbers whose product it is, each with what it counts."""

    line: str
    price: str
    factors: tuple[tuple[float, str], ...]

    @property
    def amount(self) -> float:
        """In units of the price."""
        return prod(number for number, _ in self.factors)

    @property
    def formula(self) -> str:
        """The product, in words."""
        return " * ".join(f"{decimal(number)} {what}".strip() for number, what in self.factors)


def decimal(number: float) -> str:
    """The number without an exponent, and without zeros at its end."""
    return f"{number:,.12f}".rstrip("0").rstrip(".")


class Charge(NamedTuple):
    """What a use costs, without free tiers and with what they leave of it."""

    use: Use
    listed: float
    billed: float

    @property
    def price(self) -> Price:
        """The price that it has."""
        return PRICES[self.use.price]


def bill(plan: Plan) -> list[Charge]:
    """The charges; a free tier counts for the first uses of its price."""
    used = defaultdict[str, float](float)
    charges = []
    for use in uses(plan):
        price = PRICES[use.price]
        before = used[use.price]
        after = used[use.price] = before + use.amount
        listed = price.of(after) - price.of(before)
        billed = price.of(max(after, price.free)) - price.of(max(before, price.free))
        charges.append(Charge(use, listed, billed))
    return charges


def uses(plan: Plan) -> Iterator[Use]:
    """What a month takes."""
    through_alb = plan.door == ALB
    # Of a boot: behind the balancer, the function redirects to files.
    calls = facts.REQUESTS + facts.FILES * through_alb
    boots = (plan.boots, "boots")
    yield from _balancer(plan, calls) if through_alb else _cloudfront(plan)
    if plan.where != REGION or not through_alb:
        yield Use("Bytes of scripts", _bytes(plan), (boots, (facts.SCRIPT_BYTES / _GB, "GB")))
    if plan.where != REGION:
        yield Use("Bytes of files", _file_bytes(plan), (boots, (plan.image_mb / 1000, "GB")))
    yield Use("S3, reads", "gets", (boots, (facts.FILES * (1 + facts.FILE_HEADS * through_alb), "requests")))
    yield Use("Lambda, calls", "calls", (boots, (calls, "requests")))
    yield Use("Lambda, time", "seconds", (boots, (calls, "requests"), (facts.WARM, "s"), (facts.MEMORY, "GB")))
    starts = min(plan.boots, facts.STARTS + plan.boots / facts.STORM)
    yield Use("Lambda, time", "seconds", ((starts, "starts"), (facts.COLD, "s"), (facts.MEMORY, "GB")))
    reads = facts.READS + facts.FILES * facts.FILE_READS * through_alb
    yield Use("DynamoDB, reads", "reads", (boots, (reads, "units")))
    written = facts.REQUEST_LOG + facts.FILES * facts.FILE_LOG * through_alb + calls * facts.LAMBDA_LOG
    yield from _logs("Logs", boots, written)
    if plan.history:
        yield from _history(plan, starts, facts.FILES * through_alb)
    yield from _idle(plan)


def _bytes(plan: Plan) -> str:
    if plan.door == CLOUDFRONT:
        return "cloudfront-bytes"
    return _file_bytes(plan)


def _file_bytes(plan: Plan) -> str:
    if plan.where == DIRECT_CONNECT:
        return "direct-connect-bytes"
    return "cloudfront-bytes" if plan.door == CLOUDFRONT else "internet-bytes"


def _balancer(plan: Plan, calls: int) -> Iterator[Use]:
    yield Use("Load balancer", "balancer", ((facts.HOURS, "hours"),))
    units = max(calls / facts.CONNECTIONS_OF_A_UNIT, facts.SCRIPT_BYTES / facts.BYTES_OF_A_UNIT)
    yield Use("Load balancer, capacity", "capacity", ((plan.boots, "boots"), (units, "LCU-hours")))
    if plan.where == INTERNET:
        yield Use("Load balancer, addresses", "ipv4", ((facts.ZONES, "addresses"), (facts.HOURS, "hours")))


def _cloudfront(plan: Plan) -> Iterator[Use]:
    requests = facts.REQUESTS + facts.FILES * (plan.where == INTERNET)
    factors = ((plan.boots, "boots"), (requests, "requests"))
    yield Use("CloudFront, requests", "cloudfront", factors)
    yield Use("CloudFront, function", "edge", factors)


def _history(plan: Plan, starts: float, files: int) -> Iterator[Use]:
    boots = (plan.boots, "boots")
    # The lines of a boot that name the machine, and those of files.
    calls = facts.REQUESTS - 1 + files
    memory = (facts.HISTORY_MEMORY, "GB")
    of_files = facts.FILE_HISTORY * (1 + files) if files else 0
    yield Use("History, calls", "calls", (boots, (calls, "lines")))
    yield Use("History, time", "seconds", (boots, (calls, "lines"), (facts.HISTORY_WARM, "s"), memory))
    yield Use("History, time", "seconds", ((starts, "starts"), (facts.COLD, "s"), memory))
    yield Use("History, reads", "reads", (boots, (facts.HISTORY_READS + of_files, "units")))
    yield Use("History, writes", "writes", (boots, (facts.HISTORY_WRITES + of_files, "units")))
    yield Use("History, storage", "items", (boots, (facts.HISTORY_BYTES / _GB, "GB")))


def _idle(plan: Plan) -> Iterator[Use]:
    runs = (facts.HOURS * facts.SYNCS_AN_HOUR, "runs")
    yield Use("Syncs, schedule", "schedule", (runs,))
    yield Use("Syncs, calls", "calls", (runs,))
    yield Use("Syncs, time", "seconds", (runs, (facts.SYNC, "s"), (facts.SYNC_MEMORY, "GB")))
    yield Use("Syncs, reads", "reads", (runs, (facts.SYNC_READS, "units")))
    yield Use("Syncs, writes", "writes", (runs, (facts.SYNC_WRITES, "units")))
    yield from _logs("Syncs, logs", runs, 2 * facts.LAMBDA_LOG)
    releases = facts.RELEASES
    if plan.door == CLOUDFRONT:
        yield Use("S3, lists", "lists", (runs, (facts.SYNC_LISTS, "requests")))
        releases += facts.COPIES
    yield Use("S3, storage", "objects", ((releases, "releases"), (plan.image_mb / 1000, "GB")))
    items = ((plan.nodes, "nodes"), (facts.ITEM_BYTES / _GB, "GB"))
    yield Use("DynamoDB, storage", "items", items)
    yield Use("DynamoDB, backups", "backups", items)
    yield Use("Custom metrics", "metrics", ((facts.METRICS, "metrics"),))
    yield Use("Alarms", "alarms", ((facts.ALARM_METRICS, "metrics"),))
    yield Use("Dashboard", "dashboards", ((facts.DASHBOARDS, ""),))
    yield Use("Budget", "budgets", ((1, ""),))


def _logs(line: str, times: tuple[float, str], written: int) -> Iterator[Use]:
    factors = (times, (written / _GB, "GB"))
    yield Use(line, "logs", factors)
    # For a month, which is the default of LogRetention; CloudWatch Logs bills what it keeps compressed.
    yield Use(line, "kept-logs", factors)
