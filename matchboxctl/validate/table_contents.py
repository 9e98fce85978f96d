"""The contents of table and bucket, for their validation."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TypeVar

from lambda_matchbox.assets.released import ReleasedAssets
from lambda_matchbox.aws.catalog.items import ObjectRef, display_name, group_in, profile_in, template_in
from lambda_matchbox.aws.catalog.listing import UNREADABLE
from lambda_matchbox.aws.catalog.table_contents import scan_table
from lambda_matchbox.aws.clients.dynamodb_json import Item
from lambda_matchbox.aws.keys import KEY, pointers_in, template_name, texts_of_sources
from lambda_matchbox.catalog.templates import Template
from lambda_matchbox.image_sync.sources import image_sources
from lambda_matchbox.web import wiring
from matchboxctl.secrets.stored_names import stored_secrets
from matchboxctl.store.mode import StoreSettings
from matchboxctl.validate.contents import Contents
from matchboxctl.validate.findings import Finding, Severity

_Document = TypeVar("_Document")


def table_contents(store: StoreSettings, read: Callable[[int], object] = lambda _: None) -> Contents:
    """The contents of table and bucket; `read` is given the numbers of items.

    Raises the errors of boto3, StoreUnavailableError and AWSError.
    """
    clients = store.clients()
    table = scan_table(clients, read)
    found: list[Finding] = []

    def unreadable(line: str) -> None:
        found.append(Finding(Severity.FAULT, "unreadable", "", line))

    def readable(items: Iterable[Item], document_in: Callable[[Item], _Document]) -> Iterator[_Document]:
        for item in items:
            try:
                yield document_in(item)
            except (LookupError, TypeError, ValueError, AttributeError):
                unreadable(f"{display_name(item[KEY])}: {UNREADABLE}")

    def body(reference: ObjectRef) -> bytes:
        return clients.body(reference.key)

    groups = list(readable(table.groups.values(), lambda item: group_in(item, body)))
    profiles = list(readable(table.profiles.values(), lambda item: profile_in(item, body)))
    templates = list(
        readable(table.templates.values(), lambda item: Template(*template_name(item[KEY]), template_in(item, body)))
    )
    sources = image_sources({name: text.encode() for name, text in texts_of_sources(table.sources).items()}, "")
    for line in sources.refused:
        unreadable(line)
    stores = wiring.stores(store.boot_settings(), store.credentials)
    pointers = pointers_in(table.pointers)
    names = {"groups": table.groups, "profiles": table.profiles}
    return Contents(
        None,
        None,
        groups,
        profiles,
        templates,
        lambda kind, name: name in names[kind] if kind in names else (kind, name) in table.templates,
        ReleasedAssets(stores.assets, stores.releases, pointers, release=None),
        sources.sources,
        pointers,
        found,
        partial(stored_secrets, store),
    )
