"""The forms of a machine's page."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple
from urllib.parse import quote

from aiohttp import web

from matchboxctl.cli.durations import seconds_in
from matchboxctl.cli.errors import UsageError
from matchboxctl.console.console import CONSOLE, FORM
from matchboxctl.console.machine_forms import WINDOWS
from matchboxctl.console.notes import noted
from matchboxctl.console.templates import command
from matchboxctl.machines.acceptance import NewGroup, accepted
from matchboxctl.machines.actions import Act, approval, arming, forgetting, holding, on_each, unholding
from matchboxctl.machines.opened_stores import OpenedStores
from matchboxctl.resources.command import target_of
from matchboxctl.store.mode import StoreSettings

Fields = Mapping[str, str]


class Action(NamedTuple):
    """How an action acts, and the flags of the command that does the same."""

    act: Callable[[OpenedStores, Fields], Act]
    flags: Callable[[Fields], list[str]] = lambda _: []


def _seconds(fields: Fields) -> int:
    if fields.get("for") not in WINDOWS:
        raise UsageError(f"choose one of {', '.join(WINDOWS)} as the time to arm for")
    return seconds_in(fields["for"])


def _group_flags(fields: Fields) -> list[str]:
    return ["--group", fields["group"]] if fields.get("group") else []


_ACTIONS: Mapping[str, Action] = {
    "approve": Action(lambda opened, fields: approval(opened, fields.get("group", "")), _group_flags),
    "arm": Action(
        lambda opened, fields: arming(opened, _seconds(fields)), lambda fields: ["--for", fields.get("for", "")]
    ),
    "hold": Action(lambda opened, _: holding(opened)),
    "unhold": Action(lambda opened, _: unholding(opened)),
    "forget": Action(
        lambda opened, fields: forgetting(opened, state="state" in fields),
        lambda fields: ["--state"] if "state" in fields else [],
    ),
}


def _done(action: Action, machine_id: str, fields: Fields, opened: OpenedStores) -> str:
    act = action.act(opened, fields)
    machine, _ = opened.named(machine_id)
    [done] = on_each(opened, {machine: machine_id}, act)
    return f"{machine_id}: {done.line}"


async def act(request: web.Request) -> web.Response:
    """Act on the machine, and show it again."""
    machine_id, name = request.match_info["id"], request.match_info["action"]
    action = _ACTIONS.get(name)
    if action is None:
        raise web.HTTPNotFound
    fields = request[FORM]
    line = command(request, "machine", name, of=[machine_id], flags=action.flags(fields))
    where = "/" if name == "forget" else f"/machines/{quote(machine_id, safe=':')}"
    return await _noted(request, partial(_done, action, machine_id, fields), line, where)


async def accept(request: web.Request) -> web.Response:
    """Create a group for the machine, and show it again."""
    machine_id, fields = request.match_info["id"], request[FORM]
    profile, group = fields.get("profile", "").strip(), fields.get("group", "").strip()
    metadata = [line.strip() for line in fields.get("metadata", "").splitlines() if line.strip()]
    store: StoreSettings | object = request.app[CONSOLE].settings.store
    flags = ["--profile", profile, *(["--group-id", group] if group else [])]
    flags += [word for pair in metadata for word in ("--metadata", pair)]

    def work(opened: OpenedStores) -> str:
        if not profile:
            raise UsageError("name the profile that the machine is to have")
        done = accepted(opened, target_of("group", store), machine_id, NewGroup(profile, group, metadata))  # type: ignore[arg-type]
        return f"group {done.group} created: {'; '.join([*done.lines, *done.problems])}"

    line = command(request, "machine", "accept", of=[machine_id], flags=flags)
    return await _noted(request, work, line, f"/machines/{quote(machine_id, safe=':')}")


async def _noted(request: web.Request, work: Callable[[OpenedStores], str], line: str, where: str) -> web.Response:
    """Do the work, and show the page with what was done, or why it was not."""
    console = request.app[CONSOLE]

    async def done() -> str:
        result = await console.stores.run(work)
        return "; ".join([result.value, *result.warnings])

    response = await noted(request, done(), line, where)
    console.counts.expire()
    return response


ROUTES = (web.post("/machines/{id}/accept", accept), web.post("/machines/{id}/{action}", act))
