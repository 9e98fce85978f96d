"""What a path leads to: a route that serves all clients alike, or one that asks which machine it is."""

from collections.abc import Callable
from typing import NamedTuple

from lambda_matchbox.http import Request, Response
from lambda_matchbox.web.machine import Machine


class Route(NamedTuple):
    """A route that serves all clients alike; `name`, `profile` and `release` are for the log."""

    name: str
    respond: Callable[[Request], Response]
    profile: str = ""
    release: str = ""


class MachineRoute(NamedTuple):
    """A route whose response depends on the machine's group; with `suffix` and `sign` its signature route."""

    name: str
    respond: Callable[[Machine], Response]
    suffix: str = ""
    sign: Callable[[Response], Response] | None = None
