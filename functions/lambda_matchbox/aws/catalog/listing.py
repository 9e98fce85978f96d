"""All groups, profiles or templates of a table, for editors: it reads the whole table."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from lambda_matchbox.aws.catalog.items import (
    ObjectRef,
    display_name,
    group_in,
    has_object,
    object_ref,
    profile_in,
)
from lambda_matchbox.aws.catalog.object_cache import LostObjectError
from lambda_matchbox.aws.clients.dynamodb_json import Item, decode_item
from lambda_matchbox.aws.clients.store_clients import StoreClients
from lambda_matchbox.aws.keys import KEY, group_key, profile_key, template_key
from lambda_matchbox.aws.parallel import in_parallel, scan_pages
from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import Profile

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import ScanOutputTypeDef

UNREADABLE = "its item cannot be read: see `matchboxctl fsck`"

_Document = TypeVar("_Document")
_Read = Callable[[ObjectRef], bytes]


class CatalogListing(NamedTuple):
    """Lists documents; `read` returns an object's bytes, for several threads at a time.

    `retry` is given the call for each page, in several threads at a time, and may repeat it. `report` is given a line
    for each item that is left out because it is damaged or its object is lost.
    """

    clients: StoreClients
    retry: "Callable[[Callable[[], ScanOutputTypeDef]], ScanOutputTypeDef]"
    read: _Read
    report: Callable[[str], None]

    def groups(self) -> list[Group]:
        """The groups, in no order."""
        return list(self._documents(group_key(""), group_in))

    def profiles(self) -> list[Profile]:
        """The profiles, in no order."""
        return list(self._documents(profile_key(""), profile_in))

    def templates(self, kind: str) -> dict[str, int]:
        """The sizes in bytes of the templates of that kind, by their names."""
        prefix = template_key(kind, "") or ""
        found: dict[str, int] = {}
        for item in self._items(prefix, "body", "at", "size"):
            try:
                reference = object_ref(item)
                size = len(item["body"]) if reference is None else int(reference.size)
                found[item[KEY].removeprefix(prefix)] = size
            except (LookupError, TypeError, ValueError):
                self.report(f"{display_name(item[KEY])}: {UNREADABLE}")
        return found

    def names(self, prefix: str | None) -> list[str]:
        """The rest of all keys with this prefix."""
        return [item[KEY].removeprefix(prefix or "") for item in self._items(prefix)]

    def _documents(
        self, prefix: str | None, document_in: Callable[[Mapping[str, Any], _Read], _Document]
    ) -> Iterator[_Document]:
        items = list(self._items(prefix, "doc", "at", "size"))
        bodies = self._bodies([reference for item in items if (reference := _reference(item)) is not None])
        for item in items:
            try:
                yield document_in(item, bodies.__getitem__)
            except LostObjectError as error:
                self.report(f"{display_name(item[KEY])}: {error}")
            except (LookupError, TypeError, ValueError):
                self.report(f"{display_name(item[KEY])}: {UNREADABLE}")

    def _bodies(self, references: Sequence[ObjectRef]) -> "_Bodies":
        bodies = _Bodies()

        def fetch(reference: ObjectRef) -> None:
            try:
                bodies[reference] = self.read(reference)
            except LostObjectError as error:
                bodies.lost[reference] = error

        for _ in in_parallel(fetch, dict.fromkeys(references)):
            pass
        return bodies

    def _items(self, prefix: str | None, *attributes: str) -> Iterator[Item]:
        names = {f"#{at}": name for at, name in enumerate((KEY, *attributes))}
        request = {
            "TableName": self.clients.table,
            "ConsistentRead": True,
            "FilterExpression": "begins_with(#0, :prefix)",
            "ProjectionExpression": ", ".join(names),
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": {":prefix": {"S": prefix or ""}},
        }
        for page in scan_pages(lambda one: self.retry(lambda: self.clients.dynamodb.scan(**one)), request):
            yield from map(decode_item, page["Items"])


def _reference(item: Mapping[str, Any]) -> ObjectRef | None:
    """The object of the item; a damaged reference is found when the document is read."""
    try:
        return object_ref(item) if has_object(item) else None
    except (KeyError, TypeError):
        return None


class _Bodies(dict[ObjectRef, bytes]):
    """The bytes of objects; the look-up of a lost one raises its error."""

    def __init__(self) -> None:
        super().__init__()
        self.lost: dict[ObjectRef, LostObjectError] = {}

    def __missing__(self, reference: ObjectRef) -> bytes:
        raise self.lost[reference]
