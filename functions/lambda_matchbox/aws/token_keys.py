"""The keys of tokens: made with the first group that needs one, and replaced every month (see `aws.keys`)."""

import secrets
from base64 import b64encode
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lambda_matchbox.aws.keys import KEY, TOKEN_KEY, TOKEN_KEYS, token_keys_in
from lambda_matchbox.machines.tokens import KEY_LIFETIME, KEY_SIZE

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

NEWEST = "newest"
"""The attribute that says when the newest key was made."""


def make_first_key(dynamodb: "DynamoDBClient", table: str, now: int) -> None:
    """Make a key unless there is one."""
    _put(dynamodb, table, {now: secrets.token_bytes(KEY_SIZE)}, "attribute_not_exists(#newest)")


def replace_old_key(dynamodb: "DynamoDBClient", table: str, now: int) -> None:
    """Make a new key if the newest is a month old, and remove all but these two. Without any key do nothing."""
    item = dynamodb.get_item(TableName=table, Key={KEY: {"S": TOKEN_KEYS}}, ConsistentRead=True).get("Item")
    keys = token_keys_in({name: value.get("S") for name, value in (item or {}).items()})
    if not keys or now - max(keys) < KEY_LIFETIME:
        return
    kept = {max(keys): keys[max(keys)], now: secrets.token_bytes(KEY_SIZE)}
    _put(dynamodb, table, kept, "#newest = :newest", {":newest": {"N": str(max(keys))}})


def _put(
    dynamodb: "DynamoDBClient",
    table: str,
    keys: Mapping[int, bytes],
    condition: str,
    values: Mapping[str, Any] | None = None,
) -> None:
    """Write the keys. Whoever was faster has written what is needed."""
    named = {f"{TOKEN_KEY}{made}": {"S": b64encode(key).decode()} for made, key in keys.items()}
    more: dict[str, Any] = {"ExpressionAttributeValues": values} if values else {}
    try:
        dynamodb.put_item(
            TableName=table,
            Item={KEY: {"S": TOKEN_KEYS}, NEWEST: {"N": str(max(keys))}, **named},
            ConditionExpression=condition,
            ExpressionAttributeNames={"#newest": NEWEST},
            **more,
        )
    except dynamodb.exceptions.ConditionalCheckFailedException:
        return
