"""Documents in table and bucket, with retries while AWS is unavailable.

Paths in messages are those of matchbox's default data directory.
"""

import json
import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TypeVar

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from lambda_matchbox.aws.catalog.items import ObjectRef, document_record, key_of
from lambda_matchbox.aws.catalog.listing import UNREADABLE, CatalogListing
from lambda_matchbox.aws.catalog.object_cache import ObjectCache
from lambda_matchbox.aws.catalog.reader import DynamoDBCatalog
from lambda_matchbox.aws.catalog.writer import CatalogWriter
from lambda_matchbox.aws.clients.dynamodb import DynamoDB
from lambda_matchbox.aws.clients.http_client import HttpClient
from lambda_matchbox.aws.clients.light_clients import LightClients
from lambda_matchbox.aws.clients.request_deadline import deadline_within
from lambda_matchbox.aws.clients.s3 import S3
from lambda_matchbox.aws.clients.store_clients import StoreClients
from lambda_matchbox.aws.keys import KEY
from lambda_matchbox.aws.parallel import THREADS
from lambda_matchbox.aws.releases.source_table import SourceTable
from lambda_matchbox.catalog.groups import Group, SelectorValue
from lambda_matchbox.catalog.labels import is_mac
from lambda_matchbox.catalog.profiles import Profile
from lambda_matchbox.catalog.templates import CatalogDocument
from lambda_matchbox.documents.sources import parse_source, source_document
from lambda_matchbox.errors import DocumentError
from lambda_matchbox.golang.hardware_address import InvalidMACError, normalise_mac
from lambda_matchbox.releases.sources import Source
from matchboxctl.cli.arguments import DATA_PATH
from matchboxctl.documents.protocol import TemplateSize, Warn, ignore
from matchboxctl.documents.retries import Retries
from matchboxctl.store.mode import StoreSettings

_SOURCES = "sources"

_Listed = TypeVar("_Listed")

# One attempt of Retries, which ends soon if the store hangs.
_READ_SECONDS = 8.0
_READ_TIMEOUT = 5.0
_ATTEMPT = Config(connect_timeout=3, retries={"total_max_attempts": 1})


class TableDocuments:
    """The documents of table and bucket (see `matchboxctl.documents.protocol.Documents`).

    Calls are retried for `retry_seconds`, by up to `calls` callers at a time; `read_timeout` is that of each request of
    a list or a write, in seconds.
    """

    root = DATA_PATH

    def __init__(
        self, store: StoreSettings, retry_seconds: float, calls: int = 1, read_timeout: float = _READ_TIMEOUT
    ) -> None:
        http = HttpClient(backoff=None)
        s3 = S3(store.s3_endpoint, store.region, store.bucket, store.credentials, http)
        self._dynamodb = DynamoDB(store.dynamodb_endpoint, store.region, store.credentials, http)
        self._catalog = DynamoDBCatalog(self._dynamodb, s3, store.table, call_timeout=_READ_SECONDS)
        self._objects = ObjectCache(s3)
        self._sources = SourceTable(LightClients(self._dynamodb, s3, s3, store.table))
        self._store = store
        self._clients = _Clients(store, calls, read_timeout)
        self._retries = Retries(retry_seconds)
        # A writer is for one thread and remembers the shapes that it has named.
        self._own = threading.local()

    def names(self, kind: str) -> list[str]:
        """The names in the keys of that kind."""
        if kind == _SOURCES:
            return list(self._source_texts())
        return self._listed(lambda listing: listing.names(key_of(kind, "")))

    def holds(self, kind: str, name: str) -> bool:
        """Whether the item exists."""
        if kind == _SOURCES:
            return name in self._source_texts()
        key = key_of(kind, name)
        return key is not None and self._retries(lambda: self._item(key)) is not None

    def check(self, document: CatalogDocument) -> None:
        """Make the document's item, without writing it."""
        document_record(document, "")

    def group(self, group_id: str) -> Group | None:
        """The group in its item."""
        with _damaged_items():
            group = self._retries(lambda: self._catalog.group(group_id))
        return None if group is None else group._replace(selector=_normal(group.selector))

    def groups(self, warn: Warn = ignore, *, metadata: bool = True) -> list[Group]:
        """The groups in all readable items."""
        groups = self._listed(CatalogListing.groups, warn, metadata=metadata)
        return [group for group in groups if _is_readable(group, warn)]

    def put_group(self, group: Group) -> None:
        """Write the group's item and its selector's entry."""
        # As matchbox: an invalid address is stored, refused on reading, and the group matches no machine.
        with suppress(InvalidMACError):
            group = group._replace(selector=_normal(group.selector))
        self._retries(lambda: self._writer.put_group(group))

    def delete_group(self, group_id: str) -> bool:
        """Delete the group's item, and the group in its selector's entry."""
        with _damaged_items(f"group {group_id!r}: "):
            return self._deleted(lambda: self._writer.delete_group(group_id))

    def profile(self, profile_id: str) -> Profile | None:
        """The profile in its item."""
        with _damaged_items():
            return self._retries(lambda: self._catalog.profile(profile_id))

    def profiles(self, warn: Warn = ignore, *, metadata: bool = True) -> list[Profile]:
        """The profiles in all readable items."""
        return self._listed(CatalogListing.profiles, warn, metadata=metadata)

    def put_profile(self, profile: Profile) -> None:
        """Write the profile's item."""
        self._retries(lambda: self._writer.put_profile(profile))

    def delete_profile(self, profile_id: str) -> bool:
        """Delete the profile's item."""
        return self._deleted(lambda: self._writer.delete_profile(profile_id))

    def template(self, kind: str, name: str) -> bytes | None:
        """The template in its item, or in the bucket."""
        with _damaged_items():
            return self._retries(lambda: self._catalog.template(kind, name))

    def templates(self, kind: str, warn: Warn = ignore) -> list[TemplateSize]:
        """The templates in all readable items of that kind."""
        sizes = self._listed(lambda listing: listing.templates(kind), warn)
        return [TemplateSize(name, size) for name, size in sizes.items()]

    def put_template(self, kind: str, name: str, body: bytes) -> None:
        """Write the template's item, after its object if it is long."""
        self._retries(lambda: self._writer.put_template(kind, name, body))

    def delete_template(self, kind: str, name: str) -> bool:
        """Delete the template's item."""
        return self._deleted(lambda: self._writer.delete_template(kind, name))

    def source(self, source_id: str) -> Source | None:
        """The source in the item of all."""
        text = self._source_texts().get(source_id)
        return None if text is None else parse_source(source_id, text.encode())

    def sources(self, warn: Warn = ignore) -> list[Source]:
        """The readable sources in the item of all."""
        found = []
        for source_id, text in self._source_texts().items():
            try:
                found.append(parse_source(source_id, text.encode()))
            except DocumentError as error:
                warn(f"source {source_id}: {error}")
        return found

    def put_source(self, source: Source) -> None:
        """Write the source into the item of all."""
        self._retries(lambda: self._sources.put(source.id, json.dumps(source_document(source))))

    def delete_source(self, source_id: str) -> bool:
        """Remove the source from the item of all."""
        exists = self.holds(_SOURCES, source_id)
        if exists:
            self._retries(lambda: self._sources.delete(source_id))
        return exists

    def group_for(self, labels: Mapping[str, str] | None) -> Group | None:
        """The group for these labels."""
        selection = self._retries(lambda: self._catalog.select(labels))
        return None if selection is None else selection.group

    def end(self) -> None:
        """Let no call wait any longer for an unavailable store."""
        self._retries.end()

    def _source_texts(self) -> Mapping[str, str]:
        return self._retries(lambda: self._sources.documents())

    def _item(self, key: str) -> object:
        return self._dynamodb.get_item(self._store.table, {KEY: key}, deadline_within(_READ_SECONDS))

    def _deleted(self, delete: Callable[[], bool]) -> bool:
        """Whether the document existed; True after an attempt whose outcome is unknown."""
        unknown = False

        def attempt() -> bool:
            nonlocal unknown
            try:
                return delete()
            except (BotoCoreError, ClientError):
                # A refused write, which has deleted nothing, is a StoreUnavailableError.
                unknown = True
                raise

        # That attempt may have deleted it, and Terraform fails if a resource does not exist.
        return self._retries(attempt) or unknown

    def _listed(
        self, ask: Callable[[CatalogListing], _Listed], warn: Warn = ignore, *, metadata: bool = True
    ) -> _Listed:
        end = deadline_within(math.inf)

        def read(reference: ObjectRef) -> bytes:
            if not metadata:
                return b"{}"
            return self._retries(lambda: self._objects.read(reference, min(end, time.monotonic() + _READ_SECONDS)), end)

        return ask(CatalogListing(self._clients(), self._retries, read, warn))

    @property
    def _writer(self) -> CatalogWriter:
        try:
            writer: CatalogWriter = self._own.writer
        except AttributeError:
            writer = CatalogWriter(self._clients(), retry_seconds=0)
            self._own.writer = writer
        return writer


class _Clients:
    """The boto3 clients for lists and writes, made on demand: it takes time, and reading one document needs none."""

    def __init__(self, store: StoreSettings, calls: int, read_timeout: float) -> None:
        self._store = store
        self._attempt = _ATTEMPT.merge(Config(max_pool_connections=calls + THREADS, read_timeout=read_timeout))
        # boto3's sessions are not thread-safe.
        self._lock = threading.Lock()
        self._made: StoreClients | None = None

    def __call__(self) -> StoreClients:
        with self._lock:
            if self._made is None:
                self._made = self._store.clients(self._attempt)
            return self._made


@contextmanager
def _damaged_items(what: str = "") -> Iterator[None]:
    """Raise DocumentError, with the prefix `what`, for a damaged item that is read in the body."""
    try:
        yield
    except (LookupError, TypeError, ValueError) as error:
        raise DocumentError(f"{what}{UNREADABLE}") from error


def _normal(selector: Mapping[str, SelectorValue]) -> dict[str, SelectorValue]:
    """The selector with normalised addresses. Raises InvalidMACError."""
    # The parser has normalised addresses in lists.
    return {
        key: normalise_mac(value) if is_mac(key) and isinstance(value, str) else value
        for key, value in sorted(selector.items())
    }


def _is_readable(group: Group, warn: Warn) -> bool:
    try:
        _normal(group.selector)
    except InvalidMACError as error:
        warn(f"group {group.id}: {error}")
        return False
    return True
