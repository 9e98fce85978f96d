"""Rows of lists of machines: what their histories know, with their states at this moment."""

import time
from collections.abc import Iterable, Sequence
from typing import Any

from lambda_matchbox.aws.parallel import in_parallel
from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.errors import StoreUnavailableError
from lambda_matchbox.machines.history import Record
from lambda_matchbox.machines.state import MachineState, strictest
from matchboxctl.machines.event_texts import event_document
from matchboxctl.machines.facts import rfc3339, state_in
from matchboxctl.machines.opened_stores import OpenedStores


class Rows:
    """Makes rows; a state that cannot be read is that after the machine's last event, with a warning."""

    def __init__(self, opened: OpenedStores) -> None:
        self._opened = opened
        self._groups: dict[str, Group | None] = {"": None}

    def of(self, records: Sequence[Record]) -> list[dict[str, Any]]:
        """A row for each record. Times are RFC 3339; what is unknown is null."""
        now = int(time.time())
        new = {record.fact("group") for record in records} - self._groups.keys()
        for _ in in_parallel(self._read_group, new):
            pass
        states = self._states(records)
        return [self._row(record, states, now) for record in records]

    def _read_group(self, group_id: str) -> None:
        self._groups[group_id] = self._opened.group(group_id)

    def _states(self, records: Iterable[Record]) -> dict[str, MachineState] | None:
        keys = dict.fromkeys(key for record in records for key in record.identities.keys)
        try:
            found = self._opened.machines.read_all([*keys])
        except StoreUnavailableError as error:
            self._opened.warn(f"warning: states are those after each machine's last event: {error}")
            return None
        return {key: state for state in found for key in state.identities.keys}

    def _row(self, record: Record, states: dict[str, MachineState] | None, now: int) -> dict[str, Any]:
        state: str = record.state
        if states is not None:
            own = [states[key] for key in record.identities.keys if key in states]
            state = state_in(self._groups[record.fact("group")], strictest(own) if own else None, now)
        named = {name: record.fact(name) or None for name in ("mac", "uuid", "serial", "hostname", "arch")}
        asked = {name: record.fact(name) or None for name in ("group", "profile", "release", "address")}
        return {
            "id": record.identities.keys[0].partition(":")[2],
            **named,
            "state": state,
            **asked,
            "first_seen": rfc3339(record.first_seen // 1000),
            "last_seen": rfc3339(record.last_seen // 1000),
            "last_event": None if record.newest is None else event_document(record.newest),
        }
