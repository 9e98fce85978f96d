"""Check and repair of machines' records and tokens' keys while machines boot and operators change them."""

import secrets
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import suppress

from lambda_matchbox.aws.catalog.items import MALFORMED, group_in
from lambda_matchbox.aws.catalog.table_contents import TableContents
from lambda_matchbox.aws.catalog.table_writes import RETRY_SECONDS, TableWrites
from lambda_matchbox.aws.clients.dynamodb import ItemWrite, transaction_item
from lambda_matchbox.aws.clients.dynamodb_json import Item, decode_item
from lambda_matchbox.aws.clients.store_clients import StoreClients
from lambda_matchbox.aws.fsck.machine_rules import MachineDamage, machine_damage
from lambda_matchbox.aws.fsck.rules import Finding, Kind
from lambda_matchbox.aws.keys import KEY, TOKEN_KEY, TOKEN_KEYS, machine_key, token_keys_in
from lambda_matchbox.aws.token_keys import NEWEST, make_first_key
from lambda_matchbox.errors import StoreUnavailableError
from lambda_matchbox.machines.records import text_of
from lambda_matchbox.machines.stores import new_revision
from lambda_matchbox.machines.tokens import KEY_SIZE


class MachineCheck:
    """Checks machines and keys; with `repair` it repairs them."""

    def __init__(self, clients: StoreClients, *, repair: bool) -> None:
        self._clients = clients
        self._writes = TableWrites(clients, RETRY_SECONDS)
        self._repair = repair

    def run(self, found: TableContents) -> Iterator[Finding]:
        """All findings."""
        for suspected in machine_damage(found.machines, int(time.time())):
            items = self._read_again(suspected)
            for damage in machine_damage(items, int(time.time())):
                if damage.id == suspected.id:
                    repaired = self._repair and self._mend(damage, items)
                    yield from (finding._replace(repaired=repaired) for finding in damage.findings)
        yield from self._keys(found)

    def _read_again(self, damage: MachineDamage) -> dict[str, Item]:
        """The items that there are, at one moment."""
        found = self._writes.persist(damage.id, lambda: self._writes.read_together(*damage.keys))
        items = [decode_item(item) for item in found if item is not None]
        return {item[KEY]: item for item in items}

    def _mend(self, damage: MachineDamage, items: Mapping[str, Item]) -> bool:
        """Write all the machine's records anew, unless one has changed meanwhile."""
        record = {"state": text_of(damage.mended), "rev": new_revision()}
        keys = [machine_key(identity) for identity in damage.mended.identities.keys]
        return self._write(*(ItemWrite({KEY: key, **record}, items.get(key)) for key in keys))

    def _keys(self, found: TableContents) -> Iterator[Finding]:
        item = found.token_keys
        needed_by = next((name for name, group in found.groups.items() if _needs_token(group)), None)
        if item is None:
            if needed_by is not None:
                if self._repair:
                    make_first_key(self._clients.dynamodb, self._clients.table, int(time.time()))
                text = f"there is no key for tokens, which group {needed_by!r} needs: its machines get a 503"
                yield Finding(Kind.MISSING, text, self._repair)
        elif not _are_keys(item):
            text = "the keys of tokens are damaged; --repair makes a new one, and machines that boot now start anew"
            yield Finding(Kind.UNREADABLE, text, self._repair and self._replace_keys(item))

    def _replace_keys(self, item: Item) -> bool:
        now = int(time.time())
        key = b64encode(secrets.token_bytes(KEY_SIZE)).decode()
        return self._write(ItemWrite({KEY: TOKEN_KEYS, NEWEST: now, f"{TOKEN_KEY}{now}": key}, item))

    def _write(self, *writes: ItemWrite) -> bool:
        client = self._clients.dynamodb
        items = [transaction_item(self._clients.table, KEY, write) for write in writes]
        try:
            client.transact_write_items(TransactItems=items)  # type: ignore[arg-type]
        except client.exceptions.TransactionCanceledException:
            # Another writer was faster; the next check shows what is left.
            return False
        return True


def _needs_token(item: Item) -> bool:
    with suppress(*MALFORMED):
        group = group_in(item, lambda _: b"{}")
        return group.boot is not None and group.boot.token
    return False


def _are_keys(item: Item) -> bool:
    try:
        keys = token_keys_in(item)
    except StoreUnavailableError:
        return False
    return bool(keys) and item.get(NEWEST) == max(keys)
