"""When a request to a registry is repeated, and when it is given up."""

import re
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import NamedTuple, TypeVar

from lambda_matchbox.backoff import Backoff
from lambda_matchbox.oci.errors import RegistryError

Result = TypeVar("Result")

_SECONDS = re.compile(r"[0-9]{1,20}", re.ASCII)


class RetryPolicy(NamedTuple):
    """The limits of requests to a registry.

    `attempts` includes the first one. A Retry-After replaces the pause of `backoff`, up to the longest. Timeouts are in
    seconds: `connect_timeout` for each address; within `read_timeout` a response has to begin and its body to make some
    progress.
    """

    attempts: int = 5
    backoff: Backoff = Backoff(first=0.5, longest=30.0)
    connect_timeout: float = 10.0
    read_timeout: float = 30.0


class TransientError(RegistryError):
    """A failure that may pass by itself; `retry_after` is the pause in seconds that the registry asks for, if any."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Attempts:
    """The failed attempts at one operation."""

    def __init__(self, policy: RetryPolicy) -> None:
        self._policy = policy
        self._failed = 0

    def wait_after(self, error: TransientError) -> None:
        """Sleep before the next attempt. Raises RegistryError where none is left."""
        self._failed += 1
        if self._failed >= self._policy.attempts:
            raise RegistryError(f"{error} (given up after {self._failed} attempts)") from error
        backoff = self._policy.backoff
        retry_after = error.retry_after
        time.sleep(backoff.pause(self._failed) if retry_after is None else min(retry_after, backoff.longest))

    def reset(self) -> None:
        """Grant all attempts again, after progress."""
        self._failed = 0


def retry(policy: RetryPolicy, operation: Callable[[], Result]) -> Result:
    """The result of `operation`, repeated while it raises TransientError. Raises RegistryError."""
    attempts = Attempts(policy)
    while True:
        try:
            return operation()
        except TransientError as error:
            attempts.wait_after(error)


def parse_retry_after(header: str) -> float | None:
    """The seconds in a Retry-After, a number or a date (RFC 9110, section 10.2.3); None where it is invalid."""
    text = header.strip()
    if _SECONDS.fullmatch(text):
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None
