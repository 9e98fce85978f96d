"""The history of machines: what `serve`, the function of the log, and operators' commands do with its stores."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

from lambda_matchbox.errors import StoreUnavailableError
from lambda_matchbox.machines.boots import SCRIPT_TIME, inferred
from lambda_matchbox.machines.events import Event
from lambda_matchbox.machines.history import HOUR, Record, fold, links_of, merge
from lambda_matchbox.machines.identities import MAX_KEY

OVERLAP = 300_000
"""The milliseconds by which a watch looks back.

Lambda tries again for three minutes, and AWS lets a clock be wrong by five.
"""

ADDRESS = "address:"
"""The beginning of the keys of events at an address."""

_PAGE = 1000
_KINDS = ("serial:", "uuid:", "mac:")


class CursorError(ValueError):
    """A cursor that no page had."""


class TooManyError(StoreUnavailableError):
    """There are more machines than the store counts."""


class Wanted(NamedTuple):
    """Which machines: all, those in a state, of a group (empty: of none), to which something happened since then."""

    state: str = ""
    group: str | None = None
    since: int = 0


class Page(NamedTuple):
    """Machines, those to which something happened last first, and the cursor of the next page, empty at the end."""

    records: tuple[Record, ...]
    cursor: str = ""


class HistoryStore(Protocol):
    """Records and events by identities such as `mac:52:54:00:12:34:56`; events also by `address:10.0.0.5`.

    Every method raises StoreUnavailableError when it cannot do its work just now.
    """

    def together(self) -> AbstractContextManager[object]:
        """What the body writes is written at once, if the store can."""

    def merge_records(self, records: Mapping[str, Record]) -> Mapping[str, Record]:
        """Merge each with the stored one; returns the results."""

    def merge_events(self, events: Mapping[tuple[str, int], Collection[Event]]) -> None:
        """Add the events of a key and an hour, of which the newest are kept (see `merged_events`)."""

    def records(self, keys: Collection[str]) -> Mapping[str, Record]:
        """The records of those that have one."""

    def keys(self, beginnings: Collection[str], limit: int) -> Sequence[str]:
        """Identities of machines that begin so, so many at most; it may read all records."""

    def events(self, keys: Collection[str], since_hour: int) -> Mapping[str, Mapping[int, Sequence[Event]]]:
        """The events of each key by their hour, since that one."""

    def page(self, wanted: Wanted, limit: int, before: str) -> Sequence[Record]:
        """The first records without links, ordered by `position` descending, whose position is before that one.

        The empty text is before nothing.
        """

    def states(self) -> Mapping[str, int]:
        """How many machines each state has. Raises TooManyError."""

    def remove(self, keys: Collection[str]) -> None:
        """Remove the records and the events of these keys."""

    def remove_old(self, now: int) -> bool:
        """Remove some of what is too old, if nobody else does; returns whether there may be more."""


class History:
    """The history of all machines in a store.

    Where no requests for assets are added, scripts need not lie under their addresses.
    """

    def __init__(self, store: HistoryStore, *, has_assets: bool = True) -> None:
        self._store = store
        self._has_assets = has_assets

    def add(self, events: Iterable[Event]) -> None:
        """Fold the events into their machines' records."""
        records: dict[str, Record] = {}
        hours: dict[tuple[str, int], list[Event]] = {}
        for event in events:
            hour = event.time // HOUR
            if event.identities.keys:
                first = event.identities.keys[0]
                hours.setdefault((first, hour), []).append(event)
                records[first] = fold(records.get(first), event)
                for key, record in links_of(event):
                    records[key] = merge(records.get(key, Record()), record)
            if self._has_assets and (event.kind == "asset" or event.gave_script):
                hours.setdefault((_at(event), hour), []).append(event)
        with self._store.together():
            # A watch looks for them once their record has changed.
            self._store.merge_events(hours)
            for kind in _KINDS:
                # Those with less right first: what they know is a part of the others.
                merged = self._store.merge_records({key: one for key, one in records.items() if key.startswith(kind)})
                for record in merged.values():
                    for _, key in record.links if record.newest is not None else ():
                        records[key] = merge(records.get(key, Record()), record._replace(links=()))

    def page(self, wanted: Wanted, limit: int, cursor: str = "") -> Page:
        """A page of machines. Raises CursorError."""
        found = self._store.page(wanted, limit + 1, _position_in(cursor) if cursor else "")
        records = tuple(found[:limit])
        return Page(records, _cursor(position(records[-1])) if len(found) > limit else "")

    def cursor_after(self, record: Record) -> str:
        """The cursor of the page that begins after this machine."""
        return _cursor(position(record))

    def states(self) -> Mapping[str, int]:
        """How many machines each state has."""
        return self._store.states()

    def machine(self, key: str) -> Record | None:
        """The record of the machine with this identity."""
        record = self._store.records([key]).get(key)
        while record is not None and record.links:
            linked = record.links[-1][1]
            record = self._store.records([linked]).get(linked)
        return record

    def machines(self, keys: Collection[str]) -> list[Record]:
        """The records of the machines with these identities, of those that have one."""
        found = self._store.records(keys)
        records = (found[key] if not found[key].links else self.machine(key) for key in keys if key in found)
        return [record for record in records if record is not None]

    def keys(self, beginnings: Collection[str], limit: int) -> Sequence[str]:
        """Identities of machines that begin so, so many at most."""
        return self._store.keys(beginnings, limit)

    def events(self, record: Record, since: int) -> list[Event]:
        """The events of a machine since then, in order, with those of assets that are inferred."""
        return self.events_of([record], since)[0]

    def events_of(self, records: Sequence[Record], since: int) -> list[list[Event]]:
        """The events of each machine."""
        hour = (since - SCRIPT_TIME) // HOUR
        owned = self._own_events(records, hour)
        addresses = [{_at(event) for event in own if event.gave_script} for own in owned]
        at = self._store.events(set().union(*addresses), hour)
        found = []
        for record, own, each in zip(records, owned, addresses, strict=True):
            assets = [event for key in each for event in inferred(at[key], record.identities.keys)]
            found.append(sorted(event for event in {*own, *assets} if event.time >= since))
        return found

    def forget(self, keys: Collection[str]) -> bool:
        """Remove the history of the machine with these identities, and which assets its addresses requested.

        Returns whether it had one.
        """
        records = [record for key in keys if (record := self.machine(key)) is not None]
        own = {*keys, *(key for record in records for key in record.identities.keys)}
        earlier = {key for event in self._under(own) for key in event.identities.keys} - own
        for key, part in self._store.records(earlier).items():
            # Other machines may have said it too.
            if part.links and own.issuperset(linked for _, linked in part.links):
                own.add(key)
        events = self._under(own)
        with self._store.together():
            # The one that got a script may be lost.
            self._store.remove([*own, *{_at(event) for event in events if event.address}])
        return bool(records or events)

    def _under(self, keys: Collection[str]) -> list[Event]:
        return [event for hours in self._store.events(keys, 0).values() for some in hours.values() for event in some]

    def _own_events(self, records: Sequence[Record], hour: int) -> list[list[Event]]:
        found = self._store.events({key for record in records for key in record.identities.keys}, hour)
        return [
            [event for key in record.identities.keys for events in found[key].values() for event in events]
            for record in records
        ]


class Watch:
    """Events of machines as they come, from a moment on, each once."""

    def __init__(self, history: History, wanted: Wanted) -> None:
        self._history = history
        self._wanted = wanted
        self._revisions: dict[str, int] = {}
        self._shown: set[Event] = set()

    def poll(self, now: int) -> Iterator[tuple[Record, Event]]:
        """Those that have come since the last call, with their machine."""
        since = max(self._wanted.since, now - OVERLAP)
        # A machine that leaves the state may return to it, and its events are not new then.
        every = self._wanted._replace(state="", since=since)
        found = {record.identities.keys[0]: record for record in _pages(self._history, every)}
        changed = [
            (key, record)
            for key, record in found.items()
            if record.revision != self._revisions.get(key) and self._wanted.state in ("", record.state)
        ]
        events_of = self._history.events_of([record for _, record in changed], since)
        self._revisions = {key: revision for key, revision in self._revisions.items() if key in found}
        self._revisions |= {key: record.revision for key, record in changed}
        # A machine's key changes when it says its MAC address, and its events stay.
        self._shown = {event for event in self._shown if event.time >= since}
        for (_, record), events in zip(changed, events_of, strict=True):
            new = [event for event in events if event not in self._shown]
            self._shown.update(new)
            yield from ((record, event) for event in new)


def _pages(history: History, wanted: Wanted) -> Iterator[Record]:
    cursor = ""
    while True:
        page = history.page(wanted, _PAGE, cursor)
        yield from page.records
        if not (cursor := page.cursor):
            return


def _at(event: Event) -> str:
    """The key of the events at its address."""
    return f"{ADDRESS}{event.address}"


def position(record: Record) -> str:
    """The record's place among all in lists."""
    return f"{time_text(record.last_event)} {record.identities.keys[0]}"


def time_text(time: int) -> str:
    """The time as a text in whose order times are."""
    return f"{time:014d}"


def _cursor(position: str) -> str:
    return urlsafe_b64encode(position.encode()).decode().rstrip("=")


def _position_in(cursor: str) -> str:
    try:
        found = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except ValueError:
        found = ""
    if not found[:14].isdigit() or found[14:15] != " " or len(found[15:].encode()) > MAX_KEY:
        raise CursorError(f"{cursor!r} is no cursor of a page: use one that a list has printed")
    return found
