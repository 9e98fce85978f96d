"""Writes to an empty table with BatchWriteItem, which is faster than transactions but has no conditions.

Machines may boot meanwhile. A group is found through its selector's entry only, so entries are written after what they
lead to, those of the most specific selectors first: nothing matches a machine until its own group is complete, never
a less specific group.
"""

import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import count
from typing import Any

from lambda_matchbox.aws.catalog.items import document_record
from lambda_matchbox.aws.catalog.table_writes import TableWrites
from lambda_matchbox.aws.clients.dynamodb_json import Item, encode_item
from lambda_matchbox.aws.clients.store_clients import StoreClients
from lambda_matchbox.aws.keys import KEY, SHAPES, Attribute, entry_key, member_name, selector_text, shape_name
from lambda_matchbox.aws.parallel import in_parallel
from lambda_matchbox.aws.token_keys import make_first_key
from lambda_matchbox.backoff import Backoff
from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.selection import Selector, selectors_of
from lambda_matchbox.catalog.templates import CatalogDocument
from lambda_matchbox.errors import StoreUnavailableError

BATCH_ITEMS = 25
"""The limit of one BatchWriteItem; at 400 KB each they stay below its 16 MB."""

_RETRY_SECONDS = 60.0
_BACKOFF = Backoff(longest=2.0)


def bulk_load(
    clients: StoreClients, documents: Iterable[CatalogDocument], done: Callable[[int], object] = lambda _: None
) -> None:
    """Write all documents into an empty table; `done` is given the number of further ones written.

    What was written before an interruption stays and does no harm. Raises UnwritableError before anything is written,
    StoreUnavailableError if the table takes no items for a minute.
    """

    def write(items: Iterable[Item]) -> Iterator[list[Item]]:
        return in_parallel(lambda batch: _write(clients, batch), _batches(items))

    documents = list(documents)
    groups = [document for document in documents if isinstance(document, Group)]
    others = [document for document in documents if not isinstance(document, Group)]
    revised = [[document_record(document, uuid.uuid4().hex) for document in part] for part in (others, groups)]
    objects = {key: body for part in revised for record in part for key, body in record.objects.items()}
    entries = _entries(groups)
    for _ in in_parallel(lambda key: clients.s3.put_object(Bucket=clients.bucket, Key=key, Body=objects[key]), objects):
        pass
    if any(group.boot is not None and group.boot.token for group in groups):
        make_first_key(clients.dynamodb, clients.table, int(time.time()))
    _write(clients, [_shapes(entries)])
    for part in revised:
        for batch in write(record.item for record in part):
            done(len(batch))
    for size in sorted({len(selector.pairs) for selector in entries}, reverse=True):
        for _ in write(entry for selector, entry in entries.items() if len(selector.pairs) == size):
            pass
    # Before the groups existed, fsck may have marked a shape as unused.
    writes = TableWrites(clients, _RETRY_SECONDS)
    for shape in {selector.shape for selector in entries}:
        writes.persist(f"shape {list(shape)}", partial(writes.name_shape, shape))


def _entries(groups: Iterable[Group]) -> dict[Selector, Item]:
    entries: dict[Selector, Item] = defaultdict(dict)
    for group in groups:
        for selector in selectors_of(group.selector):
            entries[selector] |= {
                KEY: entry_key(selector),
                "s": selector_text(selector),
                "v": 1,
                member_name(group.id): group.profile,
            }
    return entries


def _shapes(entries: Iterable[Selector]) -> Item:
    shapes: Item = {shape_name(selector.shape): {} for selector in entries}
    return {KEY: SHAPES, **shapes}


def _batches(items: Iterable[Item]) -> list[list[Item]]:
    queue = list(items)
    return [queue[start : start + BATCH_ITEMS] for start in range(0, len(queue), BATCH_ITEMS)]


def _write(clients: StoreClients, items: Iterable[dict[str, Attribute]]) -> None:
    """Write all items; unprocessed ones are sent again."""
    unprocessed: Any = {clients.table: [{"PutRequest": {"Item": encode_item(item)}} for item in items]}
    deadline = time.monotonic() + _RETRY_SECONDS
    attempts = count(1)
    while unprocessed := clients.dynamodb.batch_write_item(RequestItems=unprocessed)["UnprocessedItems"]:
        if not _BACKOFF.wait(next(attempts), deadline):
            raise StoreUnavailableError(f"table {clients.table!r} left items unprocessed for {_RETRY_SECONDS:g} s")
