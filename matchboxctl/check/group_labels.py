"""The labels of a machine of each group, for `check --all`."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.selection import Selector, selectors_of, sort_key
from matchboxctl.cli.arguments import check_data_path
from matchboxctl.cli.errors import UsageError

if TYPE_CHECKING:
    from matchboxctl.documents.protocol import Documents
    from matchboxctl.store.mode import StoreSettings

_RETRY_SECONDS = 10.0
_READ_TIMEOUT = 20.0


class GroupMachine(NamedTuple):
    """A group's id, and the labels of a machine of it, the first value of each list.

    `beaten_by` is the group that such a machine is in, if it is another one, else empty.
    """

    group: str
    labels: Mapping[str, str]
    beaten_by: str = ""


def group_machines(source: "Path | StoreSettings") -> list[GroupMachine]:
    """A machine of each group, in the order of their ids. Raises UsageError if there is no group."""
    documents = _documents(source)
    groups = documents.groups(lambda line: print(f"matchboxctl: {line}", file=sys.stderr), metadata=False)
    if not groups:
        place = source if isinstance(source, Path) else source.description
        raise UsageError(f"{place} has no groups: set --data-path to the directory that the server serves")
    return machines_of(groups)


def machines_of(groups: list[Group]) -> list[GroupMachine]:
    """A machine of each group, in the order of their ids. Of groups with one selector, the smallest id has it."""
    first: dict[Selector, str] = {}
    found = []
    for group in sorted(groups, key=lambda group: sort_key(group.id)):
        selectors = selectors_of(group.selector)
        free = [selector for selector in selectors if first.setdefault(selector, group.id) == group.id]
        selector = (free or selectors)[0]
        found.append(GroupMachine(group.id, dict(selector.pairs), "" if free else first[selector]))
    return found


def _documents(source: "Path | StoreSettings") -> "Documents":
    if isinstance(source, Path):
        from matchboxctl.documents.directory_documents import DirectoryDocuments

        check_data_path(source)
        return DirectoryDocuments(source)
    from matchboxctl.documents.table_documents import TableDocuments

    # Fails at once without credentials, for which later calls would wait.
    source.credentials()
    return TableDocuments(source, _RETRY_SECONDS, read_timeout=_READ_TIMEOUT)
