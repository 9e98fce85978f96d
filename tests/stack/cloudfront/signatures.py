"""Signature Version 4 in the header Authorization: made by botocore, verified by the steps that AWS documents.

Where the bucket's signatures are verified, an S3 server verifies them once more.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from urllib.parse import parse_qsl, quote, unquote_to_bytes, urlencode

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.stack.cloudfront.messages import Headers, Request

EMPTY = hashlib.sha256(b"").hexdigest()
_MADE = ("authorization", "x-amz-content-sha256", "x-amz-date", "x-amz-security-token")
_UNRESERVED = "-_.~"
_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request, ?SignedHeaders=([^,]+), ?"
    r"Signature=([0-9a-f]{64})"
)
_FRESH = timedelta(minutes=5)


class Principal(NamedTuple):
    """Who signs with an access key, and for which resource if it is a service."""

    service: str
    source_arn: str
    access_key: str
    secret_key: str


class RefusedError(Exception):
    """Why a request is not taken for its principal's."""


def signed(request: Request, host: str, kind: str, region: str, principal: Principal) -> Headers:
    """The headers of a request with a signature for an origin access control of that kind, `lambda` or `s3`."""
    credentials = Credentials(principal.access_key, principal.secret_key)
    signer = S3SigV4Auth if kind == "s3" else SigV4Auth
    # The standard library's way, which is not the verification's. What is sent has no `+` for a space.
    bytes_of = request.query.encode().decode("latin-1").replace("+", "%2B")
    pairs = parse_qsl(bytes_of, keep_blank_values=True, encoding="latin-1")
    query = urlencode(pairs, quote_via=quote, safe="-_.~", encoding="latin-1")
    # S3 takes no header of AWS's that is not signed.
    others = tuple(each for each in request.headers if each[0] not in _MADE)
    own = {name: value for name, value in others if name.startswith("x-amz-")}
    url = f"https://{host}{request.path}{'?' if query else ''}{query}"
    made = AWSRequest(request.method, url, headers={"host": host, "x-amz-content-sha256": EMPTY, **own})
    signer(credentials, kind, region).add_auth(made)
    return others + tuple((name.lower(), value) for name, value in made.headers.items() if name.lower() in _MADE)


def verified(request: Request, service: str, region: str, principals: Mapping[str, Principal]) -> Principal:
    """Whose request it is, by the path, query and headers that arrived; raises RefusedError."""
    found = _AUTHORIZATION.fullmatch(request.header("authorization"))
    if not found:
        raise RefusedError("no signature")
    access_key, day, signed_region, signed_service, names, signature = found.groups()
    if (signed_region, signed_service) != (region, service) or access_key not in principals:
        raise RefusedError(f"not signed for {service} in {region} with a key that is known")
    date = request.header("x-amz-date")
    when = datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    if not date.startswith(day) or abs(datetime.now(UTC) - when) > _FRESH:
        raise RefusedError("signed at another time")
    if not {"host", "x-amz-date"} <= set(names.split(";")):
        raise RefusedError("host and date are not signed")
    if request.header("x-amz-content-sha256") != EMPTY:
        raise RefusedError("the body is another")
    principal = principals[access_key]
    scope = f"{day}/{region}/{service}/aws4_request"
    canonical = canonical_request(request, service, names)
    text = f"AWS4-HMAC-SHA256\n{date}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    if not hmac.compare_digest(signature_of(text, scope, principal.secret_key), signature):
        raise RefusedError("the signature is another")
    return principal


def canonical_request(request: Request, service: str, names: str) -> str:
    """What is signed of a request and of the headers `names` (IAM's guide, "Create a signed AWS API request")."""
    path = request.path if service == "s3" else quote(_without_dots(request.path), safe="/" + _UNRESERVED)
    query = "&".join(f"{name}={value}" for name, value in sorted(_parameters(request.query)))
    headers = "".join(f"{name}:{' '.join(request.header(name).split())}\n" for name in names.split(";"))
    return "\n".join([request.method, path, query, headers, names, request.header("x-amz-content-sha256") or EMPTY])


def signature_of(text: str, scope: str, secret_key: str) -> str:
    """The signature of a string to sign."""
    key = f"AWS4{secret_key}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.new(key, text.encode(), "sha256").hexdigest()


def _parameters(query: str) -> list[tuple[str, str]]:
    """The parameters of a query, each of them encoded once, in the one way that signatures know."""
    pairs = (part.partition("=") for part in query.split("&") if part)
    return [(_encoded(name), _encoded(value)) for name, _, value in pairs]


def _encoded(text: str) -> str:
    return quote(unquote_to_bytes(text), safe=_UNRESERVED)


def _without_dots(path: str) -> str:
    """The path without empty and dot segments, as all services but S3 sign it."""
    kept: list[str] = []
    for part in path.split("/"):
        if part == "..":
            kept[-1:] = []
        elif part not in ("", "."):
            kept.append(part)
    end = "/" if kept and path.endswith("/") else ""
    return "/" + "/".join(kept) + end
