"""What lets a request in: bearer tokens from the registry's token endpoint, or user and password themselves.

As the distribution project describes it ("Token Authentication Specification"); GHCR wants a token for public images
too, and gives it to anybody.
"""

import base64
import json
import re
import time
from collections.abc import Callable
from contextlib import closing
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import urlencode

from lambda_matchbox.oci.distribution.challenges import Challenge, challenges
from lambda_matchbox.oci.distribution.docker_config import Login, Logins
from lambda_matchbox.oci.distribution.origins import Place, place, registry_place
from lambda_matchbox.oci.distribution.registry_http import RegistryHttp
from lambda_matchbox.oci.errors import RegistryError
from lambda_matchbox.oci.image_reference import ImageReference

_SHORTEST_LIFE = 60.0
"""Seconds that a token lives where its endpoint does not say (the specification's `expires_in`)."""

_MOST_TOKEN = 1 << 20
_TOKEN = re.compile(r"[\x21-\x7e]+", re.ASCII)
_WHAT_TO_DO = (
    "give a user and password: locally in the config.json in the directory that DOCKER_CONFIG names (`docker login` "
    "writes it), in AWS in the secret that the stack names"
)


class _Kept(NamedTuple):
    authorization: str
    until: float


class Authorizations:
    """The headers `Authorization` for repositories, kept while they are good; for any number of threads."""

    def __init__(self, http: RegistryHttp, logins: Logins, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._http = http
        self._logins = logins
        self._clock = clock
        self._kept: dict[tuple[str, str], _Kept] = {}

    def known(self, reference: ImageReference) -> str:
        """The header for a repository, empty where none is known (yet, or any more)."""
        kept = self._kept.get((reference.registry, reference.repository))
        return kept.authorization if kept is not None and self._clock() < kept.until else ""

    def answer(self, reference: ImageReference, header: str, what: str) -> str:
        """The header that a registry wants that refused with this WWW-Authenticate; errors begin with `what` is wanted.

        Raises TransientError where the token endpoint is away, RegistryError where it refuses or no way is left.
        """
        offered = {challenge.scheme: challenge for challenge in reversed(challenges(header))}
        login = self._login(reference, what)
        asked_at = self._clock()
        if "bearer" in offered:
            token, life = self._token(reference, offered["bearer"], login, what)
            kept = _Kept(f"Bearer {token}", asked_at + life)
        elif "basic" in offered:
            if login is None:
                raise RegistryError(f"{what}: {reference.registry} lets nobody in without a login; {_WHAT_TO_DO}")
            kept = _Kept(_basic(login), float("inf"))
        else:
            schemes = ", ".join(offered) or "none"
            raise RegistryError(
                f"{what}: {reference.registry} wants a way of logging in that is not known here (it names {schemes}; "
                "known are Bearer and Basic)"
            )
        self._kept[reference.registry, reference.repository] = kept
        return kept.authorization

    def refused(self, reference: ImageReference, status: int, what: str) -> RegistryError:
        """The error for a registry that refuses what it asked for."""
        self._kept.pop((reference.registry, reference.repository), None)
        return _refusal(reference, self._login(reference, what), reference.registry, status, what)

    def _login(self, reference: ImageReference, what: str) -> Login | None:
        try:
            return self._logins(reference.registry)
        except RegistryError as error:
            raise RegistryError(f"{what}: {error}") from error

    def _token(
        self, reference: ImageReference, challenge: Challenge, login: Login | None, what: str
    ) -> tuple[str, float]:
        endpoint = _endpoint(reference, challenge, what)
        what = f"{what}: a token of {endpoint.name}"
        home = registry_place(reference.registry)
        reply = self._http.ask(endpoint, what, {}, _basic(login) if login else "", led_by=home)
        with closing(reply.body):
            body = reply.body.whole(_MOST_TOKEN)
        if reply.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            raise _refusal(reference, login, reply.host, reply.status, what)
        if reply.status != HTTPStatus.OK:
            raise RegistryError(f"{what}: {reply.host} answers {reply.status}")
        return _read_token(body, what)


def _endpoint(reference: ImageReference, challenge: Challenge, what: str) -> Place:
    asked = {"scope": challenge.parameters.get("scope") or f"repository:{reference.repository}:pull"}
    if service := challenge.parameters.get("service"):
        asked = {"service": service, **asked}
    try:
        realm = place(challenge.parameters.get("realm", ""))
    except RegistryError as error:
        raise RegistryError(
            f"{what}: {reference.registry} names a token endpoint that is not asked: {error}"
        ) from error
    return realm._replace(target=f"{realm.target}{'&' if '?' in realm.target else '?'}{urlencode(asked)}")


def _read_token(body: bytes, what: str) -> tuple[str, float]:
    try:
        document: Any = json.loads(body)
    except (ValueError, RecursionError):
        # Without the cause: a traceback would show the body.
        document = None
    if not isinstance(document, dict):
        raise RegistryError(f"{what}: the answer is no JSON object")
    token = document.get("token") or document.get("access_token")
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise RegistryError(f"{what}: the answer has neither a `token` nor an `access_token` that can be sent")
    life = document.get("expires_in")
    return token, life if isinstance(life, int | float) and life > 0 else _SHORTEST_LIFE


def _refusal(reference: ImageReference, login: Login | None, host: str, status: int, what: str) -> RegistryError:
    if login is None:
        return RegistryError(
            f"{what}: {host} answers {status}: there is no image {reference.repository!r}, or it is not public; "
            f"for one that is private {_WHAT_TO_DO}"
        )
    return RegistryError(
        f"{what}: {host} answers {status} to the user {login.username!r}: the password is wrong or has expired, or the "
        f"user may not pull {reference.repository!r}; {_WHAT_TO_DO}"
    )


def _basic(login: Login) -> str:
    return f"Basic {base64.b64encode(f'{login.username}:{login.password}'.encode()).decode()}"
