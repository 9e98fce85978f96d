"""A part of the groups, profiles or templates, whatever their number."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NamedTuple

from lambda_matchbox.aws.clients.errors import AWSError
from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import Profile
from lambda_matchbox.catalog.selection import sort_key
from lambda_matchbox.catalog.templates import TEMPLATE_KINDS
from lambda_matchbox.errors import MatchboxError, StoreUnavailableError
from lambda_matchbox.golang.hardware_address import InvalidMACError
from matchboxctl.documents.protocol import Documents

_THREADS = 8
# Above every byte of UTF-8.
_END = b"\xff"


class Entry(NamedTuple):
    """The id of a group or profile, or KIND/NAME and the size of a template."""

    name: str
    size: int = 0


class Part(NamedTuple):
    """Entries in their order, how many there are with that prefix, and the last one if others follow."""

    entries: Sequence[Entry]
    number: int
    last: str


class Read(NamedTuple):
    """An entry with its document, and why it cannot be read; both are empty if it does not exist."""

    entry: Entry
    document: Group | Profile | bytes | None
    problem: str = ""


def entries(documents: Documents, kind: str) -> list[Entry]:
    """All `groups`, `profiles` or `templates` in their order."""
    if kind == "templates":
        found = [Entry(f"{each}/{one.name}", one.size) for each in TEMPLATE_KINDS for one in documents.templates(each)]
    else:
        found = [Entry(name) for name in documents.names(kind)]
    # As by the bytes of their names.
    return sorted(found)


def part_of(ordered: Sequence[Entry], prefix: str, after: str, limit: int) -> Part:
    """The entries that begin with the prefix and come after that one."""
    first = bisect_left(ordered, sort_key(prefix), key=_key)
    end = bisect_left(ordered, sort_key(prefix) + _END, key=_key)
    start = max(first, bisect_right(ordered, sort_key(after), key=_key)) if after else first
    found = ordered[start : min(start + limit, end)]
    return Part(found, end - first, found[-1].name if found and start + limit < end else "")


def read_all(documents: Documents, kind: str, some: Sequence[Entry]) -> list[Read]:
    """The groups or profiles of these entries. Raises StoreUnavailableError or AWSError."""
    with ThreadPoolExecutor(_THREADS) as threads:
        return list(threads.map(partial(read, documents, kind), some))


def read(documents: Documents, kind: str, entry: Entry) -> Read:
    """The document of the entry. Raises StoreUnavailableError or AWSError."""
    try:
        return Read(entry, _document(documents, kind, entry.name))
    except (InvalidMACError, MatchboxError) as error:
        if isinstance(error, AWSError) or (isinstance(error, StoreUnavailableError) and not _is_lost(error)):
            raise
        return Read(entry, None, str(error))


def _document(documents: Documents, kind: str, name: str) -> Group | Profile | bytes | None:
    match kind:
        case "groups":
            return documents.group(name)
        case "profiles":
            return documents.profile(name)
        case _:
            template_kind, _, name = name.partition("/")
            return documents.template(template_kind, name)


def _is_lost(error: StoreUnavailableError) -> bool:
    # Imported here: directory mode starts without clients of AWS.
    from lambda_matchbox.aws.catalog.object_cache import LostObjectError

    return isinstance(error, LostObjectError)


def _key(entry: Entry) -> bytes:
    return sort_key(entry.name)
