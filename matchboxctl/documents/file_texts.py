"""Groups, profiles and image sources in the files of a data directory; the first two as matchbox writes them."""

import json

from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import Profile
from lambda_matchbox.documents.sources import source_document
from lambda_matchbox.golang.json import indented, with_sorted_keys
from lambda_matchbox.releases.sources import Source

_ORDER = ("id", "name", "ignition_id", "cloud_id", "boot", "generic_id")


def group_document(group: Group) -> dict[str, object]:
    """The fields of the group's file, without empty ones."""
    selector = {key: value if isinstance(value, str) else [*value] for key, value in group.selector.items()}
    fields = {
        "id": group.id,
        "name": group.name,
        "profile": group.profile,
        "selector": with_sorted_keys(selector),
        "metadata": with_sorted_keys(group.metadata),
        "boot": {} if group.boot is None else with_sorted_keys(group.boot.fields()),
    }
    return {name: value for name, value in fields.items() if value}


def profile_document(profile: Profile) -> dict[str, object]:
    """The fields of the profile's file, without empty ones; those of matchbox come first, in its order."""
    fields = profile.document()
    known = {name: fields.pop(name) for name in _ORDER if name in fields}
    return {**known, **{name: with_sorted_keys(value) for name, value in fields.items()}}


def group_text(group: Group) -> bytes:
    """The group's file."""
    return indented(group_document(group)).encode()


def profile_text(profile: Profile) -> bytes:
    """The profile's file."""
    return indented(profile_document(profile)).encode()


def source_text(source: Source) -> bytes:
    """The source's file."""
    return json.dumps(source_document(source), indent=2, ensure_ascii=False).encode() + b"\n"
