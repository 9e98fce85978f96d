"""Groups and profiles as matchbox writes them into its data directory."""

from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import Profile
from lambda_matchbox.golang.json import indented, with_sorted_keys

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
