"""The faults of a fault proxy."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PassThrough:
    """Relay the request and its response unchanged."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """Refuse connections as a port without a listener does, and cut those that are open."""


@dataclass(frozen=True, slots=True)
class Hang:
    """Read the request and never respond; the connection is cut at the next switch."""


@dataclass(frozen=True, slots=True)
class Delay:
    """Relay the request at once and keep the response back.

    So a client that gives up has still had its request carried out, as with a slow network.
    """

    seconds: float


@dataclass(frozen=True, slots=True)
class Respond:
    """A response of the proxy; the service behind it never sees the request.

    With `only`, the requests of that operation of DynamoDB; the others are relayed.
    """

    status: int
    reason: str
    content_type: str
    body: bytes
    only: str = ""


@dataclass(frozen=True, slots=True)
class Withhold:
    """Let BatchGetItem return its last `keys` keys as UnprocessedKeys; relay everything else.

    The service is asked for the other keys only, at least one, as in AWS, where a batch of which nothing can be read
    is a throttling error. The changed request keeps its signature, so the service must not verify it.
    """

    keys: int = 1


Fault = PassThrough | Refuse | Hang | Delay | Respond | Withhold

INTERNAL_ERROR = Respond(500, "Internal Server Error", "text/plain", b"")
"""A service's own failure, in a form that DynamoDB's and S3's clients both understand."""

THROTTLED = Respond(
    400,
    "Bad Request",
    "application/x-amz-json-1.0",
    b'{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException",'
    b'"message":"The level of configured provisioned throughput for the table was exceeded."}',
)
"""DynamoDB's response to more reads or writes than a partition serves."""

FORBIDDEN = Respond(
    400,
    "Bad Request",
    "application/x-amz-json-1.0",
    b'{"__type":"com.amazon.coral.service#AccessDeniedException","message":"not authorized to perform this"}',
)
"""DynamoDB's response to credentials that may not do this."""

SLOW_DOWN = Respond(
    503,
    "Slow Down",
    "application/xml",
    b'<?xml version="1.0" encoding="UTF-8"?>\n'
    b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>",
)
"""S3's response to too many requests for one prefix."""
