"""All groups, profiles or templates of a table, for an editor: it reads the whole table."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from lambda_matchbox.aws.catalog.items import ObjectRef, display_name, group_in, object_ref, profile_in
from lambda_matchbox.aws.catalog.object_cache import LostObjectError
from lambda_matchbox.aws.clients.dynamodb_json import decode_item
from lambda_matchbox.aws.clients.store_clients import StoreClients
from lambda_matchbox.aws.layout import KEY, group_key, profile_key, template_key
from lambda_matchbox.aws.parallel import in_parallel
from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import Profile

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import ScanInputTypeDef, ScanOutputTypeDef

UNREADABLE = "its item cannot be read: see `matchboxctl fsck`"
"""What is told of an item that holds no group, no profile or no template."""

_Document = TypeVar("_Document")
_Read = Callable[[ObjectRef], bytes]
_Report = Callable[[str], None]


class Listing(NamedTuple):
    """What lists are made with: `read` gets the bytes of an object, by several threads at a time.

    `asked` is given each question to the table, of which a long list has many, and may ask it again.
    `told` is given a line for each item that holds none of what is listed, or whose object has gone: it is left out.
    """

    clients: StoreClients
    asked: "Callable[[Callable[[], ScanOutputTypeDef]], ScanOutputTypeDef]"
    read: _Read
    told: _Report

    def groups(self) -> list[Group]:
        """The groups, in no order."""
        return list(self._documents(group_key(""), group_in))

    def profiles(self) -> list[Profile]:
        """The profiles, in no order."""
        return list(self._documents(profile_key(""), profile_in))

    def templates(self, kind: str) -> dict[str, int]:
        """How many bytes the templates of that kind have, by their names."""
        prefix = template_key(kind, "") or ""
        found: dict[str, int] = {}
        for item in self._items(prefix, "body", "at", "size"):
            try:
                far = object_ref(item)
                found[item[KEY].removeprefix(prefix)] = len(item["body"]) if far is None else int(far.size)
            except (LookupError, TypeError, ValueError):
                self.told(f"{display_name(item[KEY])}: {UNREADABLE}")
        return found

    def names(self, prefix: str | None) -> list[str]:
        """What the keys with this beginning have behind it."""
        return [item[KEY].removeprefix(prefix or "") for item in self._items(prefix)]

    def _documents(
        self, prefix: str | None, document_in: Callable[[Mapping[str, Any], _Read], _Document]
    ) -> Iterator[_Document]:
        items = list(self._items(prefix, "doc", "at", "size"))
        bodies = self._bodies([far for item in items if (far := _far(item)) is not None])
        for item in items:
            try:
                yield document_in(item, bodies.__getitem__)
            except LostObjectError as error:
                self.told(f"{display_name(item[KEY])}: {error}")
            except (LookupError, TypeError, ValueError):
                self.told(f"{display_name(item[KEY])}: {UNREADABLE}")

    def _bodies(self, fars: Sequence[ObjectRef]) -> "_Bodies":
        bodies = _Bodies()

        def fetch(far: ObjectRef) -> None:
            try:
                bodies[far] = self.read(far)
            except LostObjectError as error:
                bodies.lost[far] = error

        for _ in in_parallel(fetch, dict.fromkeys(fars)):
            pass
        return bodies

    def _items(self, prefix: str | None, *attributes: str) -> Iterator[dict[str, Any]]:
        names = {f"#{at}": name for at, name in enumerate((KEY, *attributes))}
        question: ScanInputTypeDef = {
            "TableName": self.clients.table,
            "ConsistentRead": True,
            "FilterExpression": "begins_with(#0, :prefix)",
            "ProjectionExpression": ", ".join(names),
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": {":prefix": {"S": prefix or ""}},
        }
        while True:
            page = self.asked(lambda: self.clients.dynamodb.scan(**question))
            yield from map(decode_item, page["Items"])
            if not (last := page.get("LastEvaluatedKey")):
                return
            question["ExclusiveStartKey"] = last


def _far(item: Mapping[str, Any]) -> ObjectRef | None:
    """Where the rest of the item lies, if it says so; who reads the document finds what is wrong with it."""
    far = object_ref(item) if "size" in item else None
    return far if far is not None and isinstance(far.key, str) and isinstance(far.size, int) else None


class _Bodies(dict[ObjectRef, bytes]):
    """The bytes of objects; asked for one that was lost, it raises the reason."""

    def __init__(self) -> None:
        super().__init__()
        self.lost: dict[ObjectRef, LostObjectError] = {}

    def __missing__(self, far: ObjectRef) -> bytes:
        raise self.lost[far]
