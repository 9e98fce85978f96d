"""The differences between a table and the groups, profiles and templates to import."""

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from lambda_matchbox.aws.bulk.capacity import fitting
from lambda_matchbox.aws.catalog.items import Record, UnwritableError, document_key, document_record
from lambda_matchbox.aws.catalog.table_contents import TableContents
from lambda_matchbox.aws.keys import KEY, Attribute, entry_key, member_name, selector_text, shape_name
from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.selection import keys_of, selectors_of
from lambda_matchbox.catalog.templates import CatalogDocument


class Plan(NamedTuple):
    """New and changed documents by their keys, the keys to delete, and messages for refused documents."""

    added: dict[str, CatalogDocument]
    changed: dict[str, CatalogDocument]
    removed: list[str]
    unchanged: int
    refused: list[str]


def plan(
    documents: Iterable[CatalogDocument],
    found: TableContents,
    objects: Mapping[str, int],
    spared: Collection[str] | None,
) -> Plan:
    """The changes that make the table's contents equal to the documents.

    `objects` are the sizes of the objects below `templates/`, by their keys: a document without its object counts as
    changed. Other documents of the table are removed, except those of the keys in `spared` and of refused documents;
    none is removed if `spared` is None.
    """
    existing = found.by_key()
    made = Plan({}, {}, [], 0, [])
    wanted: set[str] = set()
    unchanged = 0

    def refuse(document: CatalogDocument, reason: str) -> None:
        made.refused.append(reason)
        wanted.add(document_key(document) or "")

    for document in fitting(documents, found, refuse):
        try:
            record = document_record(document, rev="")
        except UnwritableError as error:
            refuse(document, str(error))
            continue
        key = str(record.item[KEY])
        wanted.add(key)
        if key not in existing:
            made.added[key] = document
        elif (
            _same(record, existing[key])
            and all(objects.get(key) == len(body) for key, body in record.objects.items())
            and (not isinstance(document, Group) or _is_entered(document, found))
        ):
            unchanged += 1
        else:
            made.changed[key] = document
    if spared is not None:
        made.removed.extend(sorted(existing.keys() - wanted - set(spared)))
    return made._replace(unchanged=unchanged)


def _same(record: Record, item: dict[str, Attribute]) -> bool:
    return {**record.item, "rev": ""} == {**item, "rev": ""}


def _is_entered(group: Group, found: TableContents) -> bool:
    """Whether SHAPES has the group's shape, and the entries of its selector have the group."""
    if shape_name(keys_of(group.selector)) not in (found.shapes or {}):
        return False
    for selector in selectors_of(group.selector):
        entry = found.entries.get(entry_key(selector), {})
        if entry.get("s") != selector_text(selector) or entry.get(member_name(group.id)) != group.profile:
            return False
    return True
