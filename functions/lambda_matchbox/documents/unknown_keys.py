"""Keys of groups and profiles that matchbox does not know, and so ignores: most are misspelt."""

import json
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import NamedTuple

from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import NetBoot, Profile
from lambda_matchbox.documents.json_text import line_of_path

# By the path of the object that has them. The keys of selectors and metadata are the operator's own.
_KNOWN: Mapping[str, Mapping[tuple[str, ...], Sequence[str]]] = {
    "groups": {(): Group._fields},
    "profiles": {(): Profile._fields, ("boot",): NetBoot._fields},
}


class UnknownKey(NamedTuple):
    """A key with the path of its object, its line, and the known key that it resembles; empty if it resembles none."""

    key: str
    line: int
    meant: str

    def __str__(self) -> str:
        """The key, and the one that was probably meant."""
        return f"unknown key {self.key!r} is ignored" + (f": did you mean {self.meant!r}?" if self.meant else "")


def unknown_keys(kind: str, text: bytes) -> list[UnknownKey]:
    """The unknown keys of one of the `groups` or `profiles`, whose document parses; other kinds have none."""
    known = _KNOWN.get(kind)
    if known is None:
        return []
    return [
        UnknownKey(".".join((*path, key)), line_of_path(text, (*path, key)), _meant(key, path, known))
        for path, members in _objects(json.loads(text.decode("utf-8", "replace")), known)
        for key in members
        if key.lower() not in known[path]
    ]


def _objects(
    document: Mapping[str, object], known: Mapping[tuple[str, ...], Sequence[str]]
) -> Iterator[tuple[tuple[str, ...], Mapping[str, object]]]:
    yield (), document
    for path in known:
        for key, value in document.items():
            if path == (key.lower(),) and isinstance(value, dict):
                yield path, value


def _meant(key: str, path: tuple[str, ...], known: Mapping[tuple[str, ...], Sequence[str]]) -> str:
    """The known key, with the path of its object, that resembles this one; those of its own object come first."""
    for other in sorted(known, key=lambda one: one != path):
        for found in get_close_matches(key.lower(), known[other], 1, cutoff=0.7):
            return ".".join((*other, found))
    return ""
