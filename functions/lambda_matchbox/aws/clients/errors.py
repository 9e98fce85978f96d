"""Refusals of AWS services, and whether a retry may succeed."""

import json
import re

from lambda_matchbox.errors import MatchboxError, StoreUnavailableError

# Throttling and transient failures, some with a status below 500: DynamoDB's "Error handling", S3's "Error responses".
_RETRIED = frozenset(
    {
        "BandwidthLimitExceeded",
        "InternalServerError",
        "LimitExceededException",
        "OperationAborted",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "RequestTimeout",
        "RequestTimeoutException",
        "SlowDown",
        "Throttling",
        "ThrottledException",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)
# Our clock or our temporary credentials have run out: the same signature fails again, a later one may not.
_STALE_SIGNATURE = frozenset(
    {"ExpiredToken", "ExpiredTokenException", "RequestExpired", "RequestInTheFuture", "RequestTimeTooSkewed"}
)
_STALE_SIGNATURE_MESSAGES = ("Signature expired", "Signature not yet current")
_RETRIED_STATUSES = frozenset({408, 429})


class AWSError(MatchboxError):
    """A service's refusal: its code (the status as text if it sent none), its message, its HTTP status."""

    def __init__(self, code: str, message: str, status: int) -> None:
        super().__init__(f"{code} (HTTP status {status}): {message}")
        self.code = code
        self.message = message
        self.status = status


class UnreachableError(StoreUnavailableError):
    """No connection to a service can be made."""


def error_in(status: int, body: bytes) -> AWSError:
    """The error in a response, in DynamoDB's JSON or S3's XML."""
    text = body.decode("utf-8", "replace")
    code = message = ""
    if text.startswith("{"):
        try:
            content = json.loads(text)
        except ValueError:
            content = {}
        code = str(content.get("__type", "")).rpartition("#")[2]
        message = str(content.get("message", content.get("Message", "")))
    else:
        if found := re.search(r"<Code>([^<]*)</Code>", text):
            code = found[1]
        if found := re.search(r"<Message>([^<]*)</Message>", text):
            message = found[1]
    return AWSError(code or str(status), message or "no reason given", status)


def is_transient(error: AWSError) -> bool:
    """Whether the same request may succeed in a moment."""
    return error.status >= 500 or error.status in _RETRIED_STATUSES or error.code in _RETRIED


def is_stale_signature(error: AWSError) -> bool:
    """Whether the service rejected the time of the signature, or the age of the credentials."""
    return error.code in _STALE_SIGNATURE or (
        error.code == "InvalidSignatureException" and error.message.startswith(_STALE_SIGNATURE_MESSAGES)
    )
