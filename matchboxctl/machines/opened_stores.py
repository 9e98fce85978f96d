"""The stores of `matchboxctl machine`, over a data directory or table and bucket."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from lambda_matchbox.catalog.groups import Group, SelectorValue
from lambda_matchbox.catalog.stores import Catalog, Selection
from lambda_matchbox.machines.identities import Identities, identity
from lambda_matchbox.machines.state import MachineState
from lambda_matchbox.machines.stores import EditableMachineStore
from matchboxctl.cli.errors import UsageError
from matchboxctl.cli.names import did_you_mean
from matchboxctl.render.other_groups import all_groups
from matchboxctl.store.mode import StoreSettings

_MAX_NAMED = 5
# A part of a MAC address or of a UUID, which is no serial number.
_BEGINNING = re.compile(r"[0-9a-f]{2}([:-][0-9a-f]{2})*[:-][0-9a-f]{0,2}|[0-9a-f]{8}-[0-9a-f-]{0,27}", re.IGNORECASE)
if TYPE_CHECKING:
    from lambda_matchbox.aws.machines import TableMachines

# A list reads the whole table.
_CALL_SECONDS = 60.0


class OpenedStores(NamedTuple):
    """The catalog, the machines, all groups, and one by its id. `advising` is a context that explains AWS errors."""

    catalog: Catalog
    machines: EditableMachineStore
    groups: Callable[[], Iterable[Group]]
    group: Callable[[str], Group | None]
    advising: Callable[[], AbstractContextManager[None]]

    def named(self, text: str) -> tuple[Identities, MachineState | None]:
        """The machine that an operator names, by an identity or the beginning of one that only it has.

        Its state is None if nobody acted on it yet. Raises UsageError.
        """
        exact = identity(text)
        if not exact.keys:
            raise UsageError(f"{text!r} names no machine: use a MAC address, a UUID or a serial number")
        if (state := self.machines.read(exact.keys[0])) is not None:
            return state.identities, state
        if exact.mac or exact.uuid:
            return exact, None
        beginnings = (f"mac:{text.replace('-', ':').lower()}", f"uuid:{text.lower()}", f"serial:{text}")
        found = list(dict.fromkeys(state for beginning in beginnings for state in self.machines.find(beginning)))
        if len(found) > 1:
            ids = ", ".join(sorted(state.id.partition(":")[2] for state in found)[:_MAX_NAMED])
            raise UsageError(f"{text!r} begins several machines' identities ({ids}): give more of it")
        if found:
            return found[0].identities, found[0]
        if _BEGINNING.fullmatch(text):
            alike = did_you_mean(text, self.ids)
            raise UsageError(f"no machine that is known begins with {text!r}: give the whole address or UUID{alike}")
        return exact, None

    def ids(self) -> list[str]:
        """The identities of machines that somebody acted on, and those that groups with a policy select."""
        states = [one for state in self.machines.all() for one in state.identities if one]
        selectors = (group.selector for group in self.groups() if group.boot is not None)
        selected = [each[kind] for each in selectors for kind in Identities._fields if kind in each]
        return list(dict.fromkeys([*states, *(one for each in selected for one in _texts(each))]))

    def selection(self, labels: dict[str, str], machine: Identities) -> Selection | None:
        """The selection for a machine with these labels besides its identities."""
        return self.catalog.select(labels_of(machine) | labels, lambda: machine.keys)


def _texts(value: SelectorValue) -> Sequence[str]:
    return [value] if isinstance(value, str) else value


def labels_of(machine: Identities) -> dict[str, str]:
    """The labels that name the machine."""
    return {name: value for name, value in machine._asdict().items() if value}


@contextmanager
def opened_stores(store: StoreSettings | Path) -> Iterator[OpenedStores]:
    """The stores of the chosen mode. Raises UsageError."""
    groups = partial(all_groups, store, lambda _: None)
    if isinstance(store, Path):
        from matchboxctl.serve.directory_stores import directory_stores

        opened = directory_stores(store, store / "assets", lambda _: None)
        with closing(opened):
            yield OpenedStores(opened.catalog, opened.machines, groups, opened.catalog.group, nullcontext)
        return
    from lambda_matchbox.web.wiring import stores
    from matchboxctl.store.advice import advising_on

    catalog = stores(store.boot_settings(), store.credentials).catalog
    yield OpenedStores(catalog, table_machines(store), groups, catalog.group, partial(advising_on, store))


def table_machines(store: StoreSettings) -> "TableMachines":
    """The machines of a table. Raises UsageError."""
    from lambda_matchbox.aws.clients.dynamodb import DynamoDB
    from lambda_matchbox.aws.clients.http_client import HttpClient
    from lambda_matchbox.aws.machines import TableMachines

    settings = store.boot_settings()
    dynamodb = DynamoDB(settings.dynamodb_endpoint, settings.region, store.credentials, HttpClient())
    return TableMachines(dynamodb, settings.table, call_timeout=_CALL_SECONDS)
