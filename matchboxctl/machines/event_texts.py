"""Events of machines, for terminals and for programs."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from lambda_matchbox.machines.events import Event
from lambda_matchbox.machines.identities import Identities

_FEW, _MINUTE, _HOUR = 10, 60, 3600


def event_document(event: Event) -> dict[str, Any]:
    """The event without its machine; what is unknown is null."""
    fields = {name: value or None for name, value in event._asdict().items() if name not in Identities._fields}
    return fields | {"time": utc(event.time), "inferred": event.inferred}


def event_text(event: Event) -> str:
    """What happened, such as `/ipxe 200 wait: it waits for approval`."""
    what = f"{event.what} {event.status or ''}".rstrip()
    if event.kind == "command":
        return f"{event.what} by {event.by}{f': {event.reason}' if event.reason else ''}"
    if event.kind == "report":
        return " ".join(filter(None, (what, event.reported, event.reason and f"({event.reason})")))
    if event.inferred:
        return f"{what} (inferred)"
    verdict = ": ".join(filter(None, (event.verdict, event.reason)))
    return " ".join(filter(None, (what, verdict)))


def event_name(event: Event) -> str:
    """What happened, in one or two words."""
    return event.what if event.kind == "command" else f"{event.what} {event.status or ''}".rstrip()


class Repeated(NamedTuple):
    """Equal events that followed each other."""

    first: Event
    last: Event
    times: int


def repeated(events: Iterable[Event]) -> Iterator[Repeated]:
    """The events, of which those that say the same are one."""
    current: Repeated | None = None
    for event in events:
        if current is not None and _same(current.first) == _same(event):
            current = Repeated(current.first, event, current.times + 1)
            continue
        if current is not None:
            yield current
        current = Repeated(event, event, 1)
    if current is not None:
        yield current


def _same(event: Event) -> Event:
    return event._replace(time=0, token="", agent="")


def utc(milliseconds: int) -> str | None:
    """The time as RFC 3339 with milliseconds; None for 0."""
    if not milliseconds:
        return None
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def clock(milliseconds: int) -> str:
    """The time of the day in UTC."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%H:%M:%S")


def duration(milliseconds: int) -> str:
    """How long that is, such as `2.1 s`, `41 s`, `4 min` or `3 h`."""
    seconds = milliseconds / 1000
    if seconds < _FEW:
        return f"{seconds:.1f} s"
    if seconds < 2 * _MINUTE:
        return f"{seconds:.0f} s"
    return f"{seconds / _MINUTE:.0f} min" if seconds < 2 * _HOUR else f"{seconds / _HOUR:,.0f} h"


def age(milliseconds: int, now: int) -> str:
    """How long ago that was, in the greatest unit; empty for 0."""
    if not milliseconds:
        return ""
    seconds = max(0, (now - milliseconds) // 1000)
    for unit, size in (("d", 86_400), ("h", 3600), ("m", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
