"""Faster replacements of two slow parts of moto's DynamoDB."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from functools import lru_cache
from typing import Any

from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.table import Table
from moto.dynamodb.parsing.ast_nodes import DepthFirstTraverser

_transact_write_items = DynamoDBBackend.transact_write_items


def speed_up_moto() -> None:
    """Patch moto for this process."""
    # For each item of a transaction moto copies the whole table, to restore it if the transaction fails.
    Table.__deepcopy__ = lambda table, memo: table
    DynamoDBBackend.transact_write_items = _write_items_or_restore_them
    # For each node of an expression it builds the table of the visitor's methods again.
    DepthFirstTraverser.nodes_to_be_processed = lru_cache(maxsize=16)(DepthFirstTraverser.nodes_to_be_processed)
    for traverser in DepthFirstTraverser.__subclasses__():
        traverser._processing_map = lru_cache(maxsize=16)(traverser._processing_map)


def _write_items_or_restore_them(backend: Any, operations: Sequence[Mapping[str, Any]]) -> None:
    before = []
    for operation in operations:
        ((kind, request),) = operation.items()
        table = backend.get_table(request["TableName"])
        key, _ = backend.get_keys_value(table, request["Item" if kind == "Put" else "Key"])
        before.append((table, key, deepcopy(table.items.get(key))))
    try:
        _transact_write_items(backend, operations)
    except Exception:
        for table, key, item in before:
            if item is None:
                table.items.pop(key, None)
            else:
                table.items[key] = item
        raise
