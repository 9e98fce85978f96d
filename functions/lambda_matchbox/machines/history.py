"""What is known of a machine from its events, in whatever order and however often they come.

A record is the least upper bound of its events (a join semilattice): `merge` is associative, commutative and
idempotent, and so batches, late events and doubled ones change nothing.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

from lambda_matchbox.machines.events import ACCEPT, Event, event_of, to_json
from lambda_matchbox.machines.identities import Identities
from lambda_matchbox.machines.state import STATES, StateName, state_name

HOUR = 3_600_000
"""Milliseconds."""

HOUR_EVENTS, HOUR_BYTES = 64, 8192
"""The newest events that are kept of an hour: so many at most, and none after so many bytes."""

_DAY = 24 * HOUR
_STATES: Mapping[str, StateName] = {state: state for state in STATES if state != "unknown"}
_MOST_LINKS = 4
_IN_REQUESTS = ("mac", "uuid", "serial", "address", "hostname", "arch", "release")
_NOT_FOUND = 404


class Record(NamedTuple):
    """What is known of the machine with some identity; times are in milliseconds since 1970, 0 is never.

    `facts` are texts, each with the time of the event that said so last. `links` are identities that name the same
    machine with more right, each with the day on which it was last seen: the record of a UUID is a part of that of its
    MAC address. `revision` counts what a store wrote.
    """

    facts: Mapping[str, tuple[int, str]] = MappingProxyType({})
    first_seen: int = 0
    last_seen: int = 0
    newest: Event | None = None
    links: tuple[tuple[int, str], ...] = ()
    revision: int = 0

    def fact(self, name: str) -> str:
        """One of mac, uuid, serial, hostname, arch, state, group, profile, release, address; empty if not known."""
        return self.facts.get(name, (0, ""))[1]

    @property
    def identities(self) -> Identities:
        """Those that it was seen with last."""
        return Identities(self.fact("mac"), self.fact("uuid"), self.fact("serial"))

    @property
    def state(self) -> StateName:
        """The state after its newest event that has one, else that of a machine that nobody acted on."""
        return _STATES.get(self.fact("state")) or state_name(None, None, self.fact("group"), now=0)

    @property
    def last_event(self) -> int:
        """When something happened to it last, also by an operator."""
        of_links = max((day * _DAY for day, _ in self.links), default=0)
        return of_links if self.newest is None else max(self.newest.time, of_links)


def fold(record: Record | None, event: Event) -> Record:
    """The record with the event; None for a machine without one."""
    return merge(record or Record(), _record_of(event))


def merge(one: Record, other: Record) -> Record:
    """What is known by both, with the revision of the first."""
    facts = dict(one.facts)
    for name, fact in other.facts.items():
        if name not in facts or fact > facts[name]:
            facts[name] = fact
    links = one.links
    if other.links and other.links != links:
        days = {key: day for day, key in sorted((*one.links, *other.links))}
        links = tuple(sorted((day, key) for key, day in days.items())[-_MOST_LINKS:])
    newest = other.newest if one.newest is None else one.newest
    if one.newest is not None and other.newest is not None:
        newest = max(one.newest, other.newest)
    return Record(
        facts,
        min(one.first_seen or other.first_seen, other.first_seen or one.first_seen),
        max(one.last_seen, other.last_seen),
        newest,
        links,
        one.revision,
    )


def links_of(event: Event) -> Iterator[tuple[str, Record]]:
    """What the event adds to the records of the identities that have less right than the machine's first."""
    first, *others = event.identities.keys
    for other in others if event.verdict != "refuse" else ():
        yield other, Record(links=((event.time // _DAY, first),))


def merged_events(one: Collection[Event], other: Collection[Event]) -> tuple[Event, ...]:
    """The newest of the events of an hour, in order."""
    kept: list[Event] = []
    size = 0
    for event in sorted({*one, *other}, reverse=True)[:HOUR_EVENTS]:
        if size >= HOUR_BYTES:
            break
        kept.append(event)
        size += _size(event)
    return tuple(reversed(kept))


def is_full(events: Collection[Event]) -> bool:
    """Whether an hour with these events may have lost older ones."""
    return len(events) >= HOUR_EVENTS or sum(map(_size, events)) >= HOUR_BYTES


def text_of(record: Record) -> str:
    """The record as JSON, without its revision."""
    newest = None if record.newest is None else record.newest.fields
    fields = {"facts": dict(record.facts), "first": record.first_seen, "last": record.last_seen, "newest": newest}
    return to_json(fields | {"links": record.links})


def record_in(text: str, revision: int) -> Record:
    """The record in its JSON. Raises ValueError."""
    try:
        fields = json.loads(text)
        facts = {name: (time, value) for name, (time, value) in fields["facts"].items()}
        newest = None if fields["newest"] is None else event_of(fields["newest"])
        links = tuple((day, key) for day, key in fields["links"])
        return Record(facts, fields["first"], fields["last"], newest, links, revision)
    except (AttributeError, LookupError, TypeError) as error:
        raise ValueError("not a record") from error


def _record_of(event: Event) -> Record:
    if event.kind == "command":
        # Only its request has all labels of a machine: what a command says of its group is a guess.
        time = event.time if event.what == ACCEPT else 0
        facts = _said(event, (*Identities._fields, "state"), event.time) | _said(event, ("group", "profile"), time)
        return Record(facts, newest=event)
    # What a refused request says of itself counts only where nothing else is known.
    time = 0 if event.verdict == "refuse" else event.time
    facts = _said(event, _IN_REQUESTS, time) | _said(event, ("state",), event.time)
    if event.group or event.status == _NOT_FOUND:
        # Without a group: none selects it.
        facts |= {"group": (time, event.group), "profile": (time, event.profile)}
    return Record(facts, event.time, event.time, event)


def _size(event: Event) -> int:
    return len(event.text.encode())


def _said(event: Event, names: Iterable[str], time: int) -> dict[str, tuple[int, str]]:
    return {name: (time, value) for name in names if (value := getattr(event, name))}
