"""Profiles and templates that are named but do not exist."""

from collections.abc import Callable

from lambda_matchbox.catalog.profiles import Profile

Holds = Callable[[str, str], bool]
"""Whether a document of that kind, of `profiles` or one of TEMPLATE_KINDS, exists under that name."""


def absent_profile(profile_id: str, holds: Holds) -> str:
    """Why groups with that profile have none; empty if it exists."""
    if not profile_id:
        return "it names no profile"
    return "" if holds("profiles", profile_id) else f"profile {profile_id!r} does not exist"


def absent_templates(profile: Profile, holds: Holds) -> list[str]:
    """A line for each template of the profile that does not exist."""
    return [
        f"{kind} template {name!r} does not exist"
        for kind, name in profile.template_ids.items()
        if not holds(kind, name)
    ]
