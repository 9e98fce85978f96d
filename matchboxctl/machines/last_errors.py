"""The last errors of machines, such as responses with a status from 400."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import NamedTuple

from lambda_matchbox.machines.events import Event
from lambda_matchbox.machines.history import HOUR, Record
from lambda_matchbox.machines.history_stores import Wanted
from matchboxctl.machines.event_texts import Repeated, repeated
from matchboxctl.machines.opened_stores import OpenedStores

HOURS, MACHINES = 24, 100
"""Looked at are the events of so many hours, of so many machines with the newest events."""

_MOST = 50


class MachineError(NamedTuple):
    """A machine, and an error that it had once or several times."""

    machine: Record
    error: Repeated


class LastErrors(NamedTuple):
    """The errors, the newest first, and when the newest event was, in milliseconds since 1970; 0 if there is none.

    With `is_off` nothing is recorded, as an operator wants it.
    """

    errors: Sequence[MachineError]
    newest: int
    is_off: bool = False


def last_errors(opened: OpenedStores, now: int) -> LastErrors:
    """The last errors. Raises FailedError where the history is missing."""
    if opened.history.is_off:
        return LastErrors((), 0, is_off=True)
    since = now - HOURS * HOUR
    with opened.history.required() as history:
        records = history.page(Wanted(), MACHINES).records
        recent = [record for record in records if record.last_event >= since]
        events = history.events_of(recent, since)
    found = [
        MachineError(record, error)
        for record, some in zip(recent, events, strict=True)
        for error in repeated(filter(is_error, some))
    ]
    found.sort(key=lambda one: one.error.last.time, reverse=True)
    return LastErrors(found[:_MOST], records[0].last_event if records else 0)


def is_error(event: Event) -> bool:
    """Whether a machine did not get what it asked for, or says that its installation failed."""
    return event.status >= HTTPStatus.BAD_REQUEST or event.verdict == "refuse" or event.reported == "failed"
