"""How often is a request made again, and after which pause?"""

import random
import re
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import NamedTuple, TypeVar

from lambda_matchbox.oci.errors import RegistryError

SelectorValue = TypeVar("SelectorValue")

_SECONDS = re.compile(r"[0-9]{1,20}", re.ASCII)


class Patience(NamedTuple):
    """What a registry is granted.

    `attempts` are those for one thing, the first one included. Pauses are seconds: the first, which doubles each time,
    and the longest, whatever the registry asks for. `connect` is the seconds to reach one address, `silence` those in
    which an answer has to begin and in which its body has to make some progress.
    """

    attempts: int = 5
    first_pause: float = 0.5
    longest_pause: float = 30.0
    connect: float = 10.0
    silence: float = 30.0


class TransientError(RegistryError):
    """What may pass by itself; `pause` is the seconds that the registry asks to wait, None where it says nothing."""

    def __init__(self, message: str, pause: float | None = None) -> None:
        super().__init__(message)
        self.pause = pause


class Attempts:
    """The attempts at one thing."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._failed = 0

    def wait_after(self, error: TransientError) -> None:
        """Wait as long as is asked for, or a random time, so that many who were refused do not come back together.

        Raises RegistryError where no attempt is left.
        """
        self._failed += 1
        if self._failed >= self._patience.attempts:
            raise RegistryError(f"{error} (given up after {self._failed} attempts)") from error
        pause = error.pause
        if pause is None:
            pause = self._patience.first_pause * 2 ** min(self._failed - 1, 16)
            pause = random.uniform(pause / 2, pause)  # noqa: S311 - spread, not secrecy
        time.sleep(min(pause, self._patience.longest_pause))

    def start_afresh(self) -> None:
        """After progress that is worth all attempts again."""
        self._failed = 0


def patiently(patience: Patience, attempt: Callable[[], SelectorValue]) -> SelectorValue:
    """What `attempt` returns, made again while it raises TransientError. Raises RegistryError when none is left."""
    attempts = Attempts(patience)
    while True:
        try:
            return attempt()
        except TransientError as error:
            attempts.wait_after(error)


def asked_pause(retry_after: str) -> float | None:
    """The seconds of a header Retry-After, a number or a date (RFC 9110, section 10.2.3); None where it is neither."""
    text = retry_after.strip()
    if _SECONDS.fullmatch(text):
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None
