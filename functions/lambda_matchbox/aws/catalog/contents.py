"""All that a table holds, sorted by what it is. For commands of an operator: it reads the whole table."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from lambda_matchbox.aws.catalog.layout import KEY, OBJECTS, SHAPES
from lambda_matchbox.aws.clients.dynamodb_json import decode_item
from lambda_matchbox.aws.clients.store_clients import StoreClients
from lambda_matchbox.aws.releases.source_items import POINTERS, SOURCES, SYNC

if TYPE_CHECKING:
    from types_boto3_s3.type_defs import ObjectTypeDef

Item = dict[str, Any]


class Contents(NamedTuple):
    """The items of a table: by group id, profile id, kind and id of the template, and key of the entry.

    `shapes`, `sources` and `pointers` are None where the table has no SHAPES, SOURCES or POINTERS; `others` are the
    keys of items that are none of ours.
    """

    groups: dict[str, Item]
    profiles: dict[str, Item]
    templates: dict[tuple[str, str], Item]
    entries: dict[str, Item]
    shapes: Item | None
    sources: Item | None
    pointers: Item | None
    others: list[str]

    @property
    def has_documents(self) -> bool:
        """Whether there is anything of groups, profiles and templates, or of unknown kind."""
        return bool(
            self.groups or self.profiles or self.templates or self.entries or self.shapes is not None or self.others
        )

    def by_key(self) -> dict[str, Item]:
        """The items of groups, profiles and templates, by their keys."""
        return {item[KEY]: item for kind in (self.groups, self.profiles, self.templates) for item in kind.values()}


def scan(clients: StoreClients, seen: Callable[[int], object] = lambda _: None) -> Contents:
    """Read the whole table; `seen` is told after each page how many items it had.

    Each item is read by itself and consistently, but together they are no snapshot.
    """
    found = Contents({}, {}, {}, {}, None, None, None, [])
    for page in clients.dynamodb.get_paginator("scan").paginate(TableName=clients.table, ConsistentRead=True):
        for item in map(decode_item, page["Items"]):
            found = _sorted_in(found, item)
        seen(len(page["Items"]))
    return found


def document_objects(clients: StoreClients) -> Iterator["ObjectTypeDef"]:
    """The bucket's objects below `templates/`, as S3 lists them."""
    for page in clients.s3.get_paginator("list_objects_v2").paginate(Bucket=clients.bucket, Prefix=OBJECTS):
        yield from page.get("Contents", ())


def _sorted_in(found: Contents, item: Item) -> Contents:
    key = item[KEY]
    kind, _, rest = key.partition("#")
    match kind:
        case _ if key == SHAPES:
            return found._replace(shapes=item)
        case _ if key == SOURCES:
            return found._replace(sources=item)
        case _ if key == POINTERS:
            return found._replace(pointers=item)
        case _ if key.startswith(SYNC):
            # Who syncs a source just now: it means nothing to anybody else.
            pass
        case "G":
            found.groups[rest] = item
        case "P":
            found.profiles[rest] = item
        case "T":
            template_kind, _, template_id = rest.partition("#")
            found.templates[template_kind, template_id] = item
        case "E":
            found.entries[key] = item
        case _:
            found.others.append(key)
    return found
