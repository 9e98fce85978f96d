"""The history of machines, without which commands on states go on."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from lambda_matchbox.aws.clients.errors import AWSError
from lambda_matchbox.errors import MatchboxError
from lambda_matchbox.machines.events import Event
from lambda_matchbox.machines.history import Record
from lambda_matchbox.machines.history_stores import History, HistoryStore
from lambda_matchbox.machines.identities import Identities
from matchboxctl.cli.errors import FailedError
from matchboxctl.store.aws_errors import with_advice

_Result = TypeVar("_Result")

OFF = "there is no history: MATCHBOX_HISTORY_DAYS is 0"
"""The name of a history that was turned off."""


class OptionalHistory:
    """The history in a store, which messages call `name`; where there is none, `name` says what to do.

    A first failure is a warning, and then the history is left alone, except in `required` and `forget`.
    """

    def __init__(self, store: HistoryStore | None, name: str, warn: Callable[[str], None]) -> None:
        self._history = None if store is None else History(store)
        self._name = name
        self._warn = warn
        self._has_failed = False

    def again(self, warn: Callable[[str], None]) -> "OptionalHistory":
        """The same history, before any failure."""
        other = OptionalHistory(None, self._name, warn)
        other._history = self._history
        return other

    @property
    def is_off(self) -> bool:
        """Whether it was turned off, as opposed to a history that is missing."""
        return self._name == OFF

    @contextmanager
    def required(self) -> Iterator[History]:
        """The history. Raises FailedError, also for what AWS refuses in the body."""
        if self._history is None:
            raise FailedError(self._name)
        try:
            yield self._history
        except AWSError as error:
            raise FailedError(self._reason(error)) from error

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
        if self._history is not None and not self._has_failed:
            try:
                return use(self._history)
            except MatchboxError as error:
                self._has_failed = True
                self._warn(f"warning: the history is left out: {self._reason(error)}")
        return otherwise

    def forget(self, machine: Identities) -> bool:
        """Delete the history of the machine; False if it has none. Raises MatchboxError, FailedError."""
        if self._history is None:
            return False
        with self.required() as history:
            return history.forget(machine.keys)

    def _reason(self, error: MatchboxError) -> str:
        if not isinstance(error, AWSError):
            return str(error)
        absent = "it does not exist: name the stack's with --stack, or create it with `matchboxctl init`"
        return f"{self._name}: {absent if error.code == 'ResourceNotFoundException' else with_advice(error)}"
