"""A token server for docker-registry with GHCR's rules.

Anybody may pull what is not below `private/`; for those, and to push and delete, the user and password are needed.
Tokens are those of the distribution project's "Token Authentication Implementation", signed with a key made here.
"""

import base64
import binascii
import json
import secrets
import time
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

SERVICE = "registry.example"
"""Whom the tokens are for; not the registry's host, as that need not be."""

ISSUER = "token-server.example"

USER = "robot"
PASSWORD = "pass:word"  # a colon is part of a password, not of a user's name
PRIVATE = "private/"
"""How the names of repositories begin that want the user and password."""

LIFETIME = 300
"""Seconds; GHCR's and Docker Hub's tokens live as long."""

_EVERYTHING = ("pull", "push", "delete")


class TokenServer(ThreadingHTTPServer):
    """Answers `GET /token?service=…&scope=…` on a free port of 127.0.0.1.

    The token is in `key` of the response: `token`, or as with some registries `access_token`.
    """

    daemon_threads = True

    def __init__(self, key: str = "token") -> None:
        super().__init__(("127.0.0.1", 0), _Asked)
        self.key = key
        self.realm = f"http://127.0.0.1:{self.server_port}/token"
        self._private_key = ec.generate_private_key(ec.SECP256R1())
        self._certificate = _self_signed(self._private_key)

    @property
    def certificate(self) -> str:
        """What the registry verifies tokens with, as PEM."""
        return self._certificate.public_bytes(serialization.Encoding.PEM).decode()

    def token(self, repository: str, actions: tuple[str, ...] = _EVERYTHING) -> str:
        """A token for these actions on the repository, none for no repository."""
        now = int(time.time())
        claims = {"iss": ISSUER, "sub": USER, "aud": SERVICE, "iat": now, "nbf": now - 60, "exp": now + LIFETIME}
        claims["jti"] = secrets.token_hex(8)
        access = [{"type": "repository", "name": repository, "actions": actions}] if repository else []
        certificate = base64.b64encode(self._certificate.public_bytes(serialization.Encoding.DER)).decode()
        header = {"typ": "JWT", "alg": "ES256", "x5c": [certificate]}
        signed = f"{_text(_json(header))}.{_text(_json({**claims, 'access': access}))}"
        # JSON Web Signatures have the two numbers as they are, where others have them in DER (RFC 7518, section 3.4).
        pair = decode_dss_signature(self._private_key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{signed}.{_text(b''.join(number.to_bytes(32, 'big') for number in pair))}"


class _Asked(BaseHTTPRequestHandler):
    """One request for a token."""

    server: TokenServer
    timeout = 30.0

    def do_GET(self) -> None:
        target = urlsplit(self.path)
        asked = parse_qs(target.query)
        if target.path != "/token" or asked.get("service") != [SERVICE]:
            self._respond(HTTPStatus.NOT_FOUND, _refusal("NOT_FOUND", "no such service"))
            return
        _, _, rest = asked.get("scope", [""])[0].partition(":")
        repository, _, wanted = rest.rpartition(":")
        authorization = self.headers.get("Authorization")
        if authorization is not None and _credentials(authorization) != (USER, PASSWORD):
            self._respond(HTTPStatus.FORBIDDEN, _refusal("DENIED", "denied"))
        elif authorization is None and repository.startswith(PRIVATE):
            self._respond(HTTPStatus.UNAUTHORIZED, _refusal("UNAUTHORIZED", "authentication required"))
        else:
            allowed = _EVERYTHING if authorization else ("pull",)
            granted = tuple(action for action in wanted.split(",") if action in allowed)
            self._respond(HTTPStatus.OK, {self.server.key: self.server.token(repository, granted)})

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the overridden method's word)
        """Say nothing."""

    def _respond(self, status: HTTPStatus, document: dict[str, Any]) -> None:
        body = _json(document)
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _credentials(authorization: str) -> tuple[str, str]:
    """User and password of a header of the Basic scheme, empty for another header."""
    scheme, _, encoded = authorization.partition(" ")
    try:
        decoded = base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    user, _, password = decoded.partition(":")
    return (user, password) if scheme.lower() == "basic" else ("", "")


def _refusal(code: str, message: str) -> dict[str, Any]:
    return {"errors": [{"code": code, "message": message}]}


def _self_signed(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, ISSUER)])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(x509.random_serial_number())
    made = made.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    made = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    return made.sign(key, hashes.SHA256())


def _json(document: dict[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()


def _text(part: bytes) -> str:
    """A part of a token: base64 for addresses, without padding."""
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()
