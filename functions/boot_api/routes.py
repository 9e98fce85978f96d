"""matchbox's routes: a request in, an answer out."""

import json
from collections.abc import Callable
from typing import NamedTuple

from boot_api.alb import Answer, Request
from matchbox import assets, content, content_type, grub, ipxe
from matchbox.errors import AnswerTooLargeError, NotFoundError
from matchbox.labels import labels_of
from matchbox.profiles import NetBoot, Profile
from matchbox.stores import AssetStore, Catalog, Selection
from matchbox.template_data import template_data
from matchbox.url_path import clean_path, moved_permanently, unescape

_ASSETS = "/assets/"
_PROFILES = "/profiles/"


class Stores(NamedTuple):
    """Where the answers come from."""

    catalog: Catalog
    assets: AssetStore


class Routed(NamedTuple):
    """An answer, and what the log says of it. `front` names a file that the front end streams in the body's place."""

    answer: Answer
    route: str
    group: str | None = None
    profile: str | None = None
    front: str | None = None


class _Machine(NamedTuple):
    """Who asks: its labels and the query they came in, and what was selected for it."""

    labels: dict[str, str]
    raw_query: str
    selection: Selection

    @property
    def profile(self) -> Profile:
        """The profile. Raises NotFoundError where the group names one that is absent."""
        group, profile = self.selection
        if profile is None:
            raise NotFoundError(f"group {group.id!r} names profile {group.profile!r}, which is absent")
        return profile

    @property
    def boot(self) -> NetBoot:
        """The profile's boot section. Raises NotFoundError."""
        if self.profile.boot is None:
            raise NotFoundError(f"profile {self.profile.id!r} has no boot section")
        return self.profile.boot

    def data(self) -> dict[str, object]:
        """What a template sees."""
        group = self.selection.group
        return template_data(group.metadata, group.selector, self.labels, self.raw_query)

    def routed(self, answer: Answer, route: str) -> Routed:
        """The answer, with what the log says of it."""
        return Routed(answer, route, self.selection.group.id, self.selection.group.profile)


class Routes:
    """The routes over the stores. Raises the errors of `matchbox.errors`."""

    def __init__(self, stores: Stores, delivery: assets.Delivery) -> None:
        self._stores = stores
        self._delivery = delivery
        self._answers: dict[str, Callable[[Request], Routed]] = {
            "/": lambda _: Routed(_text(b"matchbox\n"), "/"),
            "/boot.ipxe": lambda _: Routed(_text(ipxe.BOOT_SCRIPT), "/boot.ipxe"),
            "/boot.ipxe.0": lambda _: Routed(_text(ipxe.BOOT_SCRIPT), "/boot.ipxe.0"),
            "/ipxe": self._ipxe,
            "/grub": self._grub,
            "/metadata": self._metadata,
            "/generic": self._generic,
            "/cloud": self._cloud,
            "/ignition": self._ignition,
        }

    def answer(self, request: Request) -> Routed:
        """The answer to a request. Raises NotFoundError for a path that no route has."""
        # Whether the balancer hands the path over encoded is not documented: what is no encoding stands for itself.
        path = unescape(request.path) or request.path
        if request.method != "CONNECT" and (moved := self._moved(path, request)):
            return moved
        if path.startswith(_ASSETS):
            return self._asset(path.removeprefix(_ASSETS), request)
        if path.startswith(_PROFILES):
            return self._profile(path.removeprefix(_PROFILES))
        route = self._answers.get(path)
        if route is None:
            raise NotFoundError(f"no route {path!r}")
        return route(request)

    def _moved(self, path: str, request: Request) -> Routed | None:
        """The redirect to the clean spelling of the path, as Go's mux answers it."""
        clean = "/assets/" if path == "/assets" else clean_path(path)
        if clean == path:
            return None
        redirect = moved_permanently(clean, request.raw_query)
        headers = {"location": redirect.location}
        if request.method not in ("GET", "HEAD"):
            return Routed(Answer(301, headers | {"content-length": "0"}), "redirect")
        headers |= {"content-type": "text/html; charset=utf-8", "content-length": str(len(redirect.page))}
        return Routed(Answer(301, headers, redirect.page), "redirect")

    def _asset(self, path: str, request: Request) -> Routed:
        asked = assets.AssetRequest(request.method, path, request.raw_query, request.headers, request.origin)
        try:
            found = assets.answer(asked, self._stores.assets, self._delivery)
        except NotFoundError:
            # The path may have come decoded, with a percent sign that belongs to the name.
            literal = request.path.removeprefix(_ASSETS)
            if literal == path:
                raise
            found = assets.answer(asked._replace(path=literal), self._stores.assets, self._delivery)
        return Routed(Answer(found.status, found.headers, found.body), _ASSETS, front=found.front)

    def _profile(self, profile_id: str) -> Routed:
        profile = self._stores.catalog.profile(profile_id)
        if profile is None:
            raise NotFoundError(f"no profile {profile_id!r}")
        body = json.dumps(profile.document(), ensure_ascii=False).encode("utf-8", "replace") + b"\n"
        headers = {"content-type": "application/json", "content-length": str(len(body))}
        return Routed(Answer(200, headers, body), _PROFILES, profile=profile_id)

    def _ipxe(self, request: Request) -> Routed:
        machine = self._machine(request)
        return machine.routed(self._script(ipxe.script(machine.boot)), "/ipxe")

    def _grub(self, request: Request) -> Routed:
        machine = self._machine(request)
        return machine.routed(self._script(grub.configuration(machine.boot, self._grub_address)), "/grub")

    def _grub_address(self, address: str) -> str:
        """GRUB follows no redirect, so it is given the token-free address itself, where there is one."""
        base = self._delivery.assets_url
        if not base or not address.startswith(_ASSETS):
            return address
        host, _, prefix = base.removeprefix("http://").partition("/")
        # What a profile holds is an address already, and GRUB sends it as it is written.
        path = address.removeprefix(_ASSETS)
        return f"(http,{host})/{prefix}/{path}" if prefix else f"(http,{host})/{path}"

    def _metadata(self, request: Request) -> Routed:
        from matchbox.metadata import render_metadata

        machine = self._machine(request)
        body = render_metadata(machine.data())
        self._limit(body)
        return machine.routed(
            Answer(200, {"content-type": "plain/text", "content-length": str(len(body))}, body), "/metadata"
        )

    def _generic(self, request: Request) -> Routed:
        from matchbox.templates import render

        machine = self._machine(request)
        template_id, source = self._template(machine.profile, "generic")
        body = render(source, machine.data(), name=template_id)
        return machine.routed(self._content(request, body), "/generic")

    def _cloud(self, request: Request) -> Routed:
        from matchbox.cloud_config import cloud_answer

        machine = self._machine(request)
        template_id, source = self._template(machine.profile, "cloud")
        return machine.routed(self._content(request, cloud_answer(template_id, source, machine.data())), "/cloud")

    def _ignition(self, request: Request) -> Routed:
        from matchbox.ignition import ignition_answer

        machine = self._machine(request)
        template_id, source = self._template(machine.profile, "ignition")
        found = ignition_answer(template_id, source, machine.data())
        self._limit(found.body)
        headers = {"content-type": found.content_type, "content-length": str(len(found.body))}
        return machine.routed(Answer(200, headers, found.body), "/ignition")

    def _machine(self, request: Request) -> _Machine:
        labels = labels_of(request.raw_query)
        selection = self._stores.catalog.select(labels)
        if selection is None:
            raise NotFoundError("no group matches these labels")
        return _Machine(labels, request.raw_query, selection)

    def _template(self, profile: Profile, kind: str) -> tuple[str, bytes]:
        """Id and text of the profile's template of this kind."""
        template_id: str = getattr(profile, f"{kind}_id")
        if not template_id:
            raise NotFoundError(f"profile {profile.id!r} has no {kind}_id")
        source = self._stores.catalog.template(kind, template_id)
        if source is None:
            raise NotFoundError(f"profile {profile.id!r} names {kind} template {template_id!r}, which is absent")
        return template_id, source

    def _limit(self, body: bytes) -> None:
        limit = self._delivery.direct_limit
        if len(body) > limit:
            raise AnswerTooLargeError(f"the answer has {len(body)} bytes, over the balancer's limit of {limit}")

    def _script(self, body: bytes) -> Answer:
        """A script is never redirected: its relative addresses would then mean another host."""
        self._limit(body)
        return _text(body)

    def _content(self, request: Request, body: bytes) -> Answer:
        """What Go's `http.ServeContent` answers: Range works."""
        self._limit(body)
        # HEAD is answered with the body, since the balancer counts it for Content-Length and drops it.
        reply = content.serve(
            "GET" if request.method == "HEAD" else request.method,
            request.headers,
            size=len(body),
            content_type=content_type.sniff(body),
            boundary=self._delivery.boundary,
        )
        return Answer(reply.status, reply.headers, content.assemble(reply.body, body))


def _text(body: bytes) -> Answer:
    return Answer(200, {"content-type": content_type.TEXT, "content-length": str(len(body))}, body)
