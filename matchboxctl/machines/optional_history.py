"""The history of machines, without which commands on states go on."""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TypeVar

from lambda_matchbox.errors import MatchboxError
from lambda_matchbox.machines.events import Event
from lambda_matchbox.machines.history import Record
from lambda_matchbox.machines.history_stores import History, HistoryStore
from lambda_matchbox.machines.identities import Identities
from matchboxctl.cli.errors import FailedError
from matchboxctl.cli.warnings import Warnings

_Result = TypeVar("_Result")


class OptionalHistory:
    """The history in a store; `absent` says what to do where there is none. The first failure is a warning."""

    def __init__(self, store: HistoryStore | None, absent: str = "") -> None:
        self._history = None if store is None else History(store)
        self._absent = absent
        self._warnings = Warnings()

    def required(self) -> History:
        """The history. Raises FailedError."""
        if self._history is None:
            raise FailedError(self._absent)
        return self._history

    def keys(self, beginnings: Collection[str], limit: int) -> Sequence[str]:
        """Identities of machines that begin so, so many at most."""
        return self._tried(lambda history: history.keys(beginnings, limit), ())

    def machine(self, key: str) -> Record | None:
        """The record of the machine with this identity."""
        return self._tried(lambda history: history.machine(key), None)

    def events(self, record: Record, since: int) -> Sequence[Event]:
        """The events of a machine since then, in order."""
        return self._tried(lambda history: history.events(record, since), ())

    def add(self, events: Iterable[Event]) -> None:
        """Add the events."""
        self._tried(lambda history: history.add(events), None)

    def _tried(self, use: Callable[[History], _Result], otherwise: _Result) -> _Result:
        if self._history is not None and not self._warnings.count:
            try:
                return use(self._history)
            except MatchboxError as error:
                self._warnings.warn(f"warning: the history is left out: {error}")
        return otherwise

    def forget(self, machine: Identities) -> bool:
        """Delete the history of the machine; False if it has none. Raises MatchboxError."""
        if self._history is None:
            return False
        records = [record for key in machine.keys if (record := self._history.machine(key)) is not None]
        for record in records:
            self._history.forget(record)
        return bool(records)
