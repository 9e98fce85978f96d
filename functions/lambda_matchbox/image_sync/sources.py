"""Which image sources are to be synced, and when?"""

from collections.abc import Mapping
from typing import NamedTuple

from lambda_matchbox.documents.sources import parse_source, parse_stand_in
from lambda_matchbox.errors import DocumentError
from lambda_matchbox.releases.sources import Source, apart, overlapping

STAND_IN = "MATCHBOX_SOURCE"
"""The variable with the JSON of a source that counts where the table has none of its id or in its place."""


class ImageSources(NamedTuple):
    """The sources that can be synced, by their ids, and a line for each that cannot, which says why.

    `named` are the ids of all of them.
    """

    sources: Mapping[str, Source]
    refused: list[str]
    named: frozenset[str]


def image_sources(documents: Mapping[str, bytes], stand_in: str, where: str = "source {!r}") -> ImageSources:
    """The sources in documents by their ids, and the one in the text of STAND_IN (empty for none).

    `where` names a document in a line.
    """
    found: list[Source] = []
    refused: list[str] = []
    for source_id, document in documents.items():
        try:
            found.append(parse_source(source_id, document))
        except DocumentError as error:
            refused.append(f"{where.format(source_id)}: {error}")
    accepted, overlaps = apart(found)
    refused += [f"{where.format(source_id)}: {why}" for source_id, why in overlaps.items()]
    if stand_in:
        try:
            source = parse_stand_in(stand_in.encode())
        except DocumentError as error:
            refused.append(f"{STAND_IN}: {error}")
        else:
            if source.id not in documents and overlapping(source, accepted) is None:
                accepted.append(source)
    sources = {source.id: source for source in accepted}
    return ImageSources(sources, refused, frozenset(documents) | sources.keys())


def is_due(source: Source, checked: int | None, now: float) -> bool:
    """Whether the source's interval has passed since it was last found up to date (seconds since 1970)."""
    return checked is None or now - checked >= source.interval
