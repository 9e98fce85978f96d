"""Image sources: what is served and held, their releases, and syncs."""

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import quote

from aiohttp import web

from lambda_matchbox.image_sync.sources import SourceStores
from matchboxctl.cli.errors import FailedError, MissingError, UsageError
from matchboxctl.console.console import FORM
from matchboxctl.console.images import IMAGES
from matchboxctl.console.notes import noted
from matchboxctl.console.templates import command, page
from matchboxctl.releases.commands import Published, followed, published, rolled_back_to
from matchboxctl.releases.overview import SourceState, SourceStates, source_states
from matchboxctl.releases.source_stores import source_ids
from matchboxctl.resources.reading import Entry, Part, part_of
from matchboxctl.resources.source import signer_text

ROWS = 50
"""Of a page."""


class _List(NamedTuple):
    """A part of the sources, and their states."""

    part: Part
    found: SourceStates


class _Image(NamedTuple):
    """A source, and its releases, None before the first."""

    state: SourceState
    releases: Published | None
    refused: Sequence[str]


def _listed(prefix: str, after: str, stores: SourceStores) -> _List:
    ordered = [Entry(each) for each in sorted(source_ids(stores))]
    part = part_of(ordered, prefix, after, ROWS)
    return _List(part, source_states(stores, [entry.name for entry in part.entries]))


def _image(source_id: str, stores: SourceStores) -> _Image:
    if source_id not in source_ids(stores):
        raise MissingError(f"no source {source_id!r}")
    found = source_states(stores, [source_id])
    [state] = found.states
    releases = None if state.pointer is None else published(stores, source_id)
    return _Image(state, releases, found.refused if state.source is None else ())


async def images(request: web.Request) -> web.Response:
    """The list."""
    prefix, after = request.query.get("q", "").strip(), request.query.get("after", "")
    found = await request.app[IMAGES].read(partial(_listed, prefix, after))
    return page(
        request,
        "images.html",
        warnings=found.found.refused,
        states=found.found.states,
        part=found.part,
        prefix=prefix,
        after=after,
        most=ROWS,
        signer=signer_text,
        runs=request.app[IMAGES].runs,
    )


async def image(request: web.Request) -> web.Response:
    """One source."""
    return await _page(request, "image.html")


async def live(request: web.Request) -> web.Response:
    """What changes while a sync runs."""
    return await _page(request, "image_live.html")


async def _page(request: web.Request, template: str) -> web.Response:
    images, source_id = request.app[IMAGES], request.match_info["id"]
    found = await images.read(partial(_image, source_id))
    values: dict[str, Any] = {
        "state": found.state,
        "releases": found.releases,
        "run": images.runs.get(source_id),
        "signer": signer_text,
    }
    return page(request, template, warnings=found.refused, **values)


async def act(request: web.Request) -> web.Response:
    """Sync the source, roll it back or let it follow, and show it again."""
    images, source_id, action = request.app[IMAGES], request.match_info["id"], request.match_info["action"]
    digest = request[FORM].get("digest", "")
    where, names = f"/images/{quote(source_id, safe=':')}", [source_id]
    if action == "rollback":
        done = images.read(lambda stores: _rolled_back(stores, source_id, digest))
        names.append(digest)
    elif action == "follow":
        done = images.read(lambda stores: followed(stores, source_id))
    else:
        done = _begun(request, source_id)
    return await noted(request, done, command(request, action, of=names), where)


def _rolled_back(stores: SourceStores, source_id: str, digest: str) -> str:
    if not digest:
        raise UsageError("choose the release")
    return rolled_back_to(stores, source_id, digest)


async def _begun(request: web.Request, source_id: str) -> str:
    images = request.app[IMAGES]
    found = await images.read(lambda stores: stores.sources().sources)
    if source_id not in found:
        raise MissingError(f"no source {source_id!r}")
    # After the last `await`: somebody may click twice.
    if images.runs_now(source_id):
        raise FailedError(f"a sync of {source_id} runs already")
    images.begin(source_id)
    return f"{source_id}: the sync has begun"


ROUTES = (
    web.get("/images", images),
    web.get("/images/{id}", image),
    web.get("/live/images/{id}", live),
)
ACTIONS = (web.post("/images/{id}/{action:sync|rollback|follow}", act),)
