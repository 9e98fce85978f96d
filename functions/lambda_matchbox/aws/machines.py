"""States of machines and keys of tokens in the table (see `aws.keys`)."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lambda_matchbox.aws.clients.dynamodb import ConditionFailedError, DynamoDB, ItemWrite
from lambda_matchbox.aws.clients.request_deadline import deadline_within
from lambda_matchbox.aws.keys import KEY, MACHINE, TOKEN_KEYS, machine_key, token_keys_in
from lambda_matchbox.errors import StoreUnavailableError
from lambda_matchbox.machines.records import DamagedRecordError, state_in, text_of
from lambda_matchbox.machines.state import MachineState
from lambda_matchbox.machines.stores import ChangedError, new_revision


class TableMachines:
    """The store over a table (see `machines.stores.EditableMachineStore`), for any number of threads.

    `find` and `all` read the whole table.
    """

    def __init__(self, dynamodb: DynamoDB, table: str, *, call_timeout: float) -> None:
        self._dynamodb = dynamodb
        self._table = table
        self._call_timeout = call_timeout

    def read(self, identity: str) -> MachineState | None:
        """The state under this identity."""
        item = self._dynamodb.get_item(self._table, {KEY: machine_key(identity)}, self._deadline())
        return None if item is None else machine_state_in(item)

    def read_all(self, identities: Sequence[str]) -> tuple[MachineState, ...]:
        """The states under these identities, one for each that has one."""
        keys = [machine_key(identity) for identity in identities]
        return tuple(map(machine_state_in, self._dynamodb.batch_get_items(self._table, KEY, keys, self._deadline())))

    def find(self, beginning: str) -> list[MachineState]:
        """The machines with an identity that begins so."""
        return list(self._with_prefix(machine_key(beginning)))

    def all(self) -> Iterator[MachineState]:
        """Every machine, once."""
        return self._with_prefix(MACHINE)

    def _with_prefix(self, prefix: str) -> Iterator[MachineState]:
        condition, names, values = "begins_with(#key, :prefix)", {"#key": KEY}, {":prefix": prefix}
        items = self._dynamodb.scan(self._table, condition, names, values, self._call_timeout)
        return iter(dict.fromkeys(map(machine_state_in, items)))

    def write(self, before: MachineState | None, after: MachineState, *, revision: str = "") -> None:
        """Replace the state that was read, None if there was none. Raises ChangedError."""
        item = {"state": text_of(after), "rev": revision or new_revision()}
        self._write([ItemWrite({KEY: key, **item}, expected) for key, expected in _expected(before, after).items()])

    def delete(self, state: MachineState) -> None:
        """Delete the state under all its identities. Raises ChangedError."""
        self._write([ItemWrite({KEY: key}, wanted, delete=True) for key, wanted in _expected(state, state).items()])

    def keys(self) -> Mapping[int, bytes]:
        """The keys of tokens by the times at which they were made."""
        return token_keys_in(self._dynamodb.get_item(self._table, {KEY: TOKEN_KEYS}, self._deadline()))

    def _write(self, writes: list[ItemWrite]) -> None:
        try:
            self._dynamodb.write_together(self._table, KEY, writes, self._deadline())
        except ConditionFailedError as error:
            raise ChangedError from error

    def _deadline(self) -> float:
        return deadline_within(self._call_timeout)


def machine_state_in(item: Mapping[str, Any]) -> MachineState:
    """The state in its item. Raises StoreUnavailableError: what is damaged must not count as no state."""
    try:
        return state_in(item["state"], item["rev"])
    except (DamagedRecordError, KeyError, TypeError) as error:
        raise StoreUnavailableError(f"the item {item[KEY]!r} is damaged: see `matchboxctl fsck`") from error


def _expected(before: MachineState | None, after: MachineState) -> dict[str, Mapping[str, Any] | None]:
    """What the items of all identities have that the states name."""
    found: dict[str, Mapping[str, Any] | None] = {machine_key(identity): None for identity in after.identities.keys}
    if before is not None:
        found |= {machine_key(identity): {"rev": before.revision} for identity in before.identities.keys}
    return found
