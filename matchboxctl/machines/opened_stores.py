"""The stores of `matchboxctl machine`, over a data directory or table and bucket."""

import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, nullcontext, suppress
from functools import partial
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from lambda_matchbox.catalog.groups import Group, SelectorValue
from lambda_matchbox.catalog.stores import Selection
from lambda_matchbox.errors import DocumentError
from lambda_matchbox.golang.hardware_address import InvalidMACError
from lambda_matchbox.machines.history import Record
from lambda_matchbox.machines.identities import Identities, identity, identity_of
from lambda_matchbox.machines.state import MachineState
from lambda_matchbox.machines.stores import EditableMachineStore
from matchboxctl.cli.arguments import check_data_path
from matchboxctl.cli.errors import UsageError
from matchboxctl.cli.names import did_you_mean
from matchboxctl.cli.warnings import Warnings
from matchboxctl.directory.history_file import DirectoryHistory
from matchboxctl.directory.machine_states import DirectoryMachines
from matchboxctl.documents.names import id_error
from matchboxctl.machines.operators import aws_operator, local_operator
from matchboxctl.machines.optional_history import OFF, OptionalHistory
from matchboxctl.store.mode import DAYS, StoreSettings
from matchboxctl.store.stack import HISTORY_TABLE

_Made = TypeVar("_Made")

_MAX_NAMED = 5
_MAX_COMPLETED = 200
_BEGINNING = re.compile(r"[0-9a-f]{2}([:-][0-9a-f]{2})*[:-][0-9a-f]{0,2}|[0-9a-f]{8}-[0-9a-f-]{0,27}", re.IGNORECASE)
if TYPE_CHECKING:
    from lambda_matchbox.aws.machines import TableMachines
    from lambda_matchbox.web.routes import Stores

# A list reads the whole table.
_CALL_SECONDS = 60.0


class OpenedStores(NamedTuple):
    """What responses are made of, the machines, their history, and a group by its id.

    What responses are made of is opened when it is needed: in a directory that reads all groups. `operator` names who
    runs the command, `advising` is a context that explains AWS errors, and `warn` takes what went wrong meanwhile.
    With `has_index`, the beginning of an identity is found without reading all records.
    """

    responses: Callable[[], "Stores"]
    machines: EditableMachineStore
    history: OptionalHistory
    group: Callable[[str], Group | None]
    operator: Callable[[], str]
    advising: Callable[[], AbstractContextManager[None]]
    warn: Callable[[str], None]
    has_index: bool

    def groups(self) -> Iterator[Group]:
        """All groups, some without metadata; those of a table are read as they are taken."""
        return self.responses().catalog.all_groups()

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
        beginnings = keys_beginning(text)
        states = {state.identities: state for each in beginnings for state in self.machines.find(each)}
        known = {key for identities in states for key in identities.keys}
        seen = {*self.history.keys(beginnings, len(known) + _MAX_NAMED)} - known
        if self.history.machine(exact.keys[0]) is not None:
            return exact, None
        # What a machine said of itself completes the beginning of an identity, and adds no other one.
        found = [*states, *(identity_of(key) for key in sorted(seen))]
        if len(found) > 1:
            ids = ", ".join(sorted(one.keys[0].partition(":")[2] for one in found)[:_MAX_NAMED])
            raise UsageError(f"{text!r} begins several machines' identities ({ids}): give more of it")
        if found:
            return found[0], states.get(found[0])
        if is_beginning(text):
            alike = did_you_mean(text, self.ids)
            raise UsageError(f"no machine that is known begins with {text!r}: give the whole address or UUID{alike}")
        return exact, None

    def seen(self, machine: Identities) -> Record | None:
        """What its history knows of the machine."""
        return next(filter(None, (self.history.machine(key) for key in machine.keys)), None)

    def group_of(self, seen: Record | None) -> Group | None:
        """The group as which a machine asked last, if there is one and it still exists."""
        group_id = "" if seen is None else seen.fact("group")
        return self.group(group_id) if group_id else None

    def labels_of_its_group(self, seen: Record | None) -> dict[str, str]:
        """Labels that a machine had when it asked last, beside its identities: those that its group selects."""
        group = self.group_of(seen)
        selector = {} if group is None else group.selector
        return {
            key: value for key, value in selector.items() if isinstance(value, str) and key not in Identities._fields
        }

    def ids(self, beginning: str = "") -> list[str]:
        """The identities of machines that somebody acted on, that groups with a policy select, or that begin so."""
        seen = self.history.keys(keys_beginning(beginning), _MAX_COMPLETED)
        states = [one for state in self.machines.all() for one in state.identities if one]
        selectors = (group.selector for group in self.groups() if group.boot is not None)
        selected = [each[kind] for each in selectors for kind in Identities._fields if kind in each]
        named = [*(key.partition(":")[2] for key in seen), *states, *(one for each in selected for one in _texts(each))]
        return list(dict.fromkeys(named))

    def selection(self, labels: dict[str, str], machine: Identities) -> Selection | None:
        """The selection for a machine with these labels besides its identities."""
        return self.responses().catalog.select(labels_of(machine) | labels, lambda: machine.keys)


def is_beginning(text: str) -> bool:
    """Whether the text is a part of a MAC address or of a UUID, and no serial number."""
    return _BEGINNING.fullmatch(text) is not None


def keys_beginning(text: str) -> Sequence[str]:
    """The beginnings of the keys of identities that begin with the text."""
    return f"mac:{text.replace('-', ':').lower()}", f"uuid:{text.lower()}", f"serial:{text}"


def _texts(value: SelectorValue) -> Sequence[str]:
    return [value] if isinstance(value, str) else value


def labels_of(machine: Identities) -> dict[str, str]:
    """The labels that name the machine."""
    return {name: value for name, value in machine._asdict().items() if value}


@contextmanager
def opened_stores(store: StoreSettings | Path, warn: Callable[[str], None] | None = None) -> Iterator[OpenedStores]:
    """The stores of the chosen mode; warnings go to standard error where `warn` does not take them.

    Raises UsageError.
    """
    warn = warn or Warnings().warn
    if isinstance(store, Path):
        check_data_path(store)
        with ExitStack() as opened:
            responses = once(lambda: _directory_responses(store, opened))
            machines = opened.enter_context(closing(DirectoryMachines(store)))
            file = opened.enter_context(closing(DirectoryHistory(store)))
            days = _history_days()
            history = OptionalHistory(file if days else None, str(store) if days else OFF, warn)
            group = partial(_group_in_directory, store)
            yield OpenedStores(responses, machines, history, group, local_operator, nullcontext, warn, has_index=True)
        return
    from matchboxctl.store.advice import advising_on

    responses = once(lambda: _table_responses(store))
    operator, advising = partial(aws_operator, store), partial(advising_on, store)
    yield OpenedStores(
        responses,
        table_machines(store),
        _table_history(store, warn),
        lambda group_id: responses().catalog.group(group_id),
        operator,
        advising,
        warn,
        has_index=False,
    )


def once(make: Callable[[], _Made]) -> Callable[[], _Made]:
    """Makes it at the first call, also where several threads are the first."""
    lock, made = Lock(), list[_Made]()

    def get() -> _Made:
        with lock:
            if not made:
                made.append(make())
            return made[0]

    return get


def _directory_responses(store: Path, opened: ExitStack) -> "Stores":
    from matchboxctl.serve.directory_stores import directory_stores

    return opened.enter_context(closing(directory_stores(store, store / "assets", lambda _: None))).stores


def _group_in_directory(store: Path, group_id: str) -> Group | None:
    from matchboxctl.documents.directory_documents import DirectoryDocuments

    with suppress(DocumentError, InvalidMACError):
        return None if id_error(group_id) else DirectoryDocuments(store).group(group_id)
    return None


def _table_responses(store: StoreSettings) -> "Stores":
    from lambda_matchbox.web.wiring import stores

    return stores(store.boot_settings(), store.credentials)._replace(responses=None)


def table_machines(store: StoreSettings) -> "TableMachines":
    """The machines of a table. Raises UsageError."""
    from lambda_matchbox.aws.clients.dynamodb import DynamoDB
    from lambda_matchbox.aws.clients.http_client import HttpClient
    from lambda_matchbox.aws.machines import TableMachines

    settings = store.boot_settings()
    dynamodb = DynamoDB(settings.dynamodb_endpoint, settings.region, store.credentials, HttpClient())
    return TableMachines(dynamodb, settings.table, call_timeout=_CALL_SECONDS)


def _table_history(store: StoreSettings, warn: Callable[[str], None]) -> OptionalHistory:
    days = _history_days(store.history_days)
    if not days:
        return OptionalHistory(None, OFF, warn)
    if not store.history_table:
        stack = f"stack {store.stack} has no output {HISTORY_TABLE}: update it to this release"
        variables = "MATCHBOX_HISTORY_TABLE is not set: set it too, or use --stack"
        return OptionalHistory(None, f"there is no history: {stack if store.stack else variables}", warn)
    from matchboxctl.store.history import table_history

    where = store.dynamodb_endpoint or f"AWS {store.region}"
    return OptionalHistory(table_history(store, days), f"history table {store.history_table} on {where}", warn)


def _history_days(default: int = DAYS) -> int:
    text = os.environ.get("MATCHBOX_HISTORY_DAYS") or f"{default}"
    if not (text.isascii() and text.isdigit()):
        raise UsageError(f"MATCHBOX_HISTORY_DAYS {text!r} is not a number of days")
    return int(text)
