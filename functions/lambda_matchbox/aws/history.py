"""The history of machines in a table of its own.

The table's keys are the texts `pk` and `sk`:

    <identity>  record         record: a machine's record as JSON · rev: counts its writes
                               place: its place in lists; and a key of each index, unless it is a part of others
    <identity>  hour#<number>  events: those of an hour since 1970 as JSON, also of `address:<address>` · rev

`expires` is the time in seconds since 1970 from which DynamoDB deletes an item. An index's key begins with one of eight
digits, since a partition takes a thousand writes a second and all machines may have one state. An index adds two to the
writes of most requests: so there is none of all machines, and none of a group's. Their pages are merged from states.
"""

import json
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from itertools import islice, product
from typing import Any
from zlib import crc32

from lambda_matchbox.aws.clients.dynamodb import ConditionFailedError, DynamoDB, ItemWrite
from lambda_matchbox.aws.clients.dynamodb_json import Item
from lambda_matchbox.aws.clients.request_deadline import deadline_within
from lambda_matchbox.aws.parallel import THREADS
from lambda_matchbox.backoff import Backoff
from lambda_matchbox.errors import StoreUnavailableError
from lambda_matchbox.machines.events import Event, event_of
from lambda_matchbox.machines.history import HOUR, Record, is_full, merge, merged_events, record_in, text_of
from lambda_matchbox.machines.history_stores import ADDRESS, TooManyError, Wanted, position, time_text
from lambda_matchbox.machines.state import STATES, StateName

KEY, SORT_KEY, PLACE, EXPIRES = "pk", "sk", "place", "expires"
"""Names of attributes."""

INDEXES = OF_STATE, OF_BOTH = ("of_state", "of_both")
"""The indexes, each named after its key; their sort key is PLACE."""

SHARDS = 8

MOST_COUNTED = 20_000
"""Machines: to count reads a whole index."""

_RECORD, _HOUR = "record", "hour#"
_LAST = "~"
_ATTEMPTS = 10
_BACKOFF = Backoff()


class TableHistory:
    """The store (see `machines.history_stores.HistoryStore`), for any number of threads.

    Items expire so many seconds after their last event.
    """

    def __init__(self, dynamodb: DynamoDB, table: str, lifetime: int, *, call_timeout: float) -> None:
        self._dynamodb = dynamodb
        self._table = table
        self._lifetime = lifetime
        self._call_timeout = call_timeout

    def together(self) -> AbstractContextManager[object]:
        """Nothing: each write may be repeated."""
        return nullcontext()

    def merge_records(self, records: Mapping[str, Record]) -> Mapping[str, Record]:
        """Merge each with the stored one."""
        results = self._in_parallel(lambda key: self._merge_record(key, records[key]), records)
        return dict(zip(records, results, strict=True))

    def merge_events(self, events: Mapping[tuple[str, int], Collection[Event]]) -> None:
        """Add the events of a key and an hour."""
        self._in_parallel(lambda key: self._merge_hour(key[0], key[1], events[key]), events)

    def records(self, keys: Collection[str]) -> Mapping[str, Record]:
        """The records of those that have one."""
        wanted = [*dict.fromkeys(keys)]
        items = self._dynamodb.batch_get_items(self._table, KEY, wanted, self._deadline(), sort_key=(SORT_KEY, _RECORD))
        return {item[KEY]: _record_in(item) for item in items}

    def keys(self, beginnings: Collection[str], limit: int) -> Sequence[str]:
        """Identities of machines that begin so; it reads all records."""
        # As the record's text has them.
        begun = (json.dumps(each.partition(":")[2], ensure_ascii=False)[:-1] for each in beginnings)
        texts = {f":{at}": text for at, text in enumerate(dict.fromkeys(begun))}
        condition = " OR ".join(f"contains(#record, {name})" for name in texts)
        names = {"#record": "record"}
        items = self._dynamodb.scan(self._table, condition, names, texts, self._call_timeout, index=OF_STATE)
        found = (key for item in items for key in _record_in(item).identities.keys)
        return [*islice((key for key in found if key.startswith(tuple(beginnings))), limit)]

    def events(self, keys: Collection[str], since_hour: int) -> Mapping[str, Mapping[int, Sequence[Event]]]:
        """The events of each key by their hour, since that one."""
        hours = (SORT_KEY, _hour_key(max(since_hour, 0)), _HOUR + _LAST)

        def of_key(key: str) -> dict[int, Sequence[Event]]:
            items = self._dynamodb.query(self._table, (KEY, key), hours, self._deadline())
            return {int(item[SORT_KEY].removeprefix(_HOUR)): _events_in(item) for item in items}

        return dict(zip(keys, self._in_parallel(of_key, keys), strict=True))

    def page(self, wanted: Wanted, limit: int, before: str) -> Sequence[Record]:
        """The first records whose position is before that one."""
        states = (wanted.state,) if wanted.state else STATES
        index, group = (OF_STATE, ()) if wanted.group is None else (OF_BOTH, (wanted.group,))
        places = (PLACE, time_text(wanted.since), before or _LAST)

        def first(key: str, most: int) -> list[Item]:
            return self._dynamodb.query(self._table, (index, key), places, self._deadline(), index=index, limit=most)

        keys = [_index_key(shard, state, *group) for state in states for shard in range(SHARDS)]
        found: dict[str, list[Item]] = {}
        # Twice a shard's share, and then all from those that may have more of the page. `before` may be one of them.
        for most in (max(16, 2 * limit // SHARDS), limit + 1):
            found |= zip(keys, self._in_parallel(partial(first, most=most), keys), strict=True)
            items = [item for each in found.values() for item in each if item[PLACE] != before]
            items = sorted(items, key=lambda item: item[PLACE], reverse=True)[:limit]
            last = items[-1][PLACE] if len(items) == limit else ""
            keys = [key for key in keys if len(found[key]) == most and found[key][-1][PLACE] > last]
        return [_record_in(item) for item in items]

    def states(self) -> Mapping[str, int]:
        """How many machines each state has. Raises TooManyError for more than MOST_COUNTED machines."""
        limit = MOST_COUNTED // SHARDS

        def number(key: tuple[int, StateName]) -> int:
            values, places = (OF_STATE, _index_key(*key)), (PLACE, time_text(0), _LAST)
            return self._dynamodb.count(self._table, values, places, self._deadline(), index=OF_STATE, limit=limit)

        keys = [*product(range(SHARDS), STATES)]
        numbers = self._in_parallel(number, keys)
        if max(numbers) == limit or sum(numbers) > MOST_COUNTED:
            raise TooManyError(f"{self._table}: more than about {MOST_COUNTED:,} machines are not counted")
        counted = Counter[str]()
        for (_, state), found in zip(keys, numbers, strict=True):
            counted[state] += found
        return +counted

    def remove(self, keys: Collection[str]) -> None:
        """Remove the records and the events of these keys."""
        for key in keys:
            items = self._dynamodb.query(self._table, (KEY, key), (SORT_KEY, _HOUR, _RECORD), self._deadline())
            self._in_parallel(self._delete, items)

    def remove_old(self, now: int) -> bool:  # noqa: ARG002 (the protocol's)
        """Nothing: DynamoDB does."""
        return False

    def _merge_record(self, key: str, record: Record) -> Record:
        result = record

        def merged(item: Item | None) -> Item | None:
            nonlocal result
            stored = Record() if item is None else _record_in(item)
            result = merge(stored, record)
            if result == stored and record.newest is None:
                return None
            # Also if only an older event is new: watches look for it.
            attributes = {"record": text_of(result), EXPIRES: self._expiry(result.last_event)}
            return attributes | ({} if result.links else _index_keys(key, result))

        self._replace({KEY: key, SORT_KEY: _RECORD}, merged)
        return result

    def _merge_hour(self, key: str, hour: int, events: Collection[Event]) -> None:
        def merged(item: Item | None) -> Item | None:
            stored = () if item is None else _events_in(item)
            result = merged_events(stored, events)
            # From a full hour of an address nothing is inferred: many machines there must not wait for one item.
            if result == stored or (key.startswith(ADDRESS) and is_full(stored)):
                return None
            return {"events": f"[{','.join(each.text for each in result)}]", EXPIRES: self._expiry((hour + 1) * HOUR)}

        self._replace({KEY: key, SORT_KEY: _hour_key(hour)}, merged)

    def _replace(self, key: Mapping[str, str], change: Callable[[Item | None], Item | None]) -> None:
        """Replace an item by what the change makes of it, unless that is None. Raises StoreUnavailableError."""
        for attempt in range(1, _ATTEMPTS + 1):
            item = self._dynamodb.get_item(self._table, key, self._deadline())
            after = change(item)
            if after is None:
                return
            revision = 0 if item is None else item["rev"]
            write = ItemWrite({**key, **after, "rev": revision + 1}, None if item is None else {"rev": revision})
            try:
                self._dynamodb.put_item(self._table, KEY, write, self._deadline())
            except ConditionFailedError:
                _BACKOFF.wait(attempt, self._deadline())
            else:
                return
        raise StoreUnavailableError(f"{self._table}: the history of {key[KEY]} keeps changing")

    def _delete(self, item: Item) -> None:
        self._dynamodb.delete_item(self._table, {name: item[name] for name in (KEY, SORT_KEY)}, self._deadline())

    def _in_parallel(self, work: Callable[[Any], Any], items: Collection[Any]) -> list[Any]:
        if len(items) < 2:
            return [work(item) for item in items]
        with ThreadPoolExecutor(THREADS) as threads:
            return list(threads.map(work, items))

    def _expiry(self, moment: int) -> int:
        return moment // 1000 + self._lifetime

    def _deadline(self) -> float:
        return deadline_within(self._call_timeout)


def _record_in(item: Item) -> Record:
    return record_in(item["record"], item["rev"])


def _events_in(item: Item) -> tuple[Event, ...]:
    return tuple(map(event_of, json.loads(item["events"])))


def _hour_key(hour: int) -> str:
    return f"{_HOUR}{hour:010d}"


def _index_keys(key: str, record: Record) -> Item:
    """The attributes by which the indexes have the record."""
    shard = shard_of(key)
    state, group = record.state, record.fact("group")
    keys = {OF_STATE: _index_key(shard, state), OF_BOTH: _index_key(shard, state, group)}
    return keys | {PLACE: position(record)}


def shard_of(key: str) -> int:
    """The digit with which the index keys of an identity's record begin."""
    return crc32(key.encode()) % SHARDS


def _index_key(shard: int, *values: str) -> str:
    return "#".join((str(shard), *values))
