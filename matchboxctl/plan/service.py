"""What a storm needs to know of whatever serves it."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol


class Step(NamedTuple):
    """A request of a boot, `pause` seconds after the step before, and the bytes to download then.

    One that `follows` goes over the connection of the one before, if that is kept.
    """

    name: str
    pause: float = 0
    size: float = 0
    by_ipxe: bool = True
    follows: bool = False


class Reply(NamedTuple):
    """A response after `seconds`; with a reason, an error, after which the client repeats the request in `again` s.

    Without `again` the client decides: for iPXE the error is final.
    """

    seconds: float
    reason: str = ""
    again: float | None = None


def syn_again(attempt: int) -> float | None:
    """After how many seconds iPXE sends SYN again; None when it gives up."""
    # 0.25 s, doubled each time, up to 10 s.
    return 0.25 * 2**attempt if attempt < 6 else None


class Service(Protocol):
    """Serves the steps of boots; requests come in the order of their times."""

    @property
    def steps(self) -> Sequence[Step]:
        """Those of a boot, in their order."""

    def request(self, step: Step, now: float, attempt: int) -> Reply:
        """The response to a request at this time; `attempt` counts those before."""
