"""What limits a boot storm, and how each number is known: measured here, documented by AWS, assumed, or given."""

from typing import Annotated, NamedTuple, get_type_hints

DOCUMENTED, ASSUMED, GIVEN = "documented by AWS, not measured", "assumed", "given"
MEASURED = "measured, docs/performance.md"
_LAMBDA = "https://docs.aws.amazon.com/lambda/latest/dg/"
_TABLE = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/"
_S3 = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/"
_CLOUDFRONT = "https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/"


class Limits(NamedTuple):
    """The limits of an account and its stack, each with its source; seconds, and amounts a second."""

    quota: Annotated[int, DOCUMENTED, f"default of an account, {_LAMBDA}lambda-concurrency.html"] = 1_000
    starts: Annotated[float, DOCUMENTED, f"1,000 in 10 s, {_LAMBDA}scaling-behavior.html"] = 100
    start_burst: Annotated[int, DOCUMENTED, "the same; unused starts are not added up"] = 1_000
    calls_of_an_environment: Annotated[int, DOCUMENTED, f"{_LAMBDA}lambda-concurrency.html"] = 10
    processor: Annotated[float, DOCUMENTED, f"1,769 MB have one, {_LAMBDA}configuration-memory.html"] = 1024 / 1769
    warm_processor: Annotated[float, MEASURED, "/ipxe on one of our processors, not on Lambda's"] = 0.00015
    environment_start: Annotated[float, ASSUMED, "Lambda's own part; AWS publishes no figure"] = 0.25
    init: Annotated[float, MEASURED, "import of the handler by a whole processor, not on Lambda"] = 0.08
    first_processor: Annotated[float, MEASURED, "the first /ipxe with TLS, not on Lambda"] = 0.03
    table_call: Annotated[float, ASSUMED, "AWS promises single-digit milliseconds"] = 0.005
    bucket_call: Annotated[float, DOCUMENTED, f"100 to 200 ms, {_S3}optimizing-performance.html"] = 0.1
    table_reads: Annotated[int, DOCUMENTED, f"of a new table, {_TABLE}warm-throughput-scenarios.html"] = 12_000
    table_quota: Annotated[int, DOCUMENTED, f"{_TABLE}on-demand-capacity-mode.html"] = 40_000
    item_reads: Annotated[int, DOCUMENTED, "a partition's, the same page as table_reads"] = 3_000
    read_deadline: Annotated[float, "tested", "boot_api then responds 503 with Retry-After"] = 4.5
    history_writes: Annotated[int, DOCUMENTED, "a new table's, the same page as table_reads"] = 4_000
    history_concurrency: Annotated[int, GIVEN, "the stack's HistoryConcurrency; 0 reserves none"] = 0
    bucket_gets: Annotated[int, DOCUMENTED, "of a prefix, the same page as bucket_call"] = 5_500
    balancer_units: Annotated[int, GIVEN, "reserved, of 25 connections a second each, as AWS documents"] = 0
    balancer_connections: Annotated[int, ASSUMED, "without reserved units; AWS publishes no figure"] = 2_500
    balancer_growth: Annotated[float, ASSUMED, "in five minutes; AWS publishes no figure"] = 1.5
    keep_alive: Annotated[bool, ASSUMED, "of the balancer's responses, without which iPXE keeps no connection"] = False
    cloudfront_requests: Annotated[int, DOCUMENTED, f"{_CLOUDFRONT}cloudfront-limits.html"] = 250_000
    line_gbit: Annotated[float, GIVEN, "of the site; 0 is no limit"] = 0
    machine_gbit: Annotated[float, ASSUMED, "of a machine's own interface"] = 1
    firmware: Annotated[tuple[float, float], ASSUMED, "from power to DHCP, shortest and longest"] = (60, 180)
    dhcp: Annotated[tuple[float, float], ASSUMED, "shortest and longest"] = (1, 5)
    system_start: Annotated[float, ASSUMED, "from the last file to the request for the configuration"] = 10
    round_trip: Annotated[float, ASSUMED, "before each request"] = 0.02


STANDING = {name: hint.__metadata__ for name, hint in get_type_hints(Limits, include_extras=True).items()}
"""Of each limit: how it is known, and its source."""
