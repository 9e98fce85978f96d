"""Profiles as a resource of the command line."""

import json
from collections.abc import Collection, Mapping, Sequence

from lambda_matchbox.catalog.profiles import NetBoot, Profile
from lambda_matchbox.documents.groups_and_profiles import parse_profile
from matchboxctl.documents.file_texts import profile_document, profile_text
from matchboxctl.documents.names import id_error
from matchboxctl.documents.protocol import Documents, Warn
from matchboxctl.resources.files import NamedFile, parsed, read_documents
from matchboxctl.resources.resource import Content, Description, Draft, Facts, check_each, in_order
from matchboxctl.validate.references import absent_templates


class ProfileResource:
    """`matchboxctl profile` (see `matchboxctl.resources.resource.Resource`)."""

    word = "profile"
    kind = "profiles"
    columns = ("ID", "PROFILE NAME", "IGNITION", "CLOUD", "GENERIC")
    name_error = staticmethod(id_error)
    check = staticmethod(check_each)

    def rows(self, documents: Documents, warn: Warn) -> list[Sequence[str]]:
        """A row for each profile."""
        profiles = in_order(documents.profiles(warn, metadata=False))
        return [(each.id, each.name, each.ignition_id, each.cloud_id, each.generic_id) for each in profiles]

    def list_all(self, documents: Documents, warn: Warn) -> list[Mapping[str, object]]:
        """All profiles."""
        return [profile_document(profile) for profile in in_order(documents.profiles(warn))]

    def describe(self, documents: Documents, name: str) -> Description | None:
        """The profile."""
        profile = documents.profile(name)
        return None if profile is None else Description(_facts(profile), profile_document(profile))

    def get(self, documents: Documents, name: str) -> Content | None:
        """The profile as matchbox writes it."""
        profile = documents.profile(name)
        return None if profile is None else Content(profile_text(profile) + b"\n", profile_document(profile))

    def files(self, path: str, name: str | None) -> list[NamedFile]:  # noqa: ARG002 (the id is in the document)
        """The profiles in the file or directory."""
        return read_documents(path)

    def draft(self, file: NamedFile) -> Draft:
        """The profile in a document."""
        found = parsed(file, self.word, self.kind, parse_profile)
        profile = found.document._replace(id=found.id)
        return Draft(
            found.id,
            file.shown,
            profile,
            lambda documents: documents.put_profile(profile),
            [f"{file.shown}: {note}" for note in found.notes],
            lambda documents: absent_templates(profile, documents.holds),
        )

    def delete(self, documents: Documents, name: str) -> bool:
        """Delete the profile."""
        return documents.delete_profile(name)

    def users(self, documents: Documents, names: Collection[str], warn: Warn) -> Mapping[str, list[str]]:
        """The groups that refer to the profiles."""
        found: dict[str, list[str]] = {}
        for group in in_order(documents.groups(warn, metadata=False)):
            if group.profile in names:
                found.setdefault(group.profile, []).append(f"group {group.id}")
        return found


def _facts(profile: Profile) -> Facts:
    boot = profile.boot or NetBoot()
    metadata = json.dumps(profile_document(profile).get("metadata", {}), ensure_ascii=False, indent=2)
    return [
        ("ID", [profile.id]),
        ("Name", [profile.name]),
        ("Ignition", [profile.ignition_id]),
        ("Cloud", [profile.cloud_id]),
        ("Generic", [profile.generic_id]),
        ("Kernel", [boot.kernel]),
        ("Initrd", boot.initrd),
        ("Args", boot.args),
        ("Metadata", metadata.split("\n") if profile.metadata else []),
    ]
