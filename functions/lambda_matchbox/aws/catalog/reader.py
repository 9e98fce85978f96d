"""Reads of groups, profiles and templates for booting machines."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import chain
from threading import Lock
from typing import NamedTuple

from lambda_matchbox.aws.catalog.items import (
    ObjectRef,
    group_fields,
    group_in,
    has_selector,
    profile_in,
    template_in,
)
from lambda_matchbox.aws.catalog.object_cache import ObjectCache
from lambda_matchbox.aws.clients.dynamodb import DynamoDB
from lambda_matchbox.aws.clients.dynamodb_json import Item
from lambda_matchbox.aws.clients.errors import AWSError
from lambda_matchbox.aws.clients.request_deadline import deadline_within
from lambda_matchbox.aws.clients.s3 import S3
from lambda_matchbox.aws.keys import (
    GROUP,
    KEY,
    POINTERS,
    SHAPES,
    entry_key,
    group_key,
    machine_key,
    members_of,
    pointers_in,
    profile_key,
    shapes_in,
    template_key,
)
from lambda_matchbox.aws.machines import machine_state_in
from lambda_matchbox.aws.parallel import SCANNED_AT_ONCE
from lambda_matchbox.backoff import Backoff
from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import Profile
from lambda_matchbox.catalog.selection import Selector, Shape, candidates, sort_key
from lambda_matchbox.catalog.stores import Identities, Selection
from lambda_matchbox.errors import MatchboxError, StoreUnavailableError
from lambda_matchbox.releases.pointers import Pointers

_BACKOFF = Backoff()

CALL_TIMEOUT = 6.0
"""Seconds that one read may take."""

MAX_SELECTIONS = 4
"""Attempts at a selection whose group was deleted or changed meanwhile."""

POLICY_MEMORY = 16
"""Selections in a row without a boot policy after which no states are read beside the entries."""

MAX_TOMBSTONES = 20_000
"""Tombstones that are remembered; a forgotten one costs one more call."""


class _SelectorEntry(NamedTuple):
    """The entry of a selector, by its key: its groups with their profiles."""

    key: str
    selector: Selector
    profiles: Mapping[str, str]


class _Tombstone(NamedTuple):
    entry: str
    group_id: str
    value: int


class _Candidates(NamedTuple):
    """The entries that have groups of all selectors that match the labels, and the tombstones in them.

    Pointers and states are of the same moment; `machines` is None if they were not read.
    """

    entries: Sequence[_SelectorEntry]
    tombstones: Sequence[_Tombstone]
    pointers: Pointers
    machines: Sequence[Item] | None


class _Tombstones:
    """The tombstones seen so far, each with the time by which it had been seen."""

    def __init__(self) -> None:
        self._seen: dict[_Tombstone, int] = {}
        self._lock = Lock()

    def all_seen_before(self, moment: int, found: Sequence[_Tombstone]) -> bool:
        """Whether all tombstones found by a pass that began at `moment` (of time.monotonic_ns()) were known before it.

        One that another thread saw during this pass does not count: this pass may have read older items.
        """
        with self._lock:
            known = all(self._seen.get(tombstone, moment) < moment for tombstone in found)
            now = time.monotonic_ns()
            for tombstone in found:
                # The most recently met are forgotten last, or two passes could forget each other's.
                self._seen[tombstone] = self._seen.pop(tombstone, now)
            while len(self._seen) > max(MAX_TOMBSTONES, len(found)):
                del self._seen[next(iter(self._seen))]
            return known


class DynamoDBCatalog:
    """Groups, profiles and templates in a table (see `catalog.stores.Catalog`), for any number of threads.

    Long templates and metadata are read from the bucket of `s3`, which costs one more call the first time.

    A selection takes two calls, and one more at first or when the selector shapes have changed. While a group moves to
    other selectors or replaces another one, a machine gets the response from before or from after.
    """

    def __init__(self, dynamodb: DynamoDB, s3: S3, table: str, *, call_timeout: float = CALL_TIMEOUT) -> None:
        self._dynamodb = dynamodb
        self._objects = ObjectCache(s3)
        self._table = table
        self._call_timeout = call_timeout
        self._shapes: frozenset[Shape] | None = None
        self._tombstones = _Tombstones()
        self._without_policy = 0

    def prepare(self, seconds: float) -> None:
        """Connect, and read what selections need, within so many seconds; what fails is left to the first of them."""
        with suppress(MatchboxError):
            self._shapes = self._read_shapes(deadline_within(seconds))

    def select(self, labels: Mapping[str, str] | None, identities: Identities = tuple) -> Selection | None:
        """The selection for these labels, or None if no group matches."""
        # Most tables have no boot policy, and the first machine of one costs one more call.
        at_once = self._without_policy < POLICY_MEMORY
        machines = [machine_key(identity) for identity in identities()] if at_once else []
        deadline = deadline_within(self._call_timeout)
        for attempt in range(MAX_SELECTIONS):
            # The first failure is a change in between; after more, a slow write may be under way.
            if attempt > 1 and not _BACKOFF.wait(attempt - 1, deadline):
                break
            found = self._choose(labels, machines, deadline)
            if not found.entries:
                return None
            selection = self._confirm(_greatest(found.entries), found.pointers, deadline)
            if selection is not None:
                if selection.group.boot is None:
                    self._without_policy += 1
                    return selection
                self._without_policy = 0
                items = found.machines if at_once else None
                if items is None:
                    items = self._states([machine_key(identity) for identity in identities()], deadline)
                return selection._replace(machines=tuple(map(machine_state_in, items)))
        raise StoreUnavailableError(f"the selected group was deleted or changed {MAX_SELECTIONS} times in a row")

    def all_groups(self, labels: Mapping[str, str] | None = None) -> Iterator[Group]:
        """All groups, those that match these labels first, then in no order; without metadata in the bucket."""
        deadline = deadline_within(self._call_timeout)
        entries = self._choose(labels, (), deadline).entries
        keys = [group_key(group_id) for entry in entries for group_id in entry.profiles]
        matching = self._batch([*dict.fromkeys(key for key in keys if key is not None)], deadline)
        condition, names, values = "begins_with(#key, :prefix)", {"#key": KEY}, {":prefix": GROUP}
        others = self._dynamodb.scan(
            self._table, condition, names, values, self._call_timeout, page_size=SCANNED_AT_ONCE
        )
        for item in chain(matching.values(), (item for item in others if item[KEY] not in matching)):
            # A damaged one is in the findings of fsck.
            if group_fields(item) is not None:
                yield group_in(item, lambda _: b"{}")

    def group(self, group_id: str) -> Group | None:
        """The group of that id."""
        deadline = deadline_within(self._call_timeout)
        item = self._item(group_key(group_id), deadline)
        return None if item is None else group_in(item, self._reader(deadline))

    def profile(self, profile_id: str) -> Profile | None:
        """The profile of that id."""
        deadline = deadline_within(self._call_timeout)
        item = self._item(profile_key(profile_id), deadline)
        return None if item is None else profile_in(item, self._reader(deadline))

    def template(self, kind: str, template_id: str) -> bytes | None:
        """The template of that kind and id."""
        deadline = deadline_within(self._call_timeout)
        item = self._item(template_key(kind, template_id), deadline)
        return None if item is None else template_in(item, self._reader(deadline))

    def _choose(self, labels: Mapping[str, str] | None, machines: Sequence[str], deadline: float) -> _Candidates:
        """The candidates. The loop ends at the deadline, when the client raises StoreUnavailableError."""
        while True:
            began = time.monotonic_ns()
            found = self._find(labels, machines, deadline)
            # A group's replacement was written no later than its tombstone. A pass that begins after the tombstone was
            # seen finds the replacement; this one may have read its entry too early.
            if not found.tombstones or self._tombstones.all_seen_before(began, found.tombstones):
                return found

    def _find(self, labels: Mapping[str, str] | None, machines: Sequence[str], deadline: float) -> _Candidates:
        """One pass over the table."""
        shapes = self._shapes
        if shapes is None:
            shapes = self._read_shapes(deadline)
        wanted = {entry_key(selector): selector for selector in candidates(labels, shapes)}
        left: list[str] = []

        def leave(keys: Sequence[str]) -> bool:
            # A machine whose group has no boot policy does not wait for states.
            if needless := all(key in machines for key in keys):
                left.extend(keys)
            return needless

        items = self._batch([SHAPES, POINTERS, *wanted, *machines], deadline, leave)
        in_use, pointers = shapes_in(items.pop(SHAPES, None)), pointers_in(items.pop(POINTERS, None))
        states = [items.pop(key) for key in machines if key in items]
        self._shapes = in_use
        if added := in_use - shapes:
            further = {entry_key(selector): selector for selector in candidates(labels, added)}
            items |= self._batch(list(further), deadline)
            wanted |= further
        entries: list[_SelectorEntry] = []
        tombstones: list[_Tombstone] = []
        for key, item in items.items():
            profiles: dict[str, str] = {}
            for group_id, value in members_of(item).items():
                if isinstance(value, str):
                    profiles[group_id] = value
                else:
                    tombstones.append(_Tombstone(key, group_id, value))
            if profiles:
                entries.append(_SelectorEntry(key, wanted[key], profiles))
        return _Candidates(entries, tombstones, pointers, None if left else states)

    def _read_shapes(self, deadline: float) -> frozenset[Shape]:
        return shapes_in(self._dynamodb.get_item(self._table, {KEY: SHAPES}, deadline))

    def _confirm(self, entry: _SelectorEntry, pointers: Pointers, deadline: float) -> Selection | None:
        """The first group of the entry by id, and its profile; None if they differ from the entry by now."""
        group_id = min(entry.profiles, key=sort_key)
        profile_id = entry.profiles[group_id]
        group, profile = group_key(group_id), profile_key(profile_id)
        items = self._batch([key for key in (group, profile) if key is not None], deadline)
        item = items.get(group or "")
        if item is None or item["profile"] != profile_id or not has_selector(item, entry.key, entry.selector):
            return None
        found = items.get(profile or "")
        read = self._reader(deadline)
        return Selection(group_in(item, read), None if found is None else profile_in(found, read), pointers)

    def _reader(self, deadline: float) -> Callable[[ObjectRef], bytes]:
        """A function that reads objects by the deadline."""
        return lambda reference: self._objects.read(reference, deadline)

    def _item(self, key: str | None, deadline: float) -> Item | None:
        return None if key is None else self._dynamodb.get_item(self._table, {KEY: key}, deadline)

    def _states(self, keys: Sequence[str], deadline: float) -> list[Item]:
        try:
            return [*self._batch(keys, deadline).values()]
        except AWSError as error:
            raise StoreUnavailableError(f"states of machines: {error}") from error

    def _batch(
        self, keys: Sequence[str], deadline: float, leave: Callable[[Sequence[str]], bool] = lambda _: False
    ) -> dict[str, Item]:
        items = self._dynamodb.batch_get_items(self._table, KEY, keys, deadline, leave)
        return {item[KEY]: item for item in items}


def _greatest(entries: Sequence[_SelectorEntry]) -> _SelectorEntry:
    """The entry of the selector that wins."""
    return entries[0] if len(entries) == 1 else max(entries, key=lambda entry: entry.selector.rank)
