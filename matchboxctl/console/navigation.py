"""The pages that every page links to."""

from typing import NamedTuple


class Link(NamedTuple):
    """The path of a page, its name, and the key that opens it after `g`."""

    path: str
    name: str
    key: str


NAVIGATION = (
    Link("/", "Machines", "m"),
    Link("/boots", "Boots", "b"),
    Link("/groups", "Groups", "g"),
    Link("/profiles", "Profiles", "p"),
    Link("/templates", "Templates", "t"),
    Link("/which", "Which gets what?", "w"),
    Link("/images", "Images", "i"),
    Link("/health", "Health", "h"),
)
