"""Which item is a document's, whatever kind of document it is?"""

from lambda_matchbox.aws.catalog.group_items import group_record
from lambda_matchbox.aws.catalog.layout import (
    Record,
    group_key,
    profile_key,
    profile_record,
    template_key,
    template_record,
)
from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import Profile
from lambda_matchbox.catalog.templates import CatalogDocument, Template


def key_of(document: CatalogDocument) -> str | None:
    """The document's key; None where no item can have it."""
    match document:
        case Group():
            return group_key(document.id)
        case Profile():
            return profile_key(document.id)
        case Template(kind, template_id, _):
            return template_key(kind, template_id)


def record_of(document: CatalogDocument, rev: str) -> Record:
    """The document's item; `rev` is for a group's. Raises UnwritableError."""
    match document:
        case Group():
            return group_record(document, rev)
        case Profile():
            return profile_record(document)
        case Template(kind, template_id, body):
            return template_record(kind, template_id, body)


def name_of(key: str) -> str:
    """What the item under this key is, for an operator: `group node1`, `ignition template a.yaml`."""
    kind, _, rest = key.partition("#")
    if kind == "T":
        return "{} template {}".format(*rest.split("#", 1))
    return f"{ {'G': 'group', 'P': 'profile'}.get(kind, kind) } {rest}"
