"""Documents that matchbox itself does not read as this project does."""

import re
from collections.abc import Sequence

from lambda_matchbox.answers.ignition import is_ignition_config
from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import Profile
from lambda_matchbox.gotemplate.engine import sprig_functions_in
from lambda_matchbox.secrets.references import references_in

_MAX_NAMED = 20
# The newest Butane that matchbox v0.11.0 knows is fcos 1.5.0's.
_NEWER = rb"(1\.[67]\.0)"
# A key at the start of a line, or in quotes or a flow mapping anywhere: JSON is YAML too.
_MEMBER = rb"""(?:^|^[ \t]+(?=["'])|[{,]\s*)(["']?)%s\1\s*:\s*(["']?)%s\2(?=[\s,}#]|$)"""
_NEWER_BUTANE = re.compile(_MEMBER % (rb"version", _NEWER), re.MULTILINE)
_FCOS = re.compile(_MEMBER % (rb"variant", rb"fcos"), re.MULTILINE)


def incompatibility(document: Group | Profile) -> str | None:
    """What matchbox v0.11.0 ignores of the document, without values; None if it reads it as this project does."""
    if isinstance(document, Profile):
        return f"matchbox ignores the metadata of profile {document.id}" if document.metadata else None
    if listed := [key for key, value in document.selector.items() if not isinstance(value, str)]:
        return f"matchbox ignores group {document.id}: its selector lists {', '.join(listed)}"
    return None if document.boot is None else f"matchbox ignores the boot policy of group {document.id}"


def template_incompatibility(kind: str, name: str, body: bytes) -> str | None:
    """Why matchbox v0.11.0, without Sprig and with an older Butane, responds 404 for the template; None if it does not.

    Only a version in the template itself is recognised.
    """
    if kind == "ignition" and is_ignition_config(name):
        return None
    line = f"matchbox does not render {kind} template {name}"
    if references_in(body):
        return f"{line}: it names secrets"
    if called := sprig_functions_in(body):
        return f"{line}: it calls Sprig's {', '.join(sorted(called))}"
    version = _NEWER_BUTANE.search(body)
    if kind == "ignition" and version and _FCOS.search(body):
        return f"{line}: it is Butane's fcos {version[3].decode()}"
    return None


def notes(found: Sequence[str]) -> list[str]:
    """The lines for the operator, a limited number."""
    lines = [f"note: {line}" for line in found[:_MAX_NAMED]]
    if others := found[_MAX_NAMED:]:
        lines.append(f"note: documents that matchbox does not read as intended, besides these: {len(others)}")
    return lines
