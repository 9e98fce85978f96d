"""Boots of machines, and the assets that they fetched, as their events tell."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

from lambda_matchbox.machines.events import SCRIPTS, Event
from lambda_matchbox.machines.history import HOUR, is_full

SCRIPT_TIME = 600_000
"""The milliseconds after a script in which assets that its address requests are its machine's."""


class Boot(NamedTuple):
    """The events from a machine's script to its next one, in order; scripts that make it wait are one boot."""

    events: tuple[Event, ...]

    @property
    def start(self) -> int:
        """The time of its first event."""
        return self.events[0].time

    @property
    def release(self) -> str:
        """The release that it booted last; empty if none is known."""
        return next((event.release for event in reversed(self.events) if event.release), "")


def boots(events: Iterable[Event]) -> Iterator[Boot]:
    """The boots of one machine."""
    current: list[Event] = []
    for event in sorted(events):
        if event.what in SCRIPTS and any(each.verdict != "wait" for each in current):
            yield Boot(tuple(current))
            current = []
        current.append(event)
    if current:
        yield Boot(tuple(current))


def inferred(hours: Mapping[int, Collection[Event]], keys: Iterable[str]) -> Iterator[Event]:
    """The requests for assets, of those at one address by their hour, of the machine with these identities.

    They are its own if no other machine got a script there shortly before. An hour that may have lost events tells
    nothing, nor does the next one.
    """
    own = set(keys)
    full = {hour for hour, events in hours.items() if is_full(events)}
    all_events = [event for events in hours.values() for event in events]
    scripts = [event for event in all_events if event.gave_script]
    for event in all_events:
        if event.kind != "asset" or not full.isdisjoint((event.time // HOUR, event.time // HOUR - 1)):
            continue
        named = {s.identities.keys[0] for s in scripts if event.time - SCRIPT_TIME <= s.time <= event.time}
        if named and named <= own:
            yield event._replace(inferred=True)
