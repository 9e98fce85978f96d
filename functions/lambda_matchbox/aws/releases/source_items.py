"""How are image sources and their releases written in the table (see `aws.catalog.layout`)?

    R           POINTERS: for each source s:<source>: its pointer as JSON
    R#<source>  lease: the token of the sync that is under way · until: when it ends unless it is renewed, in
                milliseconds since 1970 · checked: when the source was last found up to date, in seconds since 1970
    I           SOURCES: for each source s:<source>: its document as JSON

POINTERS is one item, since each selection reads it.
"""

from collections.abc import Mapping
from typing import Any

from lambda_matchbox.releases.pointers import Pointers, pointer_in

POINTERS = "R"
"""The key of POINTERS."""

SOURCES = "I"
"""The key of SOURCES."""

SYNC = "R#"
"""What the keys begin with that say who syncs a source."""

CHECKED = "checked"
"""The attribute beside a lease that says when the source was last found up to date."""

_SOURCE = "s:"


def source_name(source_id: str) -> str:
    """The attribute of an image source in POINTERS and in SOURCES."""
    return _SOURCE + source_id


def sync_key(source_id: str) -> str:
    """The key of the item that says who syncs the source."""
    return SYNC + source_id


def texts_of_sources(item: Mapping[str, Any] | None) -> dict[str, str]:
    """What POINTERS or SOURCES holds of each source, by its id; nothing where the item is not there.

    What is no text is written as one, which is then no document.
    """
    named = (item or {}).items()
    return {name.removeprefix(_SOURCE): str(text) for name, text in named if name.startswith(_SOURCE)}


def pointers_in(item: Mapping[str, Any] | None) -> Pointers:
    """The pointers in POINTERS, without what is none: the other sources' machines boot all the same."""
    found = {source_id: pointer_in(text) for source_id, text in texts_of_sources(item).items()}
    return {source_id: pointer for source_id, pointer in found.items() if pointer is not None}
