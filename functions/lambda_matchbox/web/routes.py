"""matchbox's routes and the stages of a response: find the route, select the machine's group, respond, deliver."""

import json
import time
from collections.abc import Callable, Mapping
from functools import cached_property, partial
from typing import TYPE_CHECKING, NamedTuple

from lambda_matchbox.answers import grub, ipxe, report
from lambda_matchbox.assets import file_server
from lambda_matchbox.assets.release_addresses import elsewhere, release_in, releases_of
from lambda_matchbox.assets.released import ReleasedAssets
from lambda_matchbox.assets.stores import AssetStore, Releases
from lambda_matchbox.catalog.labels import Query
from lambda_matchbox.catalog.profiles import NetBoot
from lambda_matchbox.catalog.stores import Catalog
from lambda_matchbox.errors import NotFoundError, StoreUnavailableError
from lambda_matchbox.golang.http.content_type import TEXT
from lambda_matchbox.golang.http.paths import clean_path, moved_permanently, unescape
from lambda_matchbox.http import Request, Response, ResponseStore
from lambda_matchbox.machines.stores import MachineStore
from lambda_matchbox.releases.pointers import Pointers
from lambda_matchbox.secrets.stores import NO_SECRETS, SecretStore
from lambda_matchbox.web.delivery import DELIVERING_GROUP, VERDICT, ResponseDelivery
from lambda_matchbox.web.machine import Machine, select
from lambda_matchbox.web.route import MachineRoute, Route
from lambda_matchbox.web.signatures import Signatures, signed_route

if TYPE_CHECKING:
    from lambda_matchbox.machines.policy import Policy
    from lambda_matchbox.web.gate import Gate, Outcome

ASSETS = "/assets/"
"""The path and the name of the route to assets."""

_PROFILES = "/profiles/"
_TEXTS = {"/": b"matchbox\n", "/boot.ipxe": ipxe.BOOT_SCRIPT, "/boot.ipxe.0": ipxe.BOOT_SCRIPT}


class Stores(NamedTuple):
    """The sources of responses, and the store for those that the load balancer cannot carry.

    `assets` are the operator's own files. Without `responses` nothing limits a response. Without `machines` nobody is
    answered whose group has a boot policy, without `secrets` there are none.
    """

    catalog: Catalog
    assets: AssetStore
    releases: Releases
    responses: ResponseStore | None
    machines: MachineStore | None = None
    secrets: SecretStore = NO_SECRETS


class Routes:
    """The routes over the stores. Every stage raises the errors of `errors`.

    With `signatures`, the routes that matchbox signs have signature routes. `clock` returns seconds since 1970,
    `base_url` is where machines with a token ask for configurations, if not where they asked for their script. With
    `direct_files`, iPXE's scripts name token-free addresses of files, as GRUB's do.
    """

    def __init__(
        self,
        stores: Stores,
        delivery: file_server.Delivery,
        signatures: Signatures | None = None,
        clock: Callable[[], float] = time.time,
        base_url: str = "",
        *,
        direct_files: bool = False,
    ) -> None:
        self._stores = stores
        self._settings = delivery
        self._signatures = signatures
        self._clock = clock
        self._base_url = base_url
        self._direct_files = direct_files
        self._delivery = ResponseDelivery(stores.responses, delivery)
        self.machine_routes: Mapping[str, Callable[[Machine], Response]] = {
            "/ipxe": self._ipxe,
            "/grub": self._grub,
            "/metadata": _metadata,
            "/generic": self._generic,
            "/cloud": self._cloud,
            "/ignition": self._ignition,
            report.ROUTE: _report,
        }
        self._by_path = {path: MachineRoute(path, respond) for path, respond in self.machine_routes.items()}

    def find(self, request: Request) -> Route | MachineRoute:
        """The request's route. Raises NotFoundError for a path without one."""
        if (found := self._by_path.get(request.path)) is not None:
            return found
        # Whether the balancer decodes the path is not documented: an invalid escape stands for itself.
        path = unescape(request.path) or request.path
        if request.method != "CONNECT" and (redirect := _clean_spelling(path, request)) is not None:
            return Route("redirect", lambda _: redirect)
        if path.startswith(ASSETS):
            release = release_in(request.raw_query)
            return Route(ASSETS, partial(self._asset, path.removeprefix(ASSETS), release), release=release or "")
        if path.startswith(_PROFILES):
            profile_id = path.removeprefix(_PROFILES)
            return Route(_PROFILES, lambda _: self._profile(profile_id), profile_id)
        if self._signatures is not None and (signed := signed_route(path)) is not None:
            return _signature_route(*signed, self._route(signed[0]), partial(self._signatures.respond, signed[1]))
        return self._route(path)

    def select(self, query: Query, client_address: str) -> Machine:
        """The machine that sent the query from that address. Raises NotFoundError if no group matches."""
        return select(self._stores.catalog, query, client_address)

    def respond(self, route: MachineRoute, request: Request, machine: Machine) -> tuple[Response, "Outcome | None"]:
        """The response to the machine, and the gate's verdict, None for a group without a boot policy.

        What the gate lets through is delivered already, before it is recorded.
        """
        policy, verdict = machine.selection.group.boot, None
        if policy is None:
            response = route.respond(machine)
            if route.sign is not None:
                response = route.sign(response)
        else:
            response, verdict = self._gate.respond(route, request, machine, policy, self.select, self.deliver)
            if shown := _verdict_headers(route.name, machine.selection.group.id, policy, verdict):
                response = response._replace(headers={**response.headers, **shown})
        return response, verdict

    @cached_property
    def _gate(self) -> "Gate":
        # Most groups have no policy.
        from lambda_matchbox.web.gate import Gate

        if self._stores.machines is None:
            raise StoreUnavailableError("the states of machines are not known here")
        return Gate(self._stores.machines, self._stores.secrets, self._clock, self._base_url)

    def deliver(self, request: Request, response: Response) -> Response:
        """The response of a machine route as the client gets it. Raises UndeliverableError."""
        return self._delivery.deliver(request, response)

    def _route(self, path: str) -> Route | MachineRoute:
        if path in _TEXTS:
            return Route(path, lambda _: Response.of(_TEXTS[path], TEXT))
        if path in self._by_path:
            return self._by_path[path]
        raise NotFoundError(f"no route {path!r}")

    def _asset(self, path: str, release: str | None, request: Request) -> Response:
        store = self._served(self._stores.releases.pointers(), release)
        try:
            return file_server.respond(request, path, store, self._settings)
        except NotFoundError:
            # The path may have been decoded before, and a percent sign may belong to the name.
            literal = request.path.removeprefix(ASSETS)
            if literal == path:
                raise
            return file_server.respond(request, literal, store, self._settings)

    def _served(self, pointers: Pointers, release: str | None) -> ReleasedAssets:
        """The files below /assets/ for a request that names this release."""
        return ReleasedAssets(self._stores.assets, self._stores.releases, pointers, release)

    def _profile(self, profile_id: str) -> Response:
        profile = self._stores.catalog.profile(profile_id)
        if profile is None:
            raise NotFoundError(f"no profile {profile_id!r}")
        # Metadata may hold secrets, and this route does not know which machine asks.
        shown = profile._replace(metadata={}).document()
        body = json.dumps(shown, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
        return Response.of(body, "application/json")

    def _ipxe(self, machine: Machine) -> Response:
        boot = named = machine.boot
        if self._direct_files:
            named = elsewhere(boot, partial(self._plain_address, machine.selection.pointers))
        return _with_release(self._delivery.undivided(ipxe.respond(named, machine.variables)), machine, boot)

    def _grub(self, machine: Machine) -> Response:
        plain_address = partial(self._plain_address, machine.selection.pointers)
        boot = machine.boot
        return _with_release(
            self._delivery.undivided(grub.respond(boot, plain_address, machine.variables)), machine, boot
        )

    def _plain_address(self, pointers: Pointers, address: str) -> str | None:
        """The token-free address of the asset at `address` on this server, if it has one."""
        if not address.startswith(ASSETS):
            return None
        raw_path, _, raw_query = address.removeprefix(ASSETS).partition("?")
        path = clean_path(unescape(raw_path) or raw_path).strip("/")
        return self._served(pointers, release_in(raw_query)).plain_address(path)

    def _ignition(self, machine: Machine) -> Response:
        from lambda_matchbox.answers import ignition

        return ignition.respond(machine.template("ignition", self._stores.catalog), machine.data, machine.secrets)

    def _generic(self, machine: Machine) -> Response:
        from lambda_matchbox.answers import generic

        return generic.respond(machine.template("generic", self._stores.catalog), machine.data, machine.secrets)

    def _cloud(self, machine: Machine) -> Response:
        from lambda_matchbox.answers import cloud

        return cloud.respond(machine.template("cloud", self._stores.catalog), machine.data, machine.secrets)


def _verdict_headers(route: str, group: str, policy: "Policy", verdict: "Outcome") -> dict[str, str]:
    """What tells `matchboxctl check` why a machine is stopped, and which group would count a delivery."""
    headers = {} if verdict.kind == "allow" else {VERDICT: f"{verdict.kind}: {verdict.reason}"}
    if (policy.once or policy.token) and route not in ("/ipxe", "/grub"):
        from urllib.parse import quote

        headers[DELIVERING_GROUP] = quote(group)
    return headers


def _report(machine: Machine) -> Response:
    return report.respond(machine.query)


def _metadata(machine: Machine) -> Response:
    from lambda_matchbox.answers import metadata

    return metadata.respond(machine.data)


def _with_release(script: Response, machine: Machine, boot: NetBoot) -> Response:
    """The script with the release that its addresses name, which only image sources have."""
    return script._replace(release=releases_of(boot)) if machine.selection.pointers else script


def _signature_route(
    name: str, suffix: str, route: Route | MachineRoute, sign: Callable[[Response], Response]
) -> Route | MachineRoute:
    """The route whose response is the signature of another's."""
    if isinstance(route, MachineRoute):
        return route._replace(suffix=suffix, sign=sign)
    respond = route.respond
    return Route(f"{name}{suffix}", lambda request: sign(respond(request)))


def _clean_spelling(path: str, request: Request) -> Response | None:
    """The redirect to the clean spelling of the path, as by Go's mux."""
    clean = "/assets/" if path == "/assets" else clean_path(path)
    if clean == path:
        return None
    redirect = moved_permanently(clean, request.raw_query)
    if request.method not in ("GET", "HEAD"):
        return Response.redirect(301, redirect.location)
    page = Response.of(redirect.page, "text/html; charset=utf-8")
    return page._replace(status=301, headers={"location": redirect.location, **page.headers})
