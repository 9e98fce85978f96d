"""Which documents would matchbox itself not read as they are meant?"""

import re
from collections.abc import Sequence

from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import Profile
from lambda_matchbox.gotemplate.engine import sprig_functions_in

_MOST_NAMED = 20
_IGNITION_SUFFIXES = (".ign", ".ignition")
# The newest Butane that matchbox v0.11.0 knows is fcos 1.5.0's.
_NEWER = rb"(1\.[67]\.0)"
# A key at the start of a line, or in quotes or a flow mapping anywhere: JSON is YAML too.
_MEMBER = rb"""(?:^|^[ \t]+(?=["'])|[{,]\s*)(["']?)%s\1\s*:\s*(["']?)%s\2(?=[\s,}#]|$)"""
_NEWER_BUTANE = re.compile(_MEMBER % (rb"version", _NEWER), re.MULTILINE)
_FCOS = re.compile(_MEMBER % (rb"variant", rb"fcos"), re.MULTILINE)


def beyond_matchbox(document: Group | Profile) -> str | None:
    """What matchbox would make of the document, in a line without values; None where it reads it as it is meant.

    matchbox v0.11.0 leaves out groups that do not parse, and passes over keys that it does not know.
    """
    if isinstance(document, Profile):
        return f"profile {document.id} without its metadata" if document.metadata else None
    listed = [key for key, wanted in document.selector.items() if not isinstance(wanted, str)]
    return f"not group {document.id}, which lists values for {', '.join(listed)}" if listed else None


def template_beyond_matchbox(kind: str, name: str, body: bytes) -> str | None:
    """The same of a template, for which matchbox v0.11.0 answers 404: it has no Sprig, and an older Butane.

    Only a version that stands in the template itself is seen.
    """
    if kind == "ignition" and name.endswith(_IGNITION_SUFFIXES):
        return None
    if called := sprig_functions_in(body):
        return f"not {kind} template {name}, which calls Sprig's {', '.join(sorted(called))}"
    version = _NEWER_BUTANE.search(body)
    if kind == "ignition" and version and _FCOS.search(body):
        return f"not {kind} template {name}, which is Butane's fcos {version[3].decode()}"
    return None


def told(found: Sequence[str]) -> list[str]:
    """The lines for the operator, a limited number."""
    lines = [f"note: matchbox itself would read {line}" for line in found[:_MOST_NAMED]]
    if len(found) > _MOST_NAMED:
        lines.append(f"note: and {len(found) - _MOST_NAMED} other documents not as they are meant")
    return lines
