"""Groups, profiles and templates as a reader may see them: with secrets masked."""

import json
from collections.abc import Mapping
from typing import Any

from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import NetBoot, Profile
from matchboxctl.documents.file_texts import group_document, profile_document
from matchboxctl.render.body_masks import masked_body
from matchboxctl.render.secret_masks import Masks


def masked_document(document: Group | Profile) -> Mapping[str, Any]:
    """The document for programs, with values masked under keys that name a secret."""
    if isinstance(document, Group):
        whole = group_document(document)
    else:
        whole = profile_document(document._replace(boot=_masked_boot(document.boot)))
    masks = Masks(whole)
    # Whether a group uses tokens is no secret.
    is_open = "boot" if isinstance(document, Group) else ""
    return {key: value if key == is_open else masks.data(value) for key, value in whole.items()}


def _masked_boot(boot: NetBoot | None) -> NetBoot | None:
    if boot is None:
        return None
    return NetBoot(masked_body(boot.kernel), (*map(masked_body, boot.initrd),), (*map(masked_body, boot.args),))


def masked_text(document: Group | Profile | bytes) -> str | None:
    """The document as JSON, or a template's text, masked; None for a template that is no text."""
    if isinstance(document, Group | Profile):
        return masked_body(json.dumps(masked_document(document), ensure_ascii=False, indent=2))
    try:
        return masked_body(document.decode())
    except UnicodeDecodeError:
        return None
