"""Groups and profiles as matchbox writes them into its data directory."""

from matchbox.groups import Group
from matchbox.profiles import Profile
from matchboxctl.documents.go_json_text import indented, with_sorted_keys

_ORDER = ("id", "name", "ignition_id", "cloud_id", "boot", "generic_id")


def group_text(group: Group) -> bytes:
    """The group's file: empty fields are left out, the selector is as it is given."""
    fields = {
        "id": group.id,
        "name": group.name,
        "profile": group.profile,
        "selector": with_sorted_keys(group.selector),
        "metadata": with_sorted_keys(group.metadata),
    }
    return indented({name: value for name, value in fields.items() if value}).encode()


def profile_text(profile: Profile) -> bytes:
    """The profile's file: empty fields are left out. What matchbox knows comes first, in its order."""
    fields = profile.document()
    known = {name: fields.pop(name) for name in _ORDER if name in fields}
    return indented({**known, **{name: with_sorted_keys(value) for name, value in fields.items()}}).encode()
