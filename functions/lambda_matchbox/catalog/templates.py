"""Templates, and the union of a catalog's documents."""

from typing import NamedTuple

from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import Profile

TEMPLATE_KINDS = ("ignition", "cloud", "generic")


class Template(NamedTuple):
    """One template; `kind` is one of TEMPLATE_KINDS."""

    kind: str
    id: str
    body: bytes


CatalogDocument = Group | Profile | Template
