"""The stack's bucket: its policy is the template's, signatures are verified and objects read by a real S3 server."""

import re
import socket
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from tests.rigs.http_wire import copy_response_body, read_head, unchunked
from tests.rigs.service import Service
from tests.rigs.versitygw import virtual_domain
from tests.stack.cloudfront.messages import Request, Response
from tests.stack.cloudfront.signatures import Principal
from tests.stack.resolution import Stack, wildcards

_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding"}


class Bucket:
    """The only bucket of a stack, of that name on a server. An access key of nobody's makes a request anonymous."""

    def __init__(self, stack: Stack, name: str, service: Service, principals: Mapping[str, Principal]) -> None:
        self.host = f"{name}.{virtual_domain(service.region)}"
        [policy] = stack.of_type("AWS::S3::BucketPolicy").values()
        assert "<Bucket>" == policy["Bucket"]
        self._statements: list[dict[str, Any]] = policy["PolicyDocument"]["Statement"]
        self._server = urlsplit(service.endpoint)
        self._principals = principals

    def respond(self, request: Request) -> Response:
        """What a request gets, of which S3 verifies the signature."""
        key = unquote(request.path[1:])
        found = re.match(r"AWS4-HMAC-SHA256 Credential=([^/]+)/", request.header("authorization"))
        principal = self._principals.get(found[1]) if found else None
        if not self.allowed("s3:GetObject", f"<Bucket.Arn>/{key}", principal, secure=request.secure):
            return _refused()
        # The server's objects are files, of which a path has several spellings; a key of S3's has none but its own.
        has_one_spelling = {"", ".", ".."}.isdisjoint(key.split("/"))
        response = self._forwarded(request) if has_one_spelling else _missing()
        lists = self.allowed("s3:ListBucket", "<Bucket.Arn>", principal, secure=request.secure)
        return response if response.status != 404 or lists else _refused()

    def allowed(
        self, action: str, resource: str, principal: Principal | None, *, secure: bool, endpoint: str = ""
    ) -> bool:
        """Whether the policy allows it, through an endpoint of a VPC where one is named, and nothing denies it."""
        context = {"aws:SecureTransport": str(secure).lower(), **({"aws:SourceVpce": endpoint} if endpoint else {})}
        if principal:
            context["aws:SourceArn"] = principal.source_arn
        effects = {
            statement["Effect"]
            for statement in self._statements
            if _is_for(statement["Principal"], principal)
            and _matches(statement, "Action", action)
            and _matches(statement, "Resource", resource)
            and all(_holds(operator, wanted, context) for operator, wanted in statement.get("Condition", {}).items())
        }
        return effects == {"Allow"}

    def _forwarded(self, request: Request) -> Response:
        """The server's response to the same request, whose host names the bucket."""
        lines = [
            f"{request.method} {request.target} HTTP/1.1",
            *(f"{name}: {value}" for name, value in request.headers),
        ]
        address = (str(self._server.hostname), self._server.port or 80)
        with socket.create_connection(address, timeout=60) as connection, connection.makefile("rb") as received:
            connection.sendall("\r\n".join([*lines, "connection: close", "", ""]).encode())
            head = read_head(received)
            assert head is not None
            body = bytearray()
            copy_response_body(head, request.method, received, body.extend)
        headers = {name.decode().lower(): value.decode() for name, value in head.fields}
        kept = {name: value for name, value in headers.items() if name not in _HOP_BY_HOP}
        return Response(head.status, kept, unchunked(head, bytes(body)))


def _is_for(named: str | Mapping[str, str], principal: Principal | None) -> bool:
    return named == "*" or (principal is not None and named == {"Service": principal.service})


def _matches(statement: Mapping[str, Any], kind: str, value: str) -> bool:
    """Whether Action or Resource names the value, or NotAction does not."""
    negated = f"Not{kind}" in statement
    given = statement[f"Not{kind}" if negated else kind]
    patterns = [given] if isinstance(given, str) else given
    named = any(wildcards(each).fullmatch(value) for each in patterns)
    return named != negated


def _holds(operator: str, wanted: Mapping[str, str], context: Mapping[str, str]) -> bool:
    match operator:
        case "Bool" | "StringEquals":
            return all(context.get(name) == value for name, value in wanted.items())
        case "StringNotEquals":
            return all(context.get(name) != value for name, value in wanted.items())
    raise NotImplementedError(operator)


def _missing() -> Response:
    return _error(404, "NoSuchKey")


def _refused() -> Response:
    return _error(403, "AccessDenied")


def _error(status: int, code: str) -> Response:
    page = f"<Error><Code>{code}</Code></Error>"
    return Response(status, {"content-type": "application/xml", "server": "AmazonS3"}, page.encode())
