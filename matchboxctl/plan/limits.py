"""What limits a boot storm, and how each number is known: measured here, documented by AWS, or assumed."""

from typing import NamedTuple

from matchboxctl.cost import facts


class Limits(NamedTuple):
    """The limits of an account and its stack; seconds, and amounts a second."""

    quota: int = 1_000
    starts: float = 100
    start_burst: int = 1_000
    calls_of_an_environment: int = 10
    warm: float = facts.WARM
    cold: float = facts.COLD
    table_reads: int = 12_000
    table_quota: int = 40_000
    item_reads: int = 3_000
    read_deadline: float = 4.5
    history_writes: int = 4_000
    bucket_gets: int = 5_500
    balancer_units: int = 0
    balancer_connections: int = 2_500
    balancer_growth: float = 1.5
    cloudfront_requests: int = 250_000
    line_gbit: float = 0
    machine_gbit: float = 1
    firmware: tuple[float, float] = (60, 180)
    dhcp: tuple[float, float] = (1, 5)
    system_start: float = 10
    round_trip: float = 0.02


DOCUMENTED, ASSUMED = "documented by AWS, not measured", "assumed"
_GUIDE = "https://docs.aws.amazon.com/"

STANDING = {
    "quota": (DOCUMENTED, f"Lambda's default quota, {_GUIDE}lambda/latest/dg/lambda-concurrency.html"),
    "starts": (DOCUMENTED, f"1,000 environments every 10 s, {_GUIDE}lambda/latest/dg/scaling-behavior.html"),
    "start_burst": (DOCUMENTED, "the same; unused starts are not added up"),
    "calls_of_an_environment": (DOCUMENTED, f"{_GUIDE}lambda/latest/dg/lambda-concurrency.html"),
    "warm": (ASSUMED, "of matchboxctl cost"),
    "cold": (ASSUMED, "of matchboxctl cost"),
    "table_reads": (DOCUMENTED, f"{_GUIDE}amazondynamodb/latest/developerguide/warm-throughput-scenarios.html"),
    "table_quota": (DOCUMENTED, f"{_GUIDE}amazondynamodb/latest/developerguide/on-demand-capacity-mode.html"),
    "item_reads": (DOCUMENTED, "a partition's, the same page as table_reads"),
    "read_deadline": ("tested", "boot_api retries for so long, then it responds 503 with Retry-After"),
    "history_writes": (DOCUMENTED, "a new table's, the same page as table_reads"),
    "bucket_gets": (DOCUMENTED, f"{_GUIDE}AmazonS3/latest/userguide/optimizing-performance.html"),
    "balancer_units": (DOCUMENTED, "reserved capacity units, of 25 new connections a second each"),
    "balancer_connections": (ASSUMED, "without reserved units; AWS publishes no figure"),
    "balancer_growth": (ASSUMED, "in five minutes, without reserved units; AWS publishes no figure"),
    "cloudfront_requests": (DOCUMENTED, f"{_GUIDE}AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html"),
    "line_gbit": (ASSUMED, "given; 0 is no limit"),
    "machine_gbit": (ASSUMED, "of a machine's own interface"),
    "firmware": (ASSUMED, "from power to DHCP, shortest and longest"),
    "dhcp": (ASSUMED, "shortest and longest"),
    "system_start": (ASSUMED, "from the last file to the request for the configuration"),
    "round_trip": (ASSUMED, "before each request"),
}
"""Of each limit: how it is known, and its source."""
