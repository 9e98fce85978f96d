"""The responses of a running matchbox and of the copy to a machine of each group."""

import json
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from functools import cache
from typing import NamedTuple
from urllib.parse import quote

from lambda_matchbox.assets.stores import AssetStore
from lambda_matchbox.aws.parallel import in_parallel
from lambda_matchbox.catalog.group_index import GroupIndex
from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import Profile
from lambda_matchbox.http import Request
from matchboxctl.check.boot_client import AbsentError, BootClient, FetchError
from matchboxctl.check.group_labels import GroupMachine, machines_of
from matchboxctl.cli.progress import Progress
from matchboxctl.directory.files import DataDirectory
from matchboxctl.netboot.variables import STAND_INS
from matchboxctl.render.command import RenderOptions, Source, report_of, request_for
from matchboxctl.transfer.compatibility import incompatibility, template_incompatibility
from matchboxctl.validate.boot_addresses import boot_addresses

AGENT = "matchboxctl migrate"
SECONDS = 30.0

_ASSETS = "/assets/"
_MAX_BODY = 1 << 26
_RELEASE = b"?release=sha256:"


class Outcome(StrEnum):
    """How two responses compare, the worst first; errors on both sides are no difference, whatever their statuses."""

    DIFFERS = "differs"
    ERROR = "error"
    SAME = "same"


class RouteResponse(NamedTuple):
    """A status, 0 if there was no response, the body or an asset's size, and the reason of an error."""

    status: int
    body: bytes | int | None = None
    reason: str = ""


class Compared(NamedTuple):
    """The responses of one route: the status of matchbox, None if none is compared, and that of the copy."""

    route: str
    there: int | None
    here: int
    outcome: Outcome
    why: str


class Row(NamedTuple):
    """A group, the labels of a machine of it, and its responses; none if its machines are in `beaten_by`."""

    group: str
    labels: Mapping[str, str]
    beaten_by: str
    compared: Sequence[Compared]


class Comparison:
    """The groups of a data directory, served by `here` with `assets`, and by the matchbox at `old` unless empty."""

    def __init__(self, directory: DataDirectory, here: Source, assets: AssetStore, old: str) -> None:
        self._groups = {group.id: group for group in directory.groups}
        self._profiles = {profile.id: profile for profile in directory.profiles}
        self._templates = {template[:2]: template for template in directory.templates}
        self._index = GroupIndex(directory.groups)
        self._here = here
        self._assets = assets
        self._old = old
        self._client = BootClient(AGENT, SECONDS)
        self._shared: set[str] = set()
        self._asset = cache(self._compared_asset)

    def rows(self) -> list[Row]:
        """A row for each group, in the order of their ids."""
        rows: dict[str, Row] = {}

        def compare(machine: GroupMachine) -> None:
            rows[machine.group] = self._row(machine)

        machines = machines_of([*self._groups.values()])
        self._shared.update(machine.beaten_by for machine in machines)
        with Progress("comparing responses", len(machines), "groups") as progress:
            for _ in in_parallel(compare, machines):
                progress.add(1)
        return [rows[machine.group] for machine in machines]

    def _row(self, machine: GroupMachine) -> Row:
        group = self._groups[machine.group]
        if machine.beaten_by:
            return Row(group.id, machine.labels, machine.beaten_by, ())
        # What iPXE sends of each machine, unless another group selects by it.
        labels = {**STAND_INS, **machine.labels}
        if self._index.select(labels) != group:
            labels = dict(machine.labels)
        profile = self._profiles.get(group.profile)
        compared = [self._compared(group, profile, route, labels) for route in _routes(profile)]
        # One for all of them.
        assets = sorted((self._asset(path) for path in _asset_paths(profile)), key=_severity)
        compared += assets[:1]
        return Row(group.id, labels, "", compared)

    def _compared(self, group: Group, profile: Profile | None, route: str, labels: Mapping[str, str]) -> Compared:
        given = [*labels.items()]
        report = report_of(self._here, route, given, RenderOptions(route, [f"{key}={value}" for key, value in given]))
        here = RouteResponse(report.response.status, report.response.body, report.masked(report.reason))
        there = self._there(request_for(route, given)) if self._old else None
        outcome = _outcome(route, there, here)
        why = here.reason
        if there is not None and outcome is Outcome.DIFFERS:
            selected = report.group.id if report.group else ""
            is_other = selected not in ("", group.id)
            why = f"here it is in group {selected}" if is_other else self._why(group, profile, route, there, here)
        return _result(route, there, here, outcome, why)

    def _why(self, group: Group, profile: Profile | None, route: str, there: RouteResponse, here: RouteResponse) -> str:
        if here.status != 200 or there.status == 0:
            return there.reason if there.status == 0 else here.reason
        if group.id in self._shared:
            return "another group has the same selectors, of which matchbox takes any"
        if there.status != 200:
            template = self._templates.get((route, profile.template_ids.get(route, "") if profile else ""))
            known = [
                template_incompatibility(*template) if template else None,
                incompatibility(group),
                incompatibility(profile) if profile else None,
            ]
            other = "matchbox serves Ignition and Butane only" if route == "ignition" else "matchbox refuses it"
            return next((line for line in known if line), other)
        if isinstance(here.body, bytes) and _RELEASE in here.body:
            return "addresses name the release of an image source"
        return _first_difference(there.body, here.body)

    def _there(self, request: Request) -> RouteResponse:
        try:
            return RouteResponse(200, self._client.body(f"{self._old}{request.path}?{request.raw_query}", _MAX_BODY)[0])
        except AbsentError as error:
            return RouteResponse(404, reason=str(error))
        except FetchError as error:
            return RouteResponse(0, reason=str(error))

    def _compared_asset(self, path: str) -> Compared:
        name = path.removeprefix(_ASSETS)
        file = self._assets.file(name)
        is_there = file is not None or self._assets.listing(name) is not None
        here = RouteResponse(200, file and file.size) if is_there else RouteResponse(404, reason=f"{path} is absent")
        there = self._asset_there(path) if self._old else None
        outcome = _outcome("assets", there, here)
        why = here.reason
        if there is not None and outcome is Outcome.DIFFERS and (is_there or there.status == 0):
            why = there.reason or f"{path} has another size"
        return _result("assets", there, here, outcome, why)

    def _asset_there(self, path: str) -> RouteResponse:
        try:
            found = self._client.head(f"{self._old}{quote(path)}")
        except FetchError as error:
            return RouteResponse(0, reason=str(error))
        if found.status >= 400:
            return RouteResponse(404, reason=f"matchbox has no {path}")
        size = found.headers.get("content-length", "")
        # A redirect is to a directory, or to a bucket.
        return RouteResponse(200, int(size) if size.isdecimal() and found.status == 200 else None)


def _result(route: str, there: RouteResponse | None, here: RouteResponse, outcome: Outcome, why: str) -> Compared:
    """Without the bodies, which would be all in memory."""
    return Compared(route, there and there.status, here.status, outcome, why)


def _severity(one: Compared) -> int:
    return [*Outcome].index(one.outcome)


def _routes(profile: Profile | None) -> Iterator[str]:
    if profile is None or profile.boot is not None:
        yield from ("ipxe", "grub")
    if profile is not None:
        yield from profile.template_ids
    yield "metadata"


def _asset_paths(profile: Profile | None) -> list[str]:
    boot = None if profile is None else profile.boot
    addresses = () if boot is None else boot_addresses(boot)
    return list(dict.fromkeys(address.path for address in addresses if address.path.startswith(_ASSETS)))


def _outcome(route: str, there: RouteResponse | None, here: RouteResponse) -> Outcome:
    if there is None or there.status == 404:
        failed = here.status != 200
        return Outcome.ERROR if failed else Outcome.SAME if there is None else Outcome.DIFFERS
    if there.status != here.status or not _is_same(route, there.body, here.body):
        return Outcome.DIFFERS
    return Outcome.SAME


def _is_same(route: str, there: bytes | int | None, here: bytes | int | None) -> bool:
    if not isinstance(there, bytes) or not isinstance(here, bytes):
        return there is None or here is None or there == here
    if route == "metadata":
        # matchbox's lines are in no order.
        return sorted(there.splitlines()) == sorted(here.splitlines())
    return there == here or (route == "ignition" and _json(there) == _json(here) is not None)


def _json(body: bytes) -> object:
    try:
        return json.loads(body)
    except ValueError:
        return None


def _first_difference(there: bytes | int | None, here: bytes | int | None) -> str:
    """Without the text, which may hold secrets."""
    if not isinstance(there, bytes) or not isinstance(here, bytes):
        return ""
    pairs = zip(there.splitlines(), here.splitlines(), strict=False)
    number = next((at for at, (one, other) in enumerate(pairs, 1) if one != other), 0)
    return f"line {number} is another" if number else f"{len(there)} bytes there, {len(here)} here"
