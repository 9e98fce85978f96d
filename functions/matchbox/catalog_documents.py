"""What is a catalogue made of? Groups, profiles and templates."""

from typing import NamedTuple

from matchbox.groups import Group
from matchbox.profiles import Profile

TEMPLATE_KINDS = ("ignition", "cloud", "generic")


class Template(NamedTuple):
    """One template; `kind` is one of TEMPLATE_KINDS."""

    kind: str
    id: str
    body: bytes


Document = Group | Profile | Template
