"""Image sources to sync, and the stores they come from."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from lambda_matchbox.documents.sources import parse_source, parse_stand_in
from lambda_matchbox.errors import DocumentError
from lambda_matchbox.releases.pointers import Pointers
from lambda_matchbox.releases.sources import Source, apart, overlapping
from lambda_matchbox.releases.store import ReleaseStore

STAND_IN = "MATCHBOX_SOURCE"
"""The variable with the JSON of a source that counts unless the table has one of its id or with its assets."""


_NEARLY = 0.95


class ImageSources(NamedTuple):
    """The valid sources by their ids, and a message for each invalid one; `named` are the ids of all."""

    sources: Mapping[str, Source]
    refused: list[str]
    named: frozenset[str]


class SourceStores(NamedTuple):
    """Where sources are read from and their releases are published, in either mode.

    `name` describes it in messages; `sources` and `pointers` read all sources and pointers; `releases` gives the
    release store of a source by its id, `scratch` the directory for its temporary files, None for one of the system's.
    `complete` makes up for copies of releases that an interrupted sync has not made, where there are copies.
    """

    name: str
    sources: Callable[[], ImageSources]
    pointers: Callable[[], Pointers]
    releases: Callable[[str], ReleaseStore]
    scratch: Callable[[str], Path | None]
    complete: Callable[[], object] = lambda: None


def image_sources(documents: Mapping[str, bytes], stand_in: str, where: str = "source {!r}") -> ImageSources:
    """The sources in documents by their ids, and the one in the text of STAND_IN (empty for none).

    `where` formats the id of a document for messages.
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
    """Whether the source's interval has nearly passed since it was last up to date (seconds since 1970).

    A schedule with the same interval counts from the beginning of a sync, and would miss every second turn.
    """
    return checked is None or now - checked >= _NEARLY * source.interval
