"""What machines would miss of the secrets that templates name, after documents were created."""

from collections.abc import Iterable, Iterator

from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import Profile
from lambda_matchbox.catalog.templates import CatalogDocument, Template
from lambda_matchbox.errors import DocumentError
from matchboxctl.documents.protocol import Documents, ignore
from matchboxctl.secrets.references import secrets_named_in
from matchboxctl.secrets.stored_names import Stored
from matchboxctl.validate.secrets import ADVICE, has_token, without_token


class SecretNotes:
    """Notes on documents that were created together."""

    def __init__(self, documents: Documents, stored: Stored) -> None:
        self._documents = documents
        self._stored = stored
        self._names: dict[str, frozenset[str]] = {}
        self._has_told_problems = False

    def of(self, document: CatalogDocument) -> Iterator[str]:
        """The notes on a document. Raises what its reads raise."""
        match document:
            case Template():
                names = secrets_named_in(document)
                profiles = self._users(document) if names else []
                groups = self._groups({profile.id for profile in profiles})
            case Profile():
                names = self._of_profile(document)
                groups = self._groups({document.id}) if names else []
            case Group():
                names = self._of_profile_id(document.profile)
                groups = [document]
        if not names:
            return
        if ids := [group.id for group in groups if not has_token(group)]:
            yield f"{without_token(names, ids)}: {ADVICE}"
        stored = self._stored()
        for line in stored.absent(names):
            yield f"{line}: see `matchboxctl secret set`"
        if not self._has_told_problems:
            self._has_told_problems = True
            yield from stored.problems

    def _users(self, template: Template) -> Iterable[Profile]:
        profiles = self._documents.profiles(ignore, metadata=False)
        return (one for one in profiles if one.template_ids.get(template.kind) == template.id)

    def _groups(self, profile_ids: set[str]) -> list[Group]:
        if not profile_ids:
            return []
        groups = self._documents.groups(ignore, metadata=False)
        return sorted((group for group in groups if group.profile in profile_ids), key=lambda group: group.id)

    def _of_profile_id(self, profile_id: str) -> frozenset[str]:
        if profile_id not in self._names:
            try:
                # There are names that nothing can have.
                profile = self._documents.profile(profile_id) if self._documents.holds("profiles", profile_id) else None
                self._names[profile_id] = frozenset() if profile is None else self._of_profile(profile)
            except DocumentError:
                # The group's own problems name it.
                self._names[profile_id] = frozenset()
        return self._names[profile_id]

    def _of_profile(self, profile: Profile) -> frozenset[str]:
        keys = (key for key in profile.template_ids.items() if self._documents.holds(*key))
        bodies = ((key, self._documents.template(*key)) for key in keys)
        templates = [Template(*key, body) for key, body in bodies if body is not None]
        return frozenset(name for template in templates for name in secrets_named_in(template))
