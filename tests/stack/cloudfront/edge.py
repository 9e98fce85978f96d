"""An edge of CloudFront: what it does with a request before, between and after functions, cache and origins."""

import uuid
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import NamedTuple

from tests.stack.cloudfront.cache import Cache
from tests.stack.cloudfront.messages import Headers, Request, Response
from tests.stack.cloudfront.ranges import asked_of
from tests.stack.cloudfront.settings import Behavior, OriginSettings, Settings
from tests.stack.cloudfront.signatures import Principal, signed
from tests.stack.cloudfront.viewer_functions import FunctionError, ViewerFunctions

URL_LIMIT, REQUEST_LIMIT = 8_192, 20_480
EDGE_ADDRESS = "130.176.0.9"
# CloudFront's guide, "HTTP request headers and CloudFront behavior"; Host and the last ones are replaced.
_REMOVED = {
    *("connection", "expect", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te"),
    *("trailer", "transfer-encoding", "upgrade", "x-forwarded-proto", "x-http-method-override", "x-real-ip"),
    *("host", "authorization", "via", "x-forwarded-for"),
}
_ALWAYS_FORWARDED = ("range", "if-range")


class Origin(NamedTuple):
    """A server that is asked under the name `host`, in a Region."""

    host: str
    region: str
    respond: Callable[[Request], Response]


class Edge:
    """Responds as CloudFront does for a distribution that is called `domain`."""

    def __init__(
        self,
        settings: Settings,
        functions: ViewerFunctions,
        origins: Mapping[str, Origin],
        principal: Principal,
        domain: str,
        cache: Cache | None = None,
    ) -> None:
        self._settings = settings
        self._functions = functions
        self._origins = origins
        self._principal = principal
        self._domain = domain
        self._cache = cache or Cache(settings.error_ttl)

    def respond(self, request: Request, body: bool = False) -> Response:
        """The response to a viewer's request; `body` says that it has one."""
        response = self._respond(request, body)
        # The names of places and requests are made up.
        own = {
            "via": "1.1 edge.cloudfront.net (CloudFront)",
            "x-amz-cf-pop": "FRA1-P1",
            "x-amz-cf-id": uuid.uuid4().hex,
        }
        return response._replace(headers={**response.headers, **own})

    def _respond(self, request: Request, body: bool) -> Response:
        scheme = "https" if request.secure else "http"
        if len(f"{scheme}://{request.header('host')}{request.target}".encode()) > URL_LIMIT:
            return error(414)
        if len(request.target.encode()) + sum(len(n) + len(v) + 4 for n, v in request.headers) > REQUEST_LIMIT:
            return error(413)
        behavior = self._settings.behavior(request.path)
        if behavior.protocol != "allow-all" and not request.secure:
            if behavior.protocol == "https-only":
                return error(403)
            return Response(301, {"location": f"https://{request.header('host')}{request.target}"})
        if request.method not in behavior.methods or (body and request.method == "GET"):
            return error(403)
        if behavior.function is not None:
            try:
                made = self._functions.applied(behavior.function, request, self._domain)
            except FunctionError:
                return error(502)
            if isinstance(made, Response):
                return made._replace(headers={**made.headers, "x-cache": "FunctionGeneratedResponse from cloudfront"})
            request = made
        return self._cached(request, behavior)

    def _cached(self, request: Request, behavior: Behavior) -> Response:
        key = _key(request, behavior)
        for one in (("GET", *key), (request.method, *key), (request.method, *key, request.header("range"))):
            if (kept := self._cache.fresh(one)) is not None:
                response, age = kept
                hit = "Error" if response.status >= 400 else "Hit"
                return _marked(asked_of(request, response), f"{hit} from cloudfront", age)
        part = request.header("range")
        key = (request.method, *key, part) if part else (request.method, *key)
        response = self._cache.fetched(key, behavior.cache, lambda more: self._fetched(request, behavior, more))
        if behavior.cache.collapses and not part:
            response = asked_of(request, response)
        return _marked(response, f"{'Error' if response.status >= 400 else 'Miss'} from cloudfront")

    def _fetched(self, request: Request, behavior: Behavior, more: Mapping[str, str]) -> Response:
        """The response of the first origin that does not fail over."""
        for identity in behavior.origins:
            response = self._asked(request, behavior, self._settings.origins[identity], more)
            if response.status not in behavior.failover:
                break
        return response

    def _asked(
        self, request: Request, behavior: Behavior, settings: OriginSettings, more: Mapping[str, str]
    ) -> Response:
        origin = self._origins[settings.domain]
        asked = request._replace(
            path=settings.path + request.path,
            query=_forwarded_query(request, behavior),
            headers=(("host", origin.host), *_forwarded(request, behavior), *more.items()),
            secure=settings.https_only or request.secure,
            client=EDGE_ADDRESS,
        )
        if settings.signs_for:
            headers = signed(asked, origin.host, settings.signs_for, origin.region, self._principal)
            asked = asked._replace(headers=headers)
        return origin.respond(asked)


def _key(request: Request, behavior: Behavior) -> tuple[object, ...]:
    """What equal requests have in common, beside the method."""
    names = sorted(behavior.cache.headers)
    return request.path, _keyed_query(request, behavior), tuple(request.header(name) for name in names)


def _keyed_query(request: Request, behavior: Behavior) -> str:
    if behavior.cache.query is None:
        return request.query
    parts = request.query.split("&")
    return "&".join(part for part in parts if part.partition("=")[0] in (behavior.cache.query or ()))


def _forwarded_query(request: Request, behavior: Behavior) -> str:
    return request.query if behavior.request.query else _keyed_query(request, behavior)


def _forwarded(request: Request, behavior: Behavior) -> Headers:
    """The headers that the origin gets, without those that the cache adds."""
    kept_out = behavior.request.all_headers_except
    wanted = {*behavior.cache.headers, *_ALWAYS_FORWARDED}
    headers = [
        (name, value)
        for name, value in request.headers
        if name not in _REMOVED
        and not name.startswith("x-edge-")
        and (name in wanted if kept_out is None else name not in kept_out)
    ]
    if kept_out is None:
        headers.append(("user-agent", "Amazon CloudFront"))
    clients = [*filter(None, [request.header("x-forwarded-for")]), request.client]
    proxies = [*filter(None, [request.header("via")]), "1.1 edge.cloudfront.net (CloudFront)"]
    return (
        *headers,
        ("x-forwarded-for", ", ".join(clients)),
        ("via", ", ".join(proxies)),
        ("x-amz-cf-id", uuid.uuid4().hex),
    )


def _marked(response: Response, cache: str, age: int | None = None) -> Response:
    aged = {} if age is None else {"age": str(age)}
    return response._replace(headers={**response.headers, "x-cache": cache, **aged})


def error(status: int) -> Response:
    """A page of CloudFront's own."""
    phrase = HTTPStatus(status).phrase
    page = f"<HTML><HEAD><TITLE>ERROR: {phrase}</TITLE></HEAD><BODY><H1>{status} ERROR</H1></BODY></HTML>\n"
    headers = {"server": "CloudFront", "content-type": "text/html", "x-cache": "Error from cloudfront"}
    return Response(status, headers, page.encode())
