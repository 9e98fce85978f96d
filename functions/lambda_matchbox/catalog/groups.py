"""A group: which machines it takes, the profile that they get, and what templates may say of them."""

from collections.abc import Mapping
from typing import NamedTuple, TypeAlias

SelectorValue: TypeAlias = str | tuple[str, ...]
"""What a group asks of a label: this value, or one of several."""


class Group(NamedTuple):
    """One group; metadata is a JSON object.

    Selector keys that are `mac` in any case hold normalised addresses. Where one holds anything else, which only gRPC
    brings, no machine is given the group.
    """

    id: str
    name: str = ""
    profile: str = ""
    selector: Mapping[str, SelectorValue] = {}
    metadata: Mapping[str, object] = {}
