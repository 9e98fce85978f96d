"""The stores of `matchboxctl machine`, over a data directory or table and bucket."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import NamedTuple

from lambda_matchbox.catalog.stores import Catalog, Selection
from lambda_matchbox.machines.identities import Identities, identity
from lambda_matchbox.machines.state import MachineState
from lambda_matchbox.machines.stores import EditableMachineStore
from matchboxctl.cli.errors import UsageError
from matchboxctl.store.mode import StoreSettings

# A list reads the whole table.
_CALL_SECONDS = 60.0


class OpenedStores(NamedTuple):
    """The catalog and the machines. `advising` is a context that explains AWS errors."""

    catalog: Catalog
    machines: EditableMachineStore
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
            ids = ", ".join(sorted(state.id for state in found)[:5])
            raise UsageError(f"{text!r} begins several machines' identities ({ids}): give more of it")
        return (found[0].identities, found[0]) if found else (exact, None)

    def selection(self, labels: dict[str, str], machine: Identities) -> Selection | None:
        """The selection for a machine with these labels besides its identities."""
        return self.catalog.select(labels_of(machine) | labels, machine.keys)


def labels_of(machine: Identities) -> dict[str, str]:
    """The labels that name the machine."""
    return {name: value for name, value in machine._asdict().items() if value}


@contextmanager
def opened_stores(store: StoreSettings | Path) -> Iterator[OpenedStores]:
    """The stores of the chosen mode. Raises UsageError."""
    if isinstance(store, Path):
        from matchboxctl.serve.directory_stores import directory_stores

        opened = directory_stores(store, store / "assets", lambda _: None)
        try:
            yield OpenedStores(opened.catalog, opened.machines, nullcontext)
        finally:
            opened.catalog.close()
            opened.machines.close()
        return
    from lambda_matchbox.aws.clients.dynamodb import DynamoDB
    from lambda_matchbox.aws.clients.http_client import HttpClient
    from lambda_matchbox.aws.machines import TableMachines
    from lambda_matchbox.web.wiring import stores
    from matchboxctl.store.advice import advising_on

    settings = store.boot_settings()
    dynamodb = DynamoDB(settings.dynamodb_endpoint, settings.region, store.credentials, HttpClient())
    machines = TableMachines(dynamodb, settings.table, call_timeout=_CALL_SECONDS)
    yield OpenedStores(stores(settings, store.credentials).catalog, machines, partial(advising_on, store))
