"""The header Authorization for requests to a registry: bearer tokens, or user and password (Basic).

Tokens follow the distribution project's "Token Authentication Specification"; GHCR requires one for public images, too,
and issues it to everyone. Challenges are in the header WWW-Authenticate (RFC 9110, section 11.6.1).
"""

import base64
import json
import re
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import urlencode

from lambda_matchbox.oci.distribution.docker_config import Login, Logins
from lambda_matchbox.oci.distribution.origins import Location, parse_location, registry_location
from lambda_matchbox.oci.distribution.registry_http import RegistryHttp
from lambda_matchbox.oci.errors import RegistryError
from lambda_matchbox.oci.image_reference import ImageReference

_DEFAULT_LIFETIME = 60.0
"""Seconds, where a token endpoint does not say (the specification's `expires_in`)."""

_MAX_TOKEN = 1 << 20
_TOKEN = re.compile(r"[\x21-\x7e]+", re.ASCII)
_ADVICE = (
    "give a user and password: locally in the config.json in the directory that DOCKER_CONFIG names (`docker login` "
    "writes it), in AWS in the secret that the stack names"
)

_WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]++"
_PART = re.compile(
    rf"""[\s,]*+({_WORD})(?:\s*+=\s*+(?:"((?:[^"\\]|\\.)*+)"|({_WORD}))(?=[\s,]|\Z)|(?=[\s,]|\Z))""", re.ASCII
)
_ESCAPED = re.compile(r"\\(.)")
_MAX_HEADER = 8192


class Challenge(NamedTuple):
    """An authentication scheme and the names of its parameters, both in lower case."""

    scheme: str
    parameters: Mapping[str, str]


def parse_challenges(header: str) -> tuple[Challenge, ...]:
    """The challenges of a WWW-Authenticate, in order, up to the first malformed part."""
    if len(header) > _MAX_HEADER:
        return ()
    found: list[tuple[str, dict[str, str]]] = []
    position = 0
    while part := _PART.match(header, position):
        name, quoted, plain = part[1].lower(), part[2], part[3]
        if quoted is None and plain is None:
            found.append((name, {}))
        elif found:
            found[-1][1].setdefault(name, plain if quoted is None else _ESCAPED.sub(r"\1", quoted))
        position = part.end()
    return tuple(Challenge(scheme, parameters) for scheme, parameters in found)


class _Cached(NamedTuple):
    authorization: str
    until: float


class Authorizations:
    """Values of the header Authorization by repository, cached until they expire; for any number of threads."""

    def __init__(self, http: RegistryHttp, logins: Logins, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._http = http
        self._logins = logins
        self._clock = clock
        self._cache: dict[tuple[str, str], _Cached] = {}

    def cached(self, reference: ImageReference) -> str:
        """The header for a repository, empty where none is known or the token has expired."""
        cached = self._cache.get((reference.registry, reference.repository))
        return cached.authorization if cached is not None and self._clock() < cached.until else ""

    def authorize(self, reference: ImageReference, header: str, what: str) -> str:
        """A new header for a registry that answered with this WWW-Authenticate. Errors begin with `what`.

        Raises TransientError where the token endpoint is unavailable, else RegistryError.
        """
        offered = {challenge.scheme: challenge for challenge in reversed(parse_challenges(header))}
        login = self._login(reference, what)
        now = self._clock()
        if "bearer" in offered:
            token, lifetime = self._token(reference, offered["bearer"], login, what)
            cached = _Cached(f"Bearer {token}", now + lifetime)
        elif "basic" in offered:
            if login is None:
                raise RegistryError(f"{what}: {reference.registry} requires a login; {_ADVICE}")
            cached = _Cached(_basic(login), float("inf"))
        else:
            schemes = ", ".join(offered) or "none"
            raise RegistryError(
                f"{what}: {reference.registry} offers no supported authentication scheme (it offers {schemes}; "
                "supported are Bearer and Basic)"
            )
        self._cache[reference.registry, reference.repository] = cached
        return cached.authorization

    def denied(self, reference: ImageReference, status: int, what: str) -> RegistryError:
        """The error for a registry that denies an authorized request."""
        self._cache.pop((reference.registry, reference.repository), None)
        return _denial(reference, self._login(reference, what), reference.registry, status, what)

    def _login(self, reference: ImageReference, what: str) -> Login | None:
        try:
            return self._logins(reference.registry)
        except RegistryError as error:
            raise RegistryError(f"{what}: {error}") from error

    def _token(
        self, reference: ImageReference, challenge: Challenge, login: Login | None, what: str
    ) -> tuple[str, float]:
        endpoint = _endpoint(reference, challenge, what)
        what = f"{what}: token from {endpoint.name}"
        registry = registry_location(reference.registry)
        response = self._http.get(endpoint, what, {}, _basic(login) if login else "", named_by=registry)
        with closing(response.body):
            body = response.body.read_all(_MAX_TOKEN)
        if response.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            raise _denial(reference, login, response.host, response.status, what)
        if response.status != HTTPStatus.OK:
            raise RegistryError(f"{what}: {response.host} answers {response.status}")
        return _parse_token(body, what)


def _endpoint(reference: ImageReference, challenge: Challenge, what: str) -> Location:
    query = {"scope": challenge.parameters.get("scope") or f"repository:{reference.repository}:pull"}
    if service := challenge.parameters.get("service"):
        query = {"service": service, **query}
    try:
        realm = parse_location(challenge.parameters.get("realm", ""))
    except RegistryError as error:
        raise RegistryError(f"{what}: {reference.registry} has an invalid token endpoint: {error}") from error
    return realm._replace(target=f"{realm.target}{'&' if '?' in realm.target else '?'}{urlencode(query)}")


def _parse_token(body: bytes, what: str) -> tuple[str, float]:
    try:
        document: Any = json.loads(body)
    except (ValueError, RecursionError):
        # Without the cause: a traceback would show the body.
        document = None
    if not isinstance(document, dict):
        raise RegistryError(f"{what}: the response is not a JSON object")
    token = document.get("token") or document.get("access_token")
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise RegistryError(f"{what}: the response has no valid `token` or `access_token`")
    lifetime = document.get("expires_in")
    return token, lifetime if isinstance(lifetime, int | float) and lifetime > 0 else _DEFAULT_LIFETIME


def _denial(reference: ImageReference, login: Login | None, host: str, status: int, what: str) -> RegistryError:
    if login is None:
        return RegistryError(
            f"{what}: {host} answers {status}: the image {reference.repository!r} does not exist or is private; "
            f"for a private one {_ADVICE}"
        )
    return RegistryError(
        f"{what}: {host} answers {status} to the user {login.username!r}: the password is wrong or has expired, or the "
        f"user may not pull {reference.repository!r}; {_ADVICE}"
    )


def _basic(login: Login) -> str:
    return f"Basic {base64.b64encode(f'{login.username}:{login.password}'.encode()).decode()}"
