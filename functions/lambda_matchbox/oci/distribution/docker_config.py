"""Logins of registries, from a docker `config.json` or a secret.

The format is docker's (docs.docker.com, "docker login", "Credential stores"). Credential helpers are not run: an error
says what to do instead.
"""

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from lambda_matchbox.oci.errors import RegistryError

_DOCKER_HUB = frozenset({"docker.io", "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"})
_ADVICE = (
    'write {"auths": {"HOST": {"username": …, "password": …}}} into a config.json, and let DOCKER_CONFIG name its '
    "directory"
)


class Login(NamedTuple):
    """A user of a registry, and the password or access token."""

    username: str
    password: str

    def __repr__(self) -> str:
        return f"Login(username={self.username!r}, password=…)"


Logins = Callable[[str], Login | None]
"""The login for a registry, given by its host as in image references; None for none. Raises RegistryError."""


def no_logins(registry: str) -> Login | None:  # noqa: ARG001 - the same for each
    """No login for any registry."""
    return None


def logins_from_environment(environment: Mapping[str, str]) -> Logins:
    """The logins of the `config.json` in the directory that DOCKER_CONFIG names, else in `~/.docker`.

    The file is read for each login, so that a change counts at once. Without a file there are none.
    """
    directory = environment.get("DOCKER_CONFIG", "")
    home = environment.get("HOME", "")
    if directory:
        path = Path(directory) / "config.json"
    elif home:
        path = Path(home) / ".docker" / "config.json"
    else:
        return no_logins

    def login(registry: str) -> Login | None:
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise RegistryError(f"cannot read the logins of registries: {error}") from error
        return _login_for(registry, _object(text, str(path)), str(path))

    return login


def logins_from_secret(text: str) -> Logins:
    """The logins in a secret: a docker `config.json`, or `{"username": …, "password": …}` for all registries.

    Raises RegistryError where it is neither.
    """
    source = "the secret with the registry's login"
    document = _object(text, source)
    if "auths" in document:
        return lambda registry: _login_for(registry, document, source)
    username, password = document.get("username"), document.get("password")
    if not (isinstance(username, str) and isinstance(password, str) and username and password):
        raise RegistryError(f'{source} is neither a docker config.json nor {{"username": …, "password": …}}')
    found = Login(username, password)
    return lambda _: found


def _login_for(registry: str, document: Mapping[str, Any], source: str) -> Login | None:
    wanted = _host(registry)
    helpers = document.get("credHelpers", {})
    if isinstance(helpers, dict) and any(_host(key) == wanted for key in helpers):
        raise RegistryError(f"{source}: `credHelpers` for {wanted} are not supported; {_ADVICE}")
    auths = document.get("auths", {})
    if not isinstance(auths, dict):
        raise RegistryError(f"{source}: `auths` is not an object")
    entries = [(key, entry) for key, entry in auths.items() if _host(key) == wanted]
    if not entries:
        return None
    # A key without a path is the most specific.
    key, entry = min(entries, key=lambda one: one[0].lower() != wanted)
    if not isinstance(entry, dict):
        raise RegistryError(f"{source}: the entry of `auths` for {key!r} is not an object")
    if entry.get("identitytoken"):
        raise RegistryError(f"{source}: the `identitytoken` for {key!r} is not supported; {_ADVICE}")
    login = _from_entry(entry, key, source)
    # `docker login` writes an empty entry where the store has the password.
    if login is None and document.get("credsStore"):
        raise RegistryError(f"{source}: the login for {key!r} is in a `credsStore`: not supported; {_ADVICE}")
    return login


def _from_entry(entry: Mapping[str, Any], key: str, source: str) -> Login | None:
    username, password, auth = (entry.get(name) or "" for name in ("username", "password", "auth"))
    if isinstance(auth, str) and auth:
        try:
            text = base64.b64decode(auth.strip(), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError, ValueError):
            # Without the cause, which shows the bytes.
            raise RegistryError(f"{source}: the `auth` for {key!r} is not USER:PASSWORD in base64") from None
        username, _, password = text.rstrip("\0").partition(":")
    if not username and not password:
        return None
    if not (isinstance(username, str) and isinstance(password, str) and username and password):
        raise RegistryError(f"{source}: the entry for {key!r} has no user or no password")
    return Login(username, password)


def _host(key: str) -> str:
    """The host in a key of `auths`, which may be a URL; Docker Hub has several."""
    try:
        host = urlsplit(key if "://" in key else f"//{key}").netloc.lower()
    except ValueError:
        return ""
    return "docker.io" if host in _DOCKER_HUB else host


def _object(text: str, source: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        # Without the cause: a traceback would show the text.
        raise RegistryError(f"{source} is not JSON") from None
    if not isinstance(document, dict):
        raise RegistryError(f"{source} is not a JSON object")
    return document
