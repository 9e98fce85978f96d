"""AWS's list prices in us-east-1, and what is free each month in every account."""

from itertools import pairwise
from typing import NamedTuple

REGION, DATE = "us-east-1", "2026-11-30"
"""Where the prices hold, and the day on which the sources were read."""

_CLOUDFRONT = "https://aws.amazon.com/cloudfront/pricing/"
_CLOUDWATCH_PAGE = "https://cloudburn.io/blog/amazon-cloudwatch-pricing (2026-02)"
_DYNAMODB_PAGE = "https://aws.amazon.com/dynamodb/pricing/on-demand/"
_TRANSFER_PAGE = "https://www.egresscost.com/aws (2026)"
_OCEL = "https://github.com/ocelhq/ocel, 2026-09-06"


def _list(service: str, quoted: str) -> str:
    """AWS's price list of a service, which docs/deploy.md says how to read, and who quotes it."""
    return f"https://pricing.us-east-1.amazonaws.com ({service}), as quoted by {quoted}"


_BALANCER = _list("AWSELB", "a cost report, 2026-08")
_CLOUDWATCH = _list("AmazonCloudWatch", "a cost report, 2026-09-21")
_DYNAMODB = _list("AmazonDynamoDB", _OCEL)
_LAMBDA = _list("AWSLambda", _OCEL)
_S3 = _list("AmazonS3", _OCEL)


class Price(NamedTuple):
    """USD for `per` units, of which the first `free` cost nothing.

    Beyond each threshold of `tiers` another price holds. `verified` says whether the number stood on a page of AWS's
    own when it was read; the others are from whoever is named, some of whom quote AWS's price list.
    """

    unit: str
    usd: float
    source: str
    per: int = 1
    free: float = 0
    tiers: tuple[tuple[float, float], ...] = ()
    verified: bool = False

    def of(self, amount: float) -> float:
        """What the amount costs, with nothing free."""
        steps = [(0.0, self.usd), *self.tiers, (float("inf"), 0.0)]
        return sum(max(0.0, min(amount, end) - begin) * usd / self.per for (begin, usd), (end, _) in pairwise(steps))


PRICES = {
    "balancer": Price("hour", 0.0225, _BALANCER),
    "capacity": Price("LCU-hour", 0.008, _BALANCER),
    "ipv4": Price("address-hour", 0.005, _list("AmazonVPC", "a cost report, 2026-07-24")),
    # That of https, which is the dearer one.
    "cloudfront": Price("request", 0.01, _list("AmazonCloudFront", _OCEL), 10_000, 1e7),
    "edge": Price("invocation", 0.10, "https://cur.vantage.sh/aws/amazoncloudfront/", 1_000_000, 2e6),
    "cloudfront-bytes": Price(
        "GB",
        0.085,
        _CLOUDFRONT,
        1,
        1_000,
        ((10_240, 0.08), (51_200, 0.06), (153_600, 0.04), (512_000, 0.03)),
        verified=True,
    ),
    "internet-bytes": Price(
        "GB", 0.09, _list("AWSDataTransfer", _OCEL), 1, 100, ((10_240, 0.085), (51_200, 0.07), (153_600, 0.05))
    ),
    # Without the port, which is billed by the hour.
    "direct-connect-bytes": Price("GB", 0.02, _TRANSFER_PAGE),
    "calls": Price("call", 0.20, _LAMBDA, 1_000_000, 1e6),
    "seconds": Price("GB-second of ARM64", 0.0000133334, _LAMBDA, 1, 400_000),
    "reads": Price("read unit", 0.125, _DYNAMODB, 1_000_000),
    "writes": Price("write unit", 0.625, _DYNAMODB, 1_000_000),
    "items": Price("GB-month", 0.25, _DYNAMODB, 1, 25),
    "backups": Price("GB-month", 0.20, _DYNAMODB_PAGE),
    "objects": Price("GB-month", 0.023, _S3),
    "gets": Price("GET or HEAD", 0.0004, _S3, 1_000),
    "lists": Price("LIST", 0.005, _S3, 1_000),
    "logs": Price("GB", 0.50, _CLOUDWATCH, 1, 5),
    "kept-logs": Price("GB-month", 0.03, _CLOUDWATCH_PAGE),
    "metrics": Price("metric", 0.30, _CLOUDWATCH, 1, 10),
    "alarms": Price("metric of an alarm", 0.10, _CLOUDWATCH, 1, 10),
    "dashboards": Price("dashboard", 3.00, _CLOUDWATCH_PAGE, 1, 3),
    "schedule": Price("call", 1.00, "https://cloudburn.io/blog/amazon-eventbridge-pricing (2026-03)", 1_000_000, 14e6),
    "budgets": Price("budget", 0.0, "https://aws.amazon.com/aws-cost-management/aws-budgets/pricing/"),
}
