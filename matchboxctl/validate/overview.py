"""What the validation says of each document, and which documents name it."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from matchboxctl.store.mode import StoreSettings
from matchboxctl.validate.command import advising_for, door_of, source_contents
from matchboxctl.validate.contents import Contents
from matchboxctl.validate.findings import Finding, Result
from matchboxctl.validate.validation import validate

Key = tuple[str, str]
"""A kind, of `groups`, `profiles`, `sources` or one of TEMPLATE_KINDS, and a name."""

_JSON = ".json"
_KINDS = ("groups", "profiles", "sources")


MOST_USERS = 100


class Users(NamedTuple):
    """How many groups or profiles name a document, and the ids of the first ones."""

    number: int = 0
    first: Sequence[str] = ()


class Overview(NamedTuple):
    """A validation, the document of each finding, and what names a document."""

    result: Result
    places: Sequence[Key]
    users: Mapping[Key, Users]

    def findings(self, keys: Collection[Key]) -> Mapping[Key, Sequence[Finding]]:
        """Those of these documents; a finding is also one of the groups whose machines are concerned."""
        found: dict[Key, list[Finding]] = {key: [] for key in keys}
        groups = {name for kind, name in keys if kind == "groups"}
        for place, finding in zip(self.places, self.result.findings, strict=True):
            concerned = {("groups", name) for name in groups.intersection(finding.groups)}
            for key in {place, *concerned} & found.keys():
                found[key].append(finding)
        return found


def overview(store: StoreSettings | Path) -> Overview:
    """Validate all documents. Raises CommandError or MatchboxError."""
    with advising_for(store):
        contents = source_contents(store, None)
        result = validate(contents, lambda _: None, **door_of(store, None))
    users: dict[Key, list[str]] = {}
    for group in contents.groups:
        users.setdefault(("profiles", group.profile), []).append(group.id)
    for profile in contents.profiles:
        for key in profile.template_ids.items():
            users.setdefault(key, []).append(profile.id)
    places = [_place(contents, finding) for finding in result.findings]
    return Overview(result, places, {key: Users(len(ids), sorted(ids)[:MOST_USERS]) for key, ids in users.items()})


def _place(contents: Contents, finding: Finding) -> Key:
    """The document that it is about, or what is none."""
    path = finding.file if contents.root is None else finding.file.removeprefix(f"{contents.root}/")
    kind, _, name = path.partition("/")
    return kind, name.removesuffix(_JSON) if kind in _KINDS else name
