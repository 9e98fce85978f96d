"""A registry, its token endpoint and its storage as responses to requests, with faults."""

import base64
import itertools
import json
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

from tests.support.images.manifests import Image, digest_of


class RecordedRequest(NamedTuple):
    """A request to a server (`registry`, `token` or `storage`) and the response's status.

    Header names are in lower case.
    """

    server: str
    method: str
    target: str
    headers: Mapping[str, str]
    status: int


@dataclass
class Fault:
    """A fault that occurs `times` times `at` a step: `manifest`, `referrers`, `blob` (at the registry), `storage` or
    `token`.

    A status is the response's. Otherwise the right response is changed: another `body`; the connection ends after
    `cut_after` bytes; a `pause` in seconds between its bytes (`head_pause`: those of its head); `silent` without any.
    `of` is the digest of the only blob affected.
    """

    at: str
    times: int = 1
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    cut_after: int | None = None
    pause: float = 0
    head_pause: float = 0
    silent: bool = False
    of: str = ""


class Response(NamedTuple):
    status: int
    headers: Mapping[str, str] = {}
    body: bytes = b""


class FaultyRegistry:
    """The registry, its token endpoint and its storage; attributes may be changed while it runs."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.requests: list[RecordedRequest] = []
        self.scheme = ""
        """The required authentication: "" for none, `bearer` or `basic`."""
        self.login: tuple[str, str] | None = None
        """The only user and the password; None for anonymous access."""
        self.token_field = "token"
        self.lifetime: int | None = None
        """The announced lifetime of a token in seconds, if any."""
        self.token_uses: int | None = None
        """The number of requests for which a token is valid, whatever its lifetime."""
        self.redirects = True
        """Whether blobs are redirected to the storage."""
        self.address_uses: int | None = None
        """The number of requests for which an address in the storage is valid."""
        self.ranges = True
        self.chunked = False
        self.locations: list[str] = []
        """Redirects of the next requests for blobs, instead of to the storage; the last one is repeated."""
        self.realm = ""
        """The token endpoint, if not the registry's own."""
        self.manifest_headers: dict[str, str] = {}
        self.has_referrers = False
        """Whether there is a referrers API."""
        self.referrers_on_page = 0
        """The number of referrers on a page of their list, 0 for all."""
        self.names_configs = False
        """Whether it names the types of configs in place of those of manifests."""
        self.host = ""
        self.storage = ""
        self.stopped = threading.Event()
        self._named: dict[tuple[str, str], tuple[str, bytes]] = {}
        self._blobs: dict[str, bytes] = {}
        self._tokens: dict[str, int] = {}
        self._addresses: dict[str, int] = {}
        self._numbers = itertools.count(1)

    def add(self, repository: str, tag: str, image: Image) -> None:
        """Add an image under a tag, with all its manifests and blobs."""
        for digest, manifest in image.manifests.items():
            self._named[repository, digest] = manifest
        self._named[repository, tag] = image.manifests[image.digest]
        self._blobs.update(image.blobs)

    def add_manifest(self, repository: str, name: str, media_type: str, body: bytes) -> None:
        """Add any bytes as a manifest under a tag and under their digest."""
        self._named[repository, name] = self._named[repository, digest_of(body)] = (media_type, body)

    def add_blob(self, body: bytes) -> str:
        self._blobs[digest_of(body)] = body
        return digest_of(body)

    def lose_blob(self, digest: str) -> None:
        del self._blobs[digest]

    def targets(self, server: str) -> list[str]:
        """The targets of the requests to a server, without queries."""
        return [one.target.partition("?")[0] for one in self.requests if one.server == server]

    def at(self, server: str) -> list[RecordedRequest]:
        return [one for one in self.requests if one.server == server]

    def respond(self, server: str, target: str, headers: Mapping[str, str]) -> tuple[Response, Fault | None]:
        """The response to a GET, and a fault of it."""
        step = server if server == "storage" else self._step(target)
        fault = next((one for one in self.faults if one.at == step and one.of in target and one.times > 0), None)
        if fault is not None:
            fault.times -= 1
            if fault.status:
                return Response(fault.status, fault.headers, fault.body or b""), None
        found = self._handlers[step](self, urlsplit(target).path, target, headers)
        if fault is not None and fault.body is not None:
            found = found._replace(body=fault.body, headers={**found.headers, **fault.headers})
        return found, fault

    def _step(self, target: str) -> str:
        path = urlsplit(target).path
        if path == "/token":
            return "token"
        return "manifest" if "/manifests/" in path else "referrers" if "/referrers/" in path else "blob"

    def _token(self, path: str, target: str, headers: Mapping[str, str]) -> Response:
        if not self._is_user(headers):
            return Response(401, {}, b'{"errors":[{"code":"DENIED","message":"secret words"}]}')
        token = f"t{next(self._numbers)}-{parse_qs(urlsplit(target).query)['scope'][0].replace(':', '-')}"
        self._tokens[token] = -1 if self.token_uses is None else self.token_uses
        sent = {} if self.lifetime is None else {"expires_in": self.lifetime}
        return Response(
            200, {"Content-Type": "application/json"}, json.dumps({self.token_field: token, **sent}).encode()
        )

    def _manifest(self, path: str, target: str, headers: Mapping[str, str]) -> Response:
        repository, _, name = path.removeprefix("/v2/").partition("/manifests/")
        if refusal := self._refusal(repository, headers):
            return refusal
        if (repository, name) not in self._named:
            return Response(404, {}, b'{"errors":[{"code":"MANIFEST_UNKNOWN"}]}')
        media_type, body = self._named[repository, name]
        if media_type not in headers.get("accept", media_type):
            return Response(404, {}, b"")
        sent = {"Content-Type": media_type, "Docker-Content-Digest": digest_of(body), **self.manifest_headers}
        return Response(200, sent, body)

    def _referrers(self, path: str, target: str, headers: Mapping[str, str]) -> Response:
        repository, _, digest = path.removeprefix("/v2/").partition("/referrers/")
        if refusal := self._refusal(repository, headers):
            return refusal
        if not self.has_referrers:
            return Response(404, {}, b"404 page not found")
        media_type = "application/vnd.oci.image.index.v1+json"
        found, sent = self._referring(repository, digest), {"Content-Type": media_type}
        if self.referrers_on_page:
            first = int(parse_qs(urlsplit(target).query).get("first", ["0"])[0])
            following = first + self.referrers_on_page
            if following < len(found):
                sent["Link"] = f'<{path}?first={following}>; rel="next"'
            found = found[first:following]
        listed = {"schemaVersion": 2, "mediaType": media_type, "manifests": found}
        return Response(200, sent, json.dumps(listed).encode())

    def _referring(self, repository: str, digest: str) -> list[dict[str, object]]:
        """The descriptors of the manifests whose subject is the digest."""
        found: list[dict[str, object]] = []
        for (held, name), (media_type, body) in self._named.items():
            manifest = json.loads(body)
            if held == repository and name == digest_of(body) and manifest.get("subject", {}).get("digest") == digest:
                descriptor = {"mediaType": media_type, "digest": name, "size": len(body)}
                config = manifest["config"]["mediaType"]
                kind = config if self.names_configs else manifest.get("artifactType") or config
                found.append({**descriptor, "artifactType": kind})
        return found

    def _blob(self, path: str, target: str, headers: Mapping[str, str]) -> Response:
        repository, _, digest = path.removeprefix("/v2/").partition("/blobs/")
        if refusal := self._refusal(repository, headers):
            return refusal
        if digest not in self._blobs:
            return Response(404, {}, b'{"errors":[{"code":"BLOB_UNKNOWN"}]}')
        if self.locations:
            return Response(307, {"Location": self.locations.pop(0) if len(self.locations) > 1 else self.locations[0]})
        if self.redirects:
            address = f"/{digest}?signature={next(self._numbers)}"
            self._addresses[address] = -1 if self.address_uses is None else self.address_uses
            return Response(307, {"Location": f"{self.storage}{address}"}, b"over there")
        return self._bytes(digest, headers)

    def _stored(self, path: str, target: str, headers: Mapping[str, str]) -> Response:
        if "authorization" in headers:
            return Response(400, {}, b"two ways of authorization")
        if self._addresses.get(target, 0) == 0:
            return Response(403, {}, b"expired")
        self._addresses[target] -= 1
        digest = path.removeprefix("/")
        return self._bytes(digest, headers) if digest in self._blobs else Response(404)

    def _bytes(self, digest: str, headers: Mapping[str, str]) -> Response:
        body = self._blobs[digest]
        found = re.fullmatch(r"bytes=(\d+)-", headers.get("range", ""))
        if found is None or not self.ranges:
            return Response(200, {}, body)
        start = int(found[1])
        return Response(206, {"Content-Range": f"bytes {start}-{len(body) - 1}/{len(body)}"}, body[start:])

    def _refusal(self, repository: str, headers: Mapping[str, str]) -> Response | None:
        if self.scheme == "basic" and not ("authorization" in headers and self._is_user(headers)):
            return Response(401, {"WWW-Authenticate": 'Basic realm="here"'})
        if self.scheme == "bearer":
            scheme, _, token = headers.get("authorization", "").partition(" ")
            good = scheme == "Bearer" and token.endswith(f"-repository-{repository}-pull")
            if not good or self._tokens.get(token, 0) == 0:
                realm = self.realm or f"http://{self.host}/token"
                scope = f"repository:{repository}:pull"
                return Response(
                    401, {"WWW-Authenticate": f'Bearer realm="{realm}",service="the service",scope="{scope}"'}, b"no"
                )
            self._tokens[token] -= 1
        return None

    def _is_user(self, headers: Mapping[str, str]) -> bool:
        if self.login is None:
            return True
        return headers.get("authorization") == f"Basic {base64.b64encode(':'.join(self.login).encode()).decode()}"

    _handlers: Mapping[str, Callable[["FaultyRegistry", str, str, Mapping[str, str]], Response]] = {
        "token": _token,
        "manifest": _manifest,
        "referrers": _referrers,
        "blob": _blob,
        "storage": _stored,
    }
