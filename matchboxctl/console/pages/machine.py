"""The page of one machine: its boots, its group and why, what it would get now, and what can be done."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple

from aiohttp import web

from lambda_matchbox.errors import MatchboxError
from lambda_matchbox.machines.boots import Boot
from matchboxctl.cli.errors import CommandError, MissingError
from matchboxctl.console.catalog import CATALOG
from matchboxctl.console.console import CONSOLE
from matchboxctl.console.machine_forms import WINDOWS, Form, forms
from matchboxctl.console.templates import page
from matchboxctl.console.timeline import STEPS, Timeline, timeline
from matchboxctl.machines.asset_sizes import asset_sizes
from matchboxctl.machines.boot_history import boots_of
from matchboxctl.machines.describe import MachineDescription, machine_description
from matchboxctl.machines.event_texts import Repeated, repeated
from matchboxctl.machines.opened_stores import OpenedStores
from matchboxctl.render.command import Source
from matchboxctl.render.every_route import responses
from matchboxctl.render.secret_masks import MASK, names_a_secret

_BOOTS = 6
_OTHERS = 5
_PROFILES = 200
_WAIT_SECONDS = 0.5
_RECENT = 30 * 86_400_000


class MachinePage(NamedTuple):
    """What is known of a machine, its boots as a picture and as rows, what can be done, and its labels."""

    description: MachineDescription
    boots: Sequence[Boot]
    picture: Timeline
    events: Sequence[Sequence[Repeated]]
    forms: Sequence[Form]
    labels: Mapping[str, object]


def _machine(machine_id: str, others: int, opened: OpenedStores) -> MachinePage:
    found = machine_description(opened, machine_id, others=others)
    boots: Sequence[Boot] = ()
    try:
        _, boots = boots_of(opened, found.machine, _now() - _RECENT)
    except (CommandError, MatchboxError) as error:
        if not found.is_known:
            raise
        opened.warn(f"its boots are left out: {error}")
    if not found.is_known:
        raise MissingError(f"{machine_id} was never seen, and nobody acted on it")
    newest = boots[::-1][:_BOOTS]
    labels = {name: MASK if names_a_secret(name) else value for name, value in found.labels.items()}
    stores = opened.responses()
    picture = timeline(newest, stores.catalog.profile, asset_sizes(stores, newest))
    events = [[*repeated(boot.events)] for boot in newest]
    return MachinePage(found, newest, picture, events, forms(found.facts, found.group), labels)


def _responses(found: MachineDescription, opened: OpenedStores) -> Sequence[Mapping[str, Any]]:
    """What each route would give the machine now, with secrets masked."""
    return responses(Source(opened.responses(), opened.advising), list(found.labels.items()))


async def machine(request: web.Request) -> web.Response:
    """The page."""
    stores, machine_id = request.app[CONSOLE].stores, request.match_info["id"]
    await stores.ready()
    found = await stores.run(partial(_machine, machine_id, _OTHERS))
    rendered = await stores.run(partial(_responses, found.value.description))
    return page(
        request,
        "machine.html",
        warnings=[*found.warnings, *rendered.warnings],
        responses=rendered.value,
        profiles=await _profiles(request, found.value.forms),
        **_values(request, found.value),
    )


async def _profiles(request: web.Request, some: Sequence[Form]) -> Sequence[str]:
    """The first profiles, for the form that asks for one; none if they are not there soon."""
    if request.app[CONSOLE].settings.read_only or not any(form.action == "accept" for form in some):
        return ()
    with suppress(CommandError, MatchboxError, TimeoutError):
        reading = asyncio.ensure_future(request.app[CATALOG].entries("profiles"))
        async with asyncio.timeout(_WAIT_SECONDS):
            return [entry.name for entry in (await asyncio.shield(reading))[:_PROFILES]]
    return ()


async def live(request: web.Request) -> web.Response:
    """What changes on the page while the machine boots."""
    machine_id = request.match_info["id"]
    found = await request.app[CONSOLE].stores.run(partial(_machine, machine_id, 0))
    return page(request, "machine_live.html", **_values(request, found.value))


def _values(request: web.Request, found: MachinePage) -> dict[str, Any]:
    return {
        "machine_id": request.match_info["id"],
        "facts": found.description.facts,
        "labels": found.labels,
        "found": found,
        "steps": STEPS,
        "forms": found.forms,
        "windows": WINDOWS,
    }


def _now() -> int:
    return time.time_ns() // 1_000_000


ROUTES = (web.get("/machines/{id}", machine), web.get("/live/machines/{id}", live))
