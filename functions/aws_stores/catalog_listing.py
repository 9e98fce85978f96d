"""All groups or all profiles of a table, for an editor: it reads the whole table."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from aws_stores.boto3_items import untyped
from aws_stores.group_items import group_in
from aws_stores.table import KEY, Far, group_key, profile_in, profile_key
from matchbox.groups import Group
from matchbox.profiles import Profile

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient


def groups_in(client: "DynamoDBClient", table: str, read: Callable[[Far], bytes]) -> list[Group]:
    """The groups, in no order; an item that holds none is left out. `read` gets the bytes of an object."""
    return [group for item in _items(client, table, group_key("")) if (group := _group(item, read)) is not None]


def profiles_in(client: "DynamoDBClient", table: str, read: Callable[[Far], bytes]) -> list[Profile]:
    """The profiles, in no order; an item that holds none is left out. `read` gets the bytes of an object."""
    return [profile for item in _items(client, table, profile_key("")) if (profile := _profile(item, read)) is not None]


def _items(client: "DynamoDBClient", table: str, prefix: str | None) -> Iterator[dict[str, Any]]:
    pages = client.get_paginator("scan").paginate(
        TableName=table,
        ConsistentRead=True,
        FilterExpression="begins_with(#pk, :prefix)",
        ExpressionAttributeNames={"#pk": KEY},
        ExpressionAttributeValues={":prefix": {"S": prefix or ""}},
    )
    for page in pages:
        yield from map(untyped, page["Items"])


def _group(item: dict[str, Any], read: Callable[[Far], bytes]) -> Group | None:
    try:
        return group_in(item, read)
    except (LookupError, TypeError, ValueError):
        return None


def _profile(item: dict[str, Any], read: Callable[[Far], bytes]) -> Profile | None:
    try:
        return profile_in(item, read)
    except (LookupError, TypeError, ValueError):
        return None
