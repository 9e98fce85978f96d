"""Machines by a text that an operator types: an identity, a host name, a group, an address, or a label."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.machines.history import Record
from lambda_matchbox.machines.history_stores import CursorError, History, Wanted
from lambda_matchbox.machines.identities import identity
from matchboxctl.cli.errors import UsageError
from matchboxctl.machines.opened_stores import OpenedStores, is_beginning, keys_beginning

_FACTS = ("mac", "uuid", "serial", "hostname", "group", "profile", "address", "arch", "release")
_PAGE = 1000

MOST_LOOKED_AT = 5000
"""Of the machines with the newest events, before a search asks whether to go on."""


MOST_LETTERS = 160
"""Of a search."""


class Found(NamedTuple):
    """Machines, of how many that were looked at, and the cursor with which the search goes on; empty at the end."""

    records: tuple[Record, ...]
    looked_at: int
    cursor: str


def search(opened: OpenedStores, text: str, limit: int, cursor: str = "") -> Found:
    """Machines that the text names, those with the newest events first.

    A whole identity and the id of a group are looked up; all else is sought among the machines that a part of their
    list has at a time. Raises CommandError.
    """
    if len(text) > MOST_LETTERS:
        raise UsageError(f"search for {MOST_LETTERS} letters at most")
    try:
        return _search(opened, text, limit, cursor)
    except CursorError as error:
        raise UsageError(str(error)) from error


def _search(opened: OpenedStores, text: str, limit: int, cursor: str) -> Found:
    with opened.history.required() as history:
        if not cursor:
            exact = history.machines(identity(text).keys)
            if exact:
                return Found(tuple(exact), len(exact), "")
        if opened.group(text) is not None:
            page = history.page(Wanted(group=text), limit, cursor)
            return Found(page.records, len(page.records), page.cursor)
        found = _among(history, _condition(opened, text), limit, cursor)
        if opened.has_index and not found.records and not cursor and is_beginning(text):
            # Of a machine whose last event was long ago.
            keys = history.keys(keys_beginning(text), limit)
            records = {record.identities.keys[0]: record for record in history.machines(keys)}
            return Found(tuple(records.values()), found.looked_at, found.cursor)
        return found


def _among(history: History, condition: Callable[[Record], bool], limit: int, cursor: str) -> Found:
    found: list[Record] = []
    looked_at = 0
    while True:
        page = history.page(Wanted(), min(_PAGE, max(limit, MOST_LOOKED_AT - looked_at)), cursor)
        for record in page.records:
            looked_at += 1
            if condition(record):
                found.append(record)
                if len(found) == limit:
                    return Found(tuple(found), looked_at, history.cursor_after(record))
        cursor = page.cursor
        if not cursor or looked_at >= MOST_LOOKED_AT:
            return Found(tuple(found), looked_at, cursor)


def _condition(opened: OpenedStores, text: str) -> Callable[[Record], bool]:
    name, equals, value = text.partition("=")
    if equals and name.lower() in _FACTS:
        wanted = _folded(value, is_mac=name.lower() == "mac")
        return lambda record: record.fact(name.lower()).casefold() == wanted
    if equals:
        groups = {group.id for group in opened.groups() if value in _values(group, name)}
        return lambda record: record.fact("group") in groups
    parts = {_folded(text), _folded(text, is_mac=True)} if is_beginning(text) else {_folded(text)}
    return lambda record: any(part in record.fact(fact).casefold() for fact in _FACTS for part in parts)


def _folded(text: str, *, is_mac: bool = False) -> str:
    return (text.replace("-", ":") if is_mac else text).casefold()


def _values(group: Group, name: str) -> Iterator[str]:
    value = group.selector.get(name, ())
    yield from ([value] if isinstance(value, str) else value)
