"""Groups, as the operator's commands show and take them."""

import json
from collections.abc import Collection, Mapping, Sequence

from lambda_matchbox.catalog.groups import Group, SelectorValue
from lambda_matchbox.catalog.selection import sort_key
from lambda_matchbox.catalog.templates import Template
from lambda_matchbox.documents.groups_and_profiles import parse_group
from lambda_matchbox.errors import DocumentError
from matchboxctl.cli.errors import FailedError
from matchboxctl.documents.faults import id_fault
from matchboxctl.documents.file_texts import group_document, group_text
from matchboxctl.documents.protocol import Documents, Report
from matchboxctl.resources.files import NamedFile, parsed
from matchboxctl.resources.profile import absent_templates, template_names
from matchboxctl.resources.resource import Content, Description, Draft, Facts

_MOST_VALUES = 2


class GroupResource:
    """`matchboxctl group` (see `matchboxctl.resources.resource.Resource`)."""

    word = "group"
    kind = "groups"
    columns = ("ID", "GROUP NAME", "SELECTORS", "PROFILE")
    fault = staticmethod(id_fault)

    def rows(self, documents: Documents, told: Report) -> list[Sequence[str]]:
        """A row for each group."""
        groups = _in_order(documents.groups(told, metadata=False))
        return [(group.id, group.name, _selectors(group.selector), group.profile) for group in groups]

    def listed(self, documents: Documents, told: Report) -> list[Mapping[str, object]]:
        """All groups."""
        return [group_document(group) for group in _in_order(documents.groups(told))]

    def described(self, documents: Documents, name: str) -> Description | None:
        """The group, and whether its profile is there."""
        group = documents.group(name)
        if group is None:
            return None
        return Description(_facts(group, _absent(documents, group)), group_document(group))

    def content(self, documents: Documents, name: str) -> Content | None:
        """The group as matchbox writes it."""
        group = documents.group(name)
        return None if group is None else Content(group_text(group) + b"\n", group_document(group))

    def draft(self, file: NamedFile) -> Draft:
        """The group in a file of JSON or YAML."""
        found = parsed(file, self.word, parse_group, Group._fields)
        group = found.document._replace(id=found.id)
        if not group.profile:
            raise FailedError(f"{file.shown}: a group needs a profile")
        notes = list(found.notes)
        if notes and not group.selector:
            # Its selector may be under a misspelt key.
            notes.append(f"{file.shown}: it has no selector, so it takes every machine that no other group takes")
        return Draft(found.id, lambda documents: documents.put_group(group), notes, lambda to: _failing(to, group))

    def delete(self, documents: Documents, name: str) -> bool:
        """Take the group out."""
        return documents.delete_group(name)

    def users(self, documents: Documents, names: Collection[str], told: Report) -> Mapping[str, list[str]]:  # noqa: ARG002
        """Nobody: nothing names a group."""
        return {}


def _absent(documents: Documents, group: Group) -> list[str]:
    if documents.holds("profiles", group.profile):
        return []
    return [f"profile {group.profile!r} is absent"]


def _failing(documents: Documents, group: Group) -> list[str]:
    """What is absent, and which templates would fail when a machine of the group asks for them."""
    # It brings Ignition's and the templates' code.
    from lambda_matchbox.answers.template_check import failures

    if absent := _absent(documents, group):
        return absent
    try:
        profile = documents.profile(group.profile)
        if profile is None:
            return []
        bodies = {each: documents.template(*each) for each in template_names(profile).items()}
    except DocumentError as error:
        return [f"its profile or a template of that cannot be read: {error}"]
    templates = [Template(kind, name, body) for (kind, name), body in bodies.items() if body is not None]
    return [*absent_templates(documents, profile), *map(str, failures([group], [profile], templates))]


def _in_order(groups: list[Group]) -> list[Group]:
    return sorted(groups, key=lambda group: sort_key(group.id))


def _selectors(selector: Mapping[str, SelectorValue]) -> str:
    """All of them in one cell, of a list the first values."""
    return ",".join(f"{key}={_values(value)}" for key, value in sorted(selector.items()))


def _values(value: SelectorValue) -> str:
    if isinstance(value, str):
        return value
    more = len(value) - _MOST_VALUES
    return "|".join(value[:_MOST_VALUES]) + (f"|(+{more})" if more > 0 else "")


def _facts(group: Group, absent: list[str]) -> Facts:
    selectors = [
        f"{key}={one}"
        for key, value in sorted(group.selector.items())
        for one in ([value] if isinstance(value, str) else value)
    ]
    metadata = json.dumps(group_document(group).get("metadata", {}), ensure_ascii=False, indent=2)
    return [
        ("ID", [group.id]),
        ("Name", [group.name]),
        ("Selectors", selectors),
        ("Profile", [group.profile, *(f"({line})" for line in absent)]),
        ("Metadata", metadata.split("\n") if group.metadata else []),
    ]
