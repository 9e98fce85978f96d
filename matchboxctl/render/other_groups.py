"""The groups that a machine is not in, by how few of their selectors it lacks."""

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.selection import matches, sort_key
from lambda_matchbox.documents.groups_and_profiles import parse_group
from lambda_matchbox.errors import DocumentError
from matchboxctl.directory.files import files_below
from matchboxctl.store.mode import StoreSettings

_JSON = ".json"


class OtherGroup(NamedTuple):
    """A group that was not selected: the selectors that the machine lacks, and why it lost if it lacks none."""

    id: str
    lacks: Mapping[str, object]
    lost_by: str


class OtherGroups(NamedTuple):
    """The nearest groups, and the number of the others."""

    nearest: list[OtherGroup]
    left_out: int


def other_groups(groups: Iterable[Group], chosen: Group | None, labels: Mapping[str, str], limit: int) -> OtherGroups:
    """All groups but `chosen`: those that lack the fewest selectors first, then those with the most selectors."""
    count = 0

    def others() -> Iterable[tuple[int, int, bytes, Group]]:
        nonlocal count
        for group in groups:
            if chosen is None or group.id != chosen.id:
                count += 1
                yield len(lacking(group, labels)), -len(group.selector), sort_key(group.id), group

    nearest = heapq.nsmallest(limit, others(), key=lambda one: one[:3])
    found = [OtherGroup(group.id, lacking(group, labels), _lost_by(group, chosen)) for *_, group in nearest]
    return OtherGroups(found, count - len(found))


def lacking(group: Group, labels: Mapping[str, str]) -> dict[str, object]:
    """The group's selectors that the labels do not match."""
    return {
        key: value
        for key, value in group.selector.items()
        if not matches(group._replace(selector={key: value}), labels)
    }


def _lost_by(group: Group, chosen: Group | None) -> str:
    if chosen is None or len(group.selector) < len(chosen.selector):
        return "it has fewer selectors"
    if dict(group.selector) == dict(chosen.selector):
        return "it has the same selectors, and the smaller id wins"
    return "it has as many selectors, and the greater ones win"


def reason(
    other: OtherGroup,
    labels: Mapping[str, str],
    pairs: Callable[[Mapping[str, object]], str],
    value: Callable[[str, object], str],
) -> str:
    """Why the machine with these labels is not in it; `pairs` and `value` show selectors and a label's value."""
    if not other.lacks:
        return f"it matches too, but {other.lost_by}"
    missing = []
    for key, selected in other.lacks.items():
        label = labels.get(key)
        machine = "has no such label" if label is None else f"has {value(key, label)}"
        missing.append(f"{pairs({key: selected})} (the machine {machine})")
    return f"it selects {', '.join(missing)}"


def all_groups(source: Path | StoreSettings, warn: Callable[[str], None]) -> Iterator[Group]:
    """All groups, those of a table without the metadata that lie in the bucket; `warn` gets a line for each fault."""
    return _in_directory(source / "groups", warn) if isinstance(source, Path) else _in_table(source)


def _in_directory(directory: Path, warn: Callable[[str], None]) -> Iterator[Group]:
    for path, file in files_below(directory, warn):
        if path.endswith(_JSON) and "/" not in path:
            try:
                yield parse_group(path.removesuffix(_JSON), file.read_bytes())
            except (DocumentError, OSError):
                # Opening the catalog has warned of it.
                continue


def _in_table(store: StoreSettings) -> Iterator[Group]:
    from lambda_matchbox.aws.catalog.items import group_in
    from lambda_matchbox.aws.catalog.table_contents import scan_table
    from matchboxctl.store.advice import advising_on

    with advising_on(store):
        found = scan_table(store.clients())
    return (group_in(item, lambda _: b"{}") for item in found.groups.values())
