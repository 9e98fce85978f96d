"""Groups: the machines that they select, their profile, and metadata for templates."""

from collections.abc import Mapping
from typing import NamedTuple, TypeAlias

SelectorValue: TypeAlias = str | tuple[str, ...]
"""The value that a label must have, or the list of allowed values."""


class Group(NamedTuple):
    """One group; metadata is a JSON object.

    Selector keys that are `mac` in any case hold normalised addresses. An invalid one, which only gRPC accepts, matches
    no machine.
    """

    id: str
    name: str = ""
    profile: str = ""
    selector: Mapping[str, SelectorValue] = {}
    metadata: Mapping[str, object] = {}
