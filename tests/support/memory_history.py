"""A history in memory."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext

from lambda_matchbox.machines.events import Event
from lambda_matchbox.machines.history import Record, merge, merged_events
from lambda_matchbox.machines.history_stores import Wanted, position, time_text


class MemoryHistory:
    """The store (see `machines.history_stores.HistoryStore`)."""

    def __init__(self) -> None:
        self._records: dict[str, Record] = {}
        self._events: dict[tuple[str, int], tuple[Event, ...]] = {}

    @property
    def contents(self) -> tuple[dict[str, Record], dict[tuple[str, int], tuple[Event, ...]]]:
        """All records, without their revisions, and all events."""
        return {key: record._replace(revision=0) for key, record in self._records.items()}, self._events

    def together(self) -> AbstractContextManager[None]:
        return nullcontext()

    def merge_records(self, records: Mapping[str, Record]) -> Mapping[str, Record]:
        merged = {key: merge(self._records.get(key, Record()), record) for key, record in records.items()}
        self._records |= {key: record._replace(revision=record.revision + 1) for key, record in merged.items()}
        return merged

    def merge_events(self, events: Mapping[tuple[str, int], Collection[Event]]) -> None:
        for hour, some in events.items():
            self._events[hour] = merged_events(self._events.get(hour, ()), some)

    def records(self, keys: Collection[str]) -> Mapping[str, Record]:
        return {key: self._records[key] for key in keys if key in self._records}

    def keys(self, beginnings: Collection[str], limit: int) -> Sequence[str]:
        return [key for key in sorted(self._records) if key.startswith(tuple(beginnings))][:limit]

    def events(self, keys: Collection[str], since_hour: int) -> Mapping[str, Mapping[int, Sequence[Event]]]:
        found: dict[str, dict[int, Sequence[Event]]] = {key: {} for key in keys}
        for (key, hour), events in self._events.items():
            if key in found and hour >= since_hour:
                found[key][hour] = events
        return found

    def page(self, wanted: Wanted, limit: int, before: str) -> Sequence[Record]:
        found = [
            record
            for record in self._records.values()
            if not record.links
            and (not wanted.state or record.state == wanted.state)
            and (wanted.group is None or record.fact("group") == wanted.group)
            and position(record) >= time_text(wanted.since)
            and (not before or position(record) < before)
        ]
        return sorted(found, key=position, reverse=True)[:limit]

    def states(self) -> Mapping[str, int]:
        return Counter(record.state for record in self._records.values() if not record.links)

    def remove_old(self, now: int) -> bool:
        return False

    def remove(self, keys: Collection[str]) -> None:
        self._records = {key: record for key, record in self._records.items() if key not in keys}
        self._events = {hour: events for hour, events in self._events.items() if hour[0] not in keys}
