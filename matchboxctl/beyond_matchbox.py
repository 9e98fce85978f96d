"""Which documents would matchbox itself not read as they are meant?"""

from collections.abc import Sequence

from matchbox.groups import Group
from matchbox.profiles import Profile

_MOST_NAMED = 20


def beyond_matchbox(document: Group | Profile) -> str | None:
    """What matchbox would make of the document, in a line without values; None where it reads it as it is meant.

    matchbox v0.11.0 leaves out groups that do not parse, and passes over keys that it does not know.
    """
    if isinstance(document, Profile):
        return f"profile {document.id} without its metadata" if document.metadata else None
    listed = [key for key, wanted in document.selector.items() if not isinstance(wanted, str)]
    return f"not group {document.id}, which lists values for {', '.join(listed)}" if listed else None


def told(found: Sequence[str]) -> list[str]:
    """The lines for the operator, a limited number."""
    lines = [f"note: matchbox itself would read {line}" for line in found[:_MOST_NAMED]]
    if len(found) > _MOST_NAMED:
        lines.append(f"note: and {len(found) - _MOST_NAMED} other documents not as they are meant")
    return lines
