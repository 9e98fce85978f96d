"""What the validation says of each document, and which documents name it."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from lambda_matchbox.catalog.templates import TEMPLATE_KINDS
from matchboxctl.store.mode import StoreSettings
from matchboxctl.validate.command import advising_for, door_of, source_contents
from matchboxctl.validate.contents import Contents
from matchboxctl.validate.findings import Finding, Result
from matchboxctl.validate.validation import validate

Key = tuple[str, str]
"""A kind, of `groups`, `profiles`, `sources` or one of TEMPLATE_KINDS, and a name."""

_JSON = ".json"
_KINDS = ("groups", "profiles", "sources")


class Overview(NamedTuple):
    """A validation: its findings by document, and the ids of the groups or profiles that name a document.

    A finding is that of its document and of the groups whose machines are concerned.
    """

    result: Result
    findings: Mapping[Key, Sequence[Finding]]
    users: Mapping[Key, Sequence[str]]


def overview(store: StoreSettings | Path) -> Overview:
    """Validate all documents. Raises CommandError or MatchboxError."""
    with advising_for(store):
        contents = source_contents(store, None)
        result = validate(contents, lambda _: None, **door_of(store, None))
    findings: dict[Key, list[Finding]] = {}
    for finding in result.findings:
        for key in dict.fromkeys(_keys(contents, finding)):
            findings.setdefault(key, []).append(finding)
    users: dict[Key, list[str]] = {}
    for group in contents.groups:
        users.setdefault(("profiles", group.profile), []).append(group.id)
    for profile in contents.profiles:
        for key in profile.template_ids.items():
            users.setdefault(key, []).append(profile.id)
    return Overview(result, findings, {key: sorted(ids) for key, ids in users.items()})


def _keys(contents: Contents, finding: Finding) -> Iterator[Key]:
    path = finding.file if contents.root is None else finding.file.removeprefix(f"{contents.root}/")
    kind, _, name = path.partition("/")
    if kind in _KINDS:
        yield kind, name.removesuffix(_JSON)
    elif kind in TEMPLATE_KINDS:
        yield kind, name
    for group_id in finding.groups:
        yield "groups", group_id
