"""Events of machines: their requests and reports, requests for assets, and operators' commands."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from lambda_matchbox.machines.identities import Identities, identities_in

SCRIPTS = ("/ipxe", "/grub")
"""The routes of boot scripts."""

ACCEPT = "accept"
"""The command that gives a machine a group."""

_CONFIGURATIONS = ("/ignition", "/cloud", "/generic", "/metadata")
_REPORT = "/report"
_ASSETS = "/assets/"
_ROUTES = frozenset(
    (
        _ASSETS,
        *(f"{route}{suffix}" for route in (*SCRIPTS, *_CONFIGURATIONS, _REPORT) for suffix in ("", ".sig", ".asc")),
    )
)
_CHECK = "(matchboxctl check)"
_MOST_BYTES = 160
# The path of an ARN may have 512, and its end says who it is.
_MOST_OF_OPERATOR = 640
_TEXTS = ("group", "profile", "release", "hostname", "arch", "verdict", "state", "reported", "reason", "token")

to_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
"""A document's short JSON; `json.dumps` makes an encoder for each."""


class Event(NamedTuple):
    """What happened, in milliseconds since 1970. Equal events are one; they are ordered by their fields, time first.

    `kind` is request, report, asset or command; `what` is the route, the path of an asset, or the command's name.
    `state` is the machine's afterwards, `reported` what its installer said, `by` the operator. Of an asset it is
    inferred which machine asked.
    """

    time: int = 0
    kind: str = ""
    what: str = ""
    mac: str = ""
    uuid: str = ""
    serial: str = ""
    address: str = ""
    status: int = 0
    group: str = ""
    profile: str = ""
    release: str = ""
    hostname: str = ""
    arch: str = ""
    verdict: str = ""
    state: str = ""
    reported: str = ""
    reason: str = ""
    token: str = ""
    agent: str = ""
    by: str = ""
    inferred: bool = False

    @property
    def identities(self) -> Identities:
        """Those that it names."""
        return Identities(self.mac, self.uuid, self.serial)

    @property
    def gave_script(self) -> bool:
        """Whether a machine got a script to boot with."""
        return self.what in SCRIPTS and self.status == 200 and self.verdict in ("", "allow")

    @property
    def fields(self) -> dict[str, Any]:
        """The fields that differ from their defaults."""
        return {name: value for name, value in zip(self._fields, self, strict=True) if value}

    @property
    def text(self) -> str:
        """The event as JSON."""
        return to_json(self.fields)


_TYPES = tuple(map(type, Event()))


def event_of(fields: Mapping[str, Any]) -> Event:
    """The event with these fields; those that only a newer release knows are left out. Raises ValueError."""
    event = Event(**{name: value for name, value in fields.items() if name in Event._fields})
    if not all(map(isinstance, event, _TYPES)):
        raise ValueError("a field of an event has a wrong type")
    return event


def may_be_event(line: Mapping[str, object]) -> bool:
    """Whether a line of the access log is of a route that has events, which is known at once."""
    return line.get("route") in _ROUTES


def event_in(line: Mapping[str, object], time: int) -> Event | None:
    """The event of a line of the access log; None if it names no machine and is no asset's.

    HEAD gives a machine nothing, and `matchboxctl check` is none.
    """
    route, agent = line.get("route"), line.get("user_agent")
    if not isinstance(route, str) or route not in _ROUTES:
        return None
    # What the gate lets through changes states, and anybody may call himself a check.
    is_check = isinstance(agent, str) and _CHECK in agent and (route in SCRIPTS or line.get("verdict") != "allow")
    if line.get("method") == "HEAD" or is_check:
        return None
    status = line.get("status")
    common: dict[str, Any] = {
        "time": time,
        "address": _bounded(line.get("client")),
        "status": status if isinstance(status, int) else 0,
        "agent": _bounded(agent),
    }
    if route == _ASSETS:
        return Event(kind="asset", what=_bounded(line.get("path")), **common) if common["address"] else None
    named = _identities(line)
    if not named.keys:
        return None
    common |= named._asdict() | {name: _bounded(value) for name in _TEXTS if (value := line.get(name))}
    return Event(kind="report" if route == _REPORT else "request", what=route, **common)


def command_event(
    time: int, command: str, machine: Identities, state: str, by: str, group: str = "", reason: str = ""
) -> Event:
    """The event of an operator's command, after which the machine has this state."""
    texts = {"what": command, "state": state, "group": group, "reason": reason}
    fields: dict[str, Any] = machine._asdict() | {name: _bounded(text) for name, text in texts.items()}
    fields["by"] = _bounded(by, _MOST_OF_OPERATOR)
    return Event(time, "command", **fields)


def _identities(line: Mapping[str, object]) -> Identities:
    # Cut, one would be another machine's.
    whole = {name: _bounded(value) for name in Identities._fields if (value := line.get(name))}
    return identities_in({name: text for name, text in whole.items() if text == line[name]})


def _bounded(value: object, most: int = _MOST_BYTES) -> str:
    """A text's beginning, which a terminal shows as it is."""
    if not isinstance(value, str):
        return ""
    if len(value) > most or not value.isascii():
        value = value.encode("utf-8", "replace")[:most].decode("utf-8", "ignore")
    return value if value.isprintable() else "".join(char if char.isprintable() else "?" for char in value)
