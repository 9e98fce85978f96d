"""The keys of tokens: made with the first group that needs one, and replaced every month (see `aws.keys`)."""

import secrets
from base64 import b64encode
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from lambda_matchbox.aws.clients.dynamodb import ConditionFailedError, ItemWrite
from lambda_matchbox.aws.clients.dynamodb_json import Item, encode_item
from lambda_matchbox.aws.clients.light_clients import CALL_SECONDS, LightClients
from lambda_matchbox.aws.clients.request_deadline import deadline_within
from lambda_matchbox.aws.keys import KEY, TOKEN_KEY, TOKEN_KEYS, token_keys_in
from lambda_matchbox.machines.tokens import KEY_LIFETIME, KEY_SIZE

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

NEWEST = "newest"
"""The attribute that says when the newest key was made."""


def make_first_key(dynamodb: "DynamoDBClient", table: str, now: int) -> None:
    """Make a key unless there is one."""
    # Whoever was faster has written what is needed.
    with suppress(dynamodb.exceptions.ConditionalCheckFailedException):
        dynamodb.put_item(
            TableName=table,
            Item=encode_item(_item({now: secrets.token_bytes(KEY_SIZE)})),
            ConditionExpression="attribute_not_exists(#newest)",
            ExpressionAttributeNames={"#newest": NEWEST},
        )


def replace_old_key(clients: LightClients, now: int) -> int:
    """Make a new key if the newest is a month old, and remove all but these two. Without any key do nothing.

    Returns the moment before which there is nothing to do again.
    """
    keys = token_keys_in(clients.item(TOKEN_KEYS))
    if not keys or now - max(keys) < KEY_LIFETIME:
        return (max(keys) if keys else now) + KEY_LIFETIME
    kept = {max(keys): keys[max(keys)], now: secrets.token_bytes(KEY_SIZE)}
    write = ItemWrite(_item(kept), {NEWEST: max(keys)})
    # Whoever was faster has written what is needed.
    with suppress(ConditionFailedError):
        clients.dynamodb.put_item(clients.table, KEY, write, deadline_within(CALL_SECONDS))
    return now


def _item(keys: Mapping[int, bytes]) -> Item:
    named = {f"{TOKEN_KEY}{made}": b64encode(key).decode() for made, key in keys.items()}
    return {KEY: TOKEN_KEYS, NEWEST: max(keys), **named}
