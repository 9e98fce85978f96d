"""AWS's Signature Version 4 (its "Signature Version 4 for API requests"), in headers and in a query."""

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from functools import lru_cache
from time import gmtime
from typing import NamedTuple

_ALGORITHM = "AWS4-HMAC-SHA256"
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~")
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}
# No header has these characters.
_MOMENT, _DIGEST = "\0", "\1"


class Credentials(NamedTuple):
    """An access key; temporary ones have a session token."""

    access_key: str
    secret_key: str
    session_token: str | None = None

    def __repr__(self) -> str:
        # The secret and the token stay out of logs and tracebacks.
        return f"Credentials(access_key={self.access_key!r})"


def lambda_credentials(environment: Mapping[str, str]) -> Credentials:
    """The credentials in the environment, as Lambda gives them to a function."""
    return Credentials(
        environment["AWS_ACCESS_KEY_ID"],
        environment["AWS_SECRET_ACCESS_KEY"],
        environment.get("AWS_SESSION_TOKEN") or None,
    )


def sign_headers(
    method: str,
    url: str,
    headers: Mapping[str, str],
    digest: str,
    *,
    credentials: Credentials,
    region: str,
    service: str,
    now: float,
) -> dict[str, str]:
    """The headers to send: those given, all signed, and those of the signature, with Host.

    `digest` is the body's SHA-256 in hexadecimal digits.

    The path and the query of `url` are already encoded; the path has no `.` or `..` to resolve. `now` is in seconds
    since 1970. For S3 the path is signed as it is sent, and the body's digest is sent too; the paths of other services
    are encoded a second time for the signature.
    """
    form = _form(method, url, tuple(headers.items()), credentials.session_token, service)
    moment = _timestamp(int(now))
    sent = {**form.headers, "X-Amz-Date": moment}
    if service == "s3":
        sent["X-Amz-Content-SHA256"] = digest
    request = form.request.replace(_MOMENT, moment).replace(_DIGEST, digest)
    scope = f"{moment[:8]}/{region}/{service}/aws4_request"
    signature = _signature(credentials.secret_key, moment, scope, request)
    sent["Authorization"] = (
        f"{_ALGORITHM} Credential={credentials.access_key}/{scope}, "
        f"SignedHeaders={form.signed_names}, Signature={signature}"
    )
    return sent


def presign_get(url: str, *, credentials: Credentials, region: str, now: float, lifetime: int) -> str:
    """A URL of S3 that allows GET, and nothing else, for `lifetime` seconds or until the credentials expire.

    `url` has an encoded path and no query. `now` is in seconds since 1970; AWS allows a `lifetime` of 604,800.
    """
    scheme, host, path, _ = _split(url)
    moment = _timestamp(int(now))
    scope = f"{moment[:8]}/{region}/s3/aws4_request"
    parameters = {
        "X-Amz-Algorithm": _ALGORITHM,
        "X-Amz-Credential": f"{credentials.access_key}/{scope}",
        "X-Amz-Date": moment,
        "X-Amz-Expires": str(lifetime),
        "X-Amz-SignedHeaders": "host",
    }
    if credentials.session_token is not None:
        parameters["X-Amz-Security-Token"] = credentials.session_token
    pairs = [f"{key}={uri_encode(value)}" for key, value in parameters.items()]
    canonical = "&".join(sorted(pairs))
    host = _without_default_port(scheme, host)
    request = f"GET\n{path}\n{canonical}\nhost:{host}\n\nhost\nUNSIGNED-PAYLOAD"
    signature = _signature(credentials.secret_key, moment, scope, request)
    return f"{url}?{'&'.join(pairs)}&X-Amz-Signature={signature}"


def uri_encode(text: str, *, slashes: bool = True) -> str:
    """AWS's UriEncode; urllib.parse, which has one, takes longer to import than this module and its libraries.

    `slashes` says whether slashes are encoded.
    """
    kept = _UNRESERVED if slashes else _UNRESERVED | {ord("/")}
    return "".join([chr(byte) if byte in kept else f"%{byte:02X}" for byte in text.encode()])


def _split(url: str) -> tuple[str, str, str, str]:
    """Scheme, host with its port, path and query."""
    scheme, _, rest = url.partition("://")
    address, _, query = rest.partition("?")
    host, _, path = address.partition("/")
    return scheme, host.lower(), "/" + path, query


class _Form(NamedTuple):
    """A request as it is signed, with _MOMENT and _DIGEST in place of both; and its other headers."""

    request: str
    signed_names: str
    headers: Mapping[str, str]


@lru_cache(maxsize=16)
def _form(
    method: str, url: str, headers: tuple[tuple[str, str], ...], session_token: str | None, service: str
) -> _Form:
    """The form of a request, which most requests of a service have in common."""
    scheme, host, path, query = _split(url)
    parameters = "&".join(f"{key}={value}" for key, value in sorted(_pairs(query)))
    sent = {**dict(headers), "Host": _without_default_port(scheme, host)}
    if session_token is not None:
        sent["X-Amz-Security-Token"] = session_token
    canonical = {name.lower(): " ".join(value.split()) for name, value in sent.items()} | {"x-amz-date": _MOMENT}
    if service == "s3":
        canonical["x-amz-content-sha256"] = _DIGEST
    else:
        path = uri_encode(path, slashes=False)
    lines = "".join(f"{name}:{canonical[name]}\n" for name in sorted(canonical))
    signed_names = ";".join(sorted(canonical))
    return _Form(f"{method}\n{path}\n{parameters}\n{lines}\n{signed_names}\n{_DIGEST}", signed_names, sent)


def _without_default_port(scheme: str, host: str) -> str:
    return host.removesuffix(_DEFAULT_PORTS[scheme])


def _pairs(query: str) -> Iterable[tuple[str, str]]:
    for pair in query.split("&") if query else ():
        key, _, value = pair.partition("=")
        yield key, value


@lru_cache(maxsize=1)
def _timestamp(now: int) -> str:
    utc = gmtime(now)
    return f"{utc.tm_year:04d}{utc.tm_mon:02d}{utc.tm_mday:02d}T{utc.tm_hour:02d}{utc.tm_min:02d}{utc.tm_sec:02d}Z"


def _signature(secret_key: str, moment: str, scope: str, request: str) -> str:
    digest = hashlib.sha256(request.encode()).hexdigest()
    keyed = _signing_key(secret_key, scope).copy()
    keyed.update(f"{_ALGORITHM}\n{moment}\n{scope}\n{digest}".encode())
    return keyed.hexdigest()


@lru_cache(maxsize=8)
def _signing_key(secret_key: str, scope: str) -> hmac.HMAC:
    """The key of one day, to copy; the cache holds those of all services while credentials and the day change."""
    key = b"AWS4" + secret_key.encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.new(key, digestmod="sha256")
