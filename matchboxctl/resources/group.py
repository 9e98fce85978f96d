"""Groups as a resource of the command line."""

import json
from collections.abc import Collection, Mapping, Sequence

from lambda_matchbox.catalog.groups import Group, SelectorValue
from lambda_matchbox.catalog.templates import Template
from lambda_matchbox.documents.groups_and_profiles import parse_group
from lambda_matchbox.errors import DocumentError
from matchboxctl.cli.errors import FailedError
from matchboxctl.cli.tables import policy_lines
from matchboxctl.documents.file_texts import group_document, group_text
from matchboxctl.documents.names import id_error
from matchboxctl.documents.protocol import Documents, Warn
from matchboxctl.resources.files import NamedFile, parsed, read_documents
from matchboxctl.resources.resource import Content, Description, Draft, Facts, check_each, in_order
from matchboxctl.validate.references import absent_profile, absent_templates

_MAX_VALUES = 2


class GroupResource:
    """`matchboxctl group` (see `matchboxctl.resources.resource.Resource`)."""

    word = "group"
    kind = "groups"
    columns = ("ID", "GROUP NAME", "SELECTORS", "PROFILE")
    name_error = staticmethod(id_error)
    check = staticmethod(check_each)

    def rows(self, documents: Documents, warn: Warn) -> list[Sequence[str]]:
        """A row for each group."""
        groups = in_order(documents.groups(warn, metadata=False))
        return [(group.id, group.name, _selectors(group.selector), group.profile) for group in groups]

    def list_all(self, documents: Documents, warn: Warn) -> list[Mapping[str, object]]:
        """All groups."""
        return [group_document(group) for group in in_order(documents.groups(warn))]

    def describe(self, documents: Documents, name: str) -> Description | None:
        """The group, and whether its profile exists."""
        group = documents.group(name)
        if group is None:
            return None
        return Description(_facts(group, absent_profile(group.profile, documents.holds)), group_document(group))

    def get(self, documents: Documents, name: str) -> Content | None:
        """The group as matchbox writes it."""
        group = documents.group(name)
        return None if group is None else Content(group_text(group) + b"\n", group_document(group))

    def files(self, path: str, name: str | None) -> list[NamedFile]:  # noqa: ARG002 (the id is in the document)
        """The groups in the file or directory."""
        return read_documents(path)

    def draft(self, file: NamedFile) -> Draft:
        """The group in a document."""
        found = parsed(file, self.word, self.kind, parse_group)
        group = found.document._replace(id=found.id)
        if not group.profile:
            raise FailedError("; ".join([f'{file.shown}: a group needs a "profile"', *found.notes]))
        notes = [f"{file.shown}: {note}" for note in found.notes]
        if notes and not group.selector:
            # The unknown key may be a misspelt one.
            notes.append(f"{file.shown}: without a selector, the group matches every machine that no other group does")
        if group.boot is not None:
            # Imported here: most groups have no policy.
            from matchboxctl.validate.policies import CLOSE, OPEN, is_open

            notes += [f"{file.shown}: {OPEN}: {CLOSE}"] if is_open(group) else []
        return Draft(
            found.id,
            file.shown,
            group,
            lambda documents: documents.put_group(group),
            notes,
            lambda documents: _problems(documents, group),
        )

    def delete(self, documents: Documents, name: str) -> bool:
        """Delete the group."""
        return documents.delete_group(name)

    def users(self, documents: Documents, names: Collection[str], warn: Warn) -> Mapping[str, list[str]]:  # noqa: ARG002
        """None: nothing refers to a group."""
        return {}


def _problems(documents: Documents, group: Group) -> list[str]:
    """What does not exist, and which templates fail for machines of the group."""
    # Imported here: only `create` needs Ignition and templates.
    from lambda_matchbox.answers.template_check import failures, trials

    if absent := absent_profile(group.profile, documents.holds):
        return [absent]
    try:
        profile = documents.profile(group.profile)
        if profile is None:
            return []
        bodies = {each: documents.template(*each) for each in profile.template_ids.items()}
    except DocumentError as error:
        return [f"its profile or a template cannot be read: {error}"]
    templates = [Template(kind, name, body) for (kind, name), body in bodies.items() if body is not None]
    return [*absent_templates(profile, documents.holds), *map(str, failures(trials([group], [profile], templates)))]


def _selectors(selector: Mapping[str, SelectorValue]) -> str:
    """The selectors in one cell; of a list the first values."""
    return ",".join(f"{key}={_values(value)}" for key, value in sorted(selector.items()))


def _values(value: SelectorValue) -> str:
    if isinstance(value, str):
        return value
    more = len(value) - _MAX_VALUES
    return "|".join(value[:_MAX_VALUES]) + (f"|(+{more})" if more > 0 else "")


def _facts(group: Group, absent: str) -> Facts:
    selectors = [
        f"{key}={each}"
        for key, value in sorted(group.selector.items())
        for each in ([value] if isinstance(value, str) else value)
    ]
    metadata = json.dumps(group_document(group).get("metadata", {}), ensure_ascii=False, indent=2)
    return [
        ("ID", [group.id]),
        ("Name", [group.name]),
        ("Selectors", selectors),
        ("Profile", [group.profile, *([f"({absent})"] if absent else [])]),
        *([("Boot policy", policy_lines(group.boot.fields()))] if group.boot is not None else []),
        ("Metadata", metadata.split("\n") if group.metadata else []),
    ]
