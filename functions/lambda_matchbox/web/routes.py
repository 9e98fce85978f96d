"""matchbox's routes: a request in, an answer out."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

from lambda_matchbox.answers import grub, ipxe
from lambda_matchbox.answers.response_store import ResponseStore
from lambda_matchbox.answers.template_data import data_of
from lambda_matchbox.assets import file_server
from lambda_matchbox.assets import release_addresses as addresses
from lambda_matchbox.assets.released import ReleasedAssets
from lambda_matchbox.assets.stores import AssetStore, Releases
from lambda_matchbox.catalog.labels import labels_of
from lambda_matchbox.catalog.profiles import NetBoot, Profile
from lambda_matchbox.catalog.stores import Catalog, Selection
from lambda_matchbox.errors import NotFoundError
from lambda_matchbox.golang.http import content_type
from lambda_matchbox.golang.http.paths import clean_path, moved_permanently, unescape
from lambda_matchbox.http import Request, Response
from lambda_matchbox.releases.pointers import Pointers
from lambda_matchbox.web.alb import ACCEL_REDIRECT
from lambda_matchbox.web.document_answers import Document, DocumentAnswers, whole
from lambda_matchbox.web.signatures import Signatures, signed_route

_ASSETS = "/assets/"
_PROFILES = "/profiles/"


class Stores(NamedTuple):
    """Where the answers come from, and where those wait that the balancer cannot carry.

    `assets` are the operator's own files.
    """

    catalog: Catalog
    assets: AssetStore
    releases: Releases
    answers: ResponseStore


@dataclass
class Account:
    """What the log says of a request. It is filled while the answer is made, so that a failure's line has it too.

    `report` has the lines of what Butane reports of a config that is translated.
    """

    route: str = ""
    group: str = ""
    profile: str = ""
    report: list[str] = field(default_factory=list)


class _Machine(NamedTuple):
    """Who asks: its labels and the query they came in, what was selected for it, and what the log says of it."""

    labels: dict[str, str]
    raw_query: str
    selection: Selection
    account: Account

    @property
    def profile(self) -> Profile:
        """The profile. Raises NotFoundError where the group names one that is absent."""
        group, profile = self.selection.group, self.selection.profile
        if profile is None:
            raise NotFoundError(f"group {group.id!r} names profile {group.profile!r}, which is absent")
        return profile

    @property
    def boot(self) -> NetBoot:
        """The profile's boot section, which names the releases of this moment. Raises NotFoundError."""
        if self.profile.boot is None:
            raise NotFoundError(f"profile {self.profile.id!r} has no boot section")
        return addresses.pinned(self.profile.boot, self.selection.pointers)

    def data(self) -> dict[str, object]:
        """What a template sees."""
        return data_of(self.selection, self.labels, self.raw_query)


class Routes:
    """The routes over the stores. Raises the errors of `errors`.

    With `signatures`, what matchbox signs has its twins `.sig` and `.asc`.
    """

    def __init__(self, stores: Stores, delivery: file_server.Delivery, signatures: Signatures | None = None) -> None:
        self._stores = stores
        self._delivery = delivery
        self._signatures = signatures
        self._documents = DocumentAnswers(stores.answers, delivery)
        self._machines: dict[str, Callable[[_Machine], Document]] = {
            "/ipxe": self._ipxe,
            "/grub": self._grub,
            "/metadata": self._metadata,
            "/generic": self._generic,
            "/cloud": self._cloud,
            "/ignition": self._ignition,
        }
        self._texts = {"/": b"matchbox\n", "/boot.ipxe": ipxe.BOOT_SCRIPT, "/boot.ipxe.0": ipxe.BOOT_SCRIPT}

    def answer(self, request: Request, account: Account) -> Response:
        """The answer to a request. Raises NotFoundError for a path that no route has."""
        # Whether the balancer hands the path over encoded is not documented: what is no encoding stands for itself.
        path = unescape(request.path) or request.path
        if request.method != "CONNECT" and (moved := self._moved(path, request)):
            account.route = "redirect"
            return moved
        if path.startswith(_ASSETS):
            account.route = _ASSETS
            return self._asset(path.removeprefix(_ASSETS), request)
        if path.startswith(_PROFILES):
            account.route, account.profile = _PROFILES, path.removeprefix(_PROFILES)
            return self._profile(account.profile)
        if self._signatures is not None and (twin := signed_route(path)) is not None:
            account.route = path
            route, suffix = twin
            return whole(self._signatures.document(suffix, self._document(route, request, account).body))
        if path not in self._texts and path not in self._machines:
            raise NotFoundError(f"no route {path!r}")
        account.route = path
        return self._documents.answer(request, self._document(path, request, account))

    def _document(self, route: str, request: Request, account: Account) -> Document:
        """What the route has for this machine, or for all."""
        if route in self._texts:
            return Document(self._texts[route], content_type.TEXT)
        return self._machines[route](self.machine(request, account))

    def _moved(self, path: str, request: Request) -> Response | None:
        """The redirect to the clean spelling of the path, as Go's mux answers it."""
        clean = "/assets/" if path == "/assets" else clean_path(path)
        if clean == path:
            return None
        redirect = moved_permanently(clean, request.raw_query)
        headers = {"location": redirect.location}
        if request.method not in ("GET", "HEAD"):
            return Response(301, headers | {"content-length": "0"})
        headers |= {"content-type": "text/html; charset=utf-8", "content-length": str(len(redirect.page))}
        return Response(301, headers, redirect.page)

    def _asset(self, path: str, request: Request) -> Response:
        asked = file_server.AssetRequest(request.method, path, request.raw_query, request.headers, request.origin)
        store = self._served(self._stores.releases.pointers(), request.raw_query)
        try:
            found = file_server.answer(asked, store, self._delivery)
        except NotFoundError:
            # The path may have come decoded, with a percent sign that belongs to the name.
            literal = request.path.removeprefix(_ASSETS)
            if literal == path:
                raise
            found = file_server.answer(asked._replace(path=literal), store, self._delivery)
        if found.front is not None:
            return Response(found.status, {**found.headers, ACCEL_REDIRECT: found.front})
        return Response(found.status, found.headers, found.body)

    def _served(self, pointers: Pointers, raw_query: str) -> ReleasedAssets:
        """What is served below /assets/ to a request with this query."""
        release = addresses.release_in(raw_query)
        return ReleasedAssets(self._stores.assets, self._stores.releases, pointers, release)

    def _profile(self, profile_id: str) -> Response:
        profile = self._stores.catalog.profile(profile_id)
        if profile is None:
            raise NotFoundError(f"no profile {profile_id!r}")
        # Metadata may hold secrets, and here nobody says which machine asks.
        shown = profile._replace(metadata={}).document()
        body = json.dumps(shown, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
        return Response(200, {"content-type": "application/json", "content-length": str(len(body))}, body)

    def machine(self, request: Request, account: Account) -> _Machine:
        """Who asks, and what is selected for it. Raises NotFoundError where no group matches."""
        labels = labels_of(request.raw_query)
        selection = self._stores.catalog.select(labels)
        if selection is None:
            raise NotFoundError("no group matches these labels")
        account.group, account.profile = selection.group.id, selection.group.profile
        return _Machine(labels, request.raw_query, selection, account)

    def _ipxe(self, machine: _Machine) -> Document:
        return self._documents.script(ipxe.script(machine.boot), content_type.TEXT)

    def _grub(self, machine: _Machine) -> Document:
        configuration = grub.configuration(machine.boot, partial(self._plain, machine.selection.pointers))
        return self._documents.script(configuration, content_type.TEXT)

    def _plain(self, pointers: Pointers, address: str) -> str | None:
        """The token-free address of what lies on this server at `address`; None where there is none."""
        if not address.startswith(_ASSETS):
            return None
        raw_path, _, raw_query = address.removeprefix(_ASSETS).partition("?")
        path = clean_path(unescape(raw_path) or raw_path).strip("/")
        return self._served(pointers, raw_query).plain_address(path)

    def _metadata(self, machine: _Machine) -> Document:
        from lambda_matchbox.answers.metadata import render_metadata

        return Document(render_metadata(machine.data()), "plain/text")

    def _ignition(self, machine: _Machine) -> Document:
        from lambda_matchbox.answers.ignition import ignition_answer

        template_id, source = self._template(machine.profile, "ignition")
        found = ignition_answer(template_id, source, machine.data(), machine.account.report.append)
        return Document(found.body, found.content_type)

    def _generic(self, machine: _Machine) -> Document:
        from lambda_matchbox.answers.generic import generic_answer

        template_id, source = self._template(machine.profile, "generic")
        return _content(generic_answer(template_id, source, machine.data()))

    def _cloud(self, machine: _Machine) -> Document:
        from lambda_matchbox.answers.cloud import cloud_answer

        template_id, source = self._template(machine.profile, "cloud")
        return _content(cloud_answer(template_id, source, machine.data()))

    def _template(self, profile: Profile, kind: str) -> tuple[str, bytes]:
        """Id and text of the profile's template of this kind."""
        template_id: str = getattr(profile, f"{kind}_id")
        if not template_id:
            raise NotFoundError(f"profile {profile.id!r} has no {kind}_id")
        source = self._stores.catalog.template(kind, template_id)
        if source is None:
            raise NotFoundError(f"profile {profile.id!r} names {kind} template {template_id!r}, which is absent")
        return template_id, source


def _content(body: bytes) -> Document:
    return Document(body, content_type.sniff(body), ranged=True)
