"""The documents in table and bucket, of which clients lose nothing while AWS is away for a while.

Paths in messages are those of a matchbox that keeps its files where it does unless told otherwise.
"""

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from botocore.config import Config

from aws_stores.catalog import DynamoDBCatalog
from aws_stores.catalog_listing import groups_in, profiles_in
from aws_stores.catalog_writer import CatalogWriter
from aws_stores.document_objects import DocumentObjects
from aws_stores.dynamodb import DynamoDB
from aws_stores.http_client import HttpClient
from aws_stores.request_time import deadline_of
from aws_stores.s3 import S3
from aws_stores.table import Far
from matchbox.groups import Group, Wanted
from matchbox.labels import InvalidMACError, is_mac, normalise_mac
from matchbox.profiles import Profile
from matchboxctl.rpc.calls import MOST_CALLS
from matchboxctl.rpc.patience import Patience
from matchboxctl.store_mode import StoreSettings

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

_Listed = TypeVar("_Listed")

_ROOT = "/var/lib/matchbox"
# One attempt of the many that Patience makes: it ends soon where the store hangs, and where the server is to stop.
_READ_TIME = 8.0
_WRITE_TIME = 5.0
_ATTEMPT = Config(connect_timeout=3, read_timeout=5, retries={"total_max_attempts": 1}, max_pool_connections=MOST_CALLS)


class TableDocuments:
    """The documents of table and bucket (see `matchboxctl.rpc.documents.Documents`)."""

    root = _ROOT

    def __init__(self, store: StoreSettings) -> None:
        http = HttpClient()
        s3 = S3(store.s3_endpoint, store.region, store.bucket, store.credentials, http)
        dynamodb = DynamoDB(store.dynamodb_endpoint, store.region, store.credentials, http)
        self._catalog = DynamoDBCatalog(dynamodb, s3, store.table, answer_time=_READ_TIME)
        self._objects = DocumentObjects(s3)
        self._store = store
        self._client: DynamoDBClient = store.dynamodb(_ATTEMPT)
        self._s3 = store.s3(_ATTEMPT)
        self._patience = Patience()
        # A writer is for one thread, and remembers which shapes it has named.
        self._own = threading.local()

    def group(self, group_id: str) -> Group | None:
        """The group in its item."""
        group = self._patience(lambda: self._catalog.group(group_id))
        return None if group is None else group._replace(selector=_normal(group.selector))

    def groups(self) -> list[Group]:
        """The groups in all items that hold one."""
        return [group for group in self._patience(lambda: self._listed(groups_in)) if _is_readable(group)]

    def put_group(self, group: Group) -> None:
        """Write the group's item and its selector's entry."""
        # As matchbox: what is no address is kept, refused when it is read, and no machine is given the group.
        with suppress(InvalidMACError):
            group = group._replace(selector=_normal(group.selector))
        self._patience(lambda: self._writer.put_group(group))

    def delete_group(self, group_id: str) -> bool:
        """Take the group's item and its selector's entry out."""
        return self._deleted(lambda: self._writer.delete_group(group_id))

    def profile(self, profile_id: str) -> Profile | None:
        """The profile in its item."""
        return self._patience(lambda: self._catalog.profile(profile_id))

    def profiles(self) -> list[Profile]:
        """The profiles in all items that hold one."""
        return self._patience(lambda: self._listed(profiles_in))

    def put_profile(self, profile: Profile) -> None:
        """Write the profile's item."""
        self._patience(lambda: self._writer.put_profile(profile))

    def delete_profile(self, profile_id: str) -> bool:
        """Take the profile's item out."""
        return self._deleted(lambda: self._writer.delete_profile(profile_id))

    def template(self, kind: str, name: str) -> bytes | None:
        """The template in its item, or in the bucket."""
        return self._patience(lambda: self._catalog.template(kind, name))

    def put_template(self, kind: str, name: str, body: bytes) -> None:
        """Write the template's item, after its object where it is long."""
        self._patience(lambda: self._writer.put_template(kind, name, body))

    def delete_template(self, kind: str, name: str) -> bool:
        """Take the template's item out."""
        return self._deleted(lambda: self._writer.delete_template(kind, name))

    def group_for(self, labels: Mapping[str, str] | None) -> Group | None:
        """The group that the table has for these labels."""
        selection = self._patience(lambda: self._catalog.select(labels))
        return None if selection is None else selection.group

    def end(self) -> None:
        """Let no call wait any longer for a store that is away."""
        self._patience.end()

    def _deleted(self, delete: Callable[[], bool]) -> bool:
        """Whether there was something to delete; after attempts in vain there was."""
        attempts = 0

        def attempt() -> bool:
            nonlocal attempts
            attempts += 1
            return delete()

        # The answer of one that deleted may have been lost, and Terraform gives up where a resource is not there.
        return self._patience(attempt) or attempts > 1

    def _listed(
        self, listing: "Callable[[DynamoDBClient, str, Callable[[Far], bytes]], list[_Listed]]"
    ) -> list[_Listed]:
        deadline = deadline_of(_READ_TIME)
        return listing(self._client, self._store.table, lambda far: self._objects.read(far, deadline))

    @property
    def _writer(self) -> CatalogWriter:
        try:
            writer: CatalogWriter = self._own.writer
        except AttributeError:
            store = self._store
            writer = CatalogWriter(self._client, self._s3, store.table, store.bucket, write_time=_WRITE_TIME)
            self._own.writer = writer
        return writer


def _normal(selector: Mapping[str, Wanted]) -> dict[str, Wanted]:
    """The selector with its addresses in normal form. Raises InvalidMACError."""
    # Where a group lists addresses, they were checked by whoever wrote it; no message can say it.
    return {
        key: normalise_mac(value) if is_mac(key) and isinstance(value, str) else value
        for key, value in sorted(selector.items())
    }


def _is_readable(group: Group) -> bool:
    try:
        _normal(group.selector)
    except InvalidMACError:
        return False
    return True
