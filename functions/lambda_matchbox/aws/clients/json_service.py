"""Calls of AWS services with a JSON protocol."""

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NamedTuple

from lambda_matchbox.aws.clients import sigv4
from lambda_matchbox.aws.clients.http_client import HttpClient
from lambda_matchbox.aws.clients.regional_hosts import regional_host
from lambda_matchbox.aws.clients.sigv4 import Credentials

# json.dumps() makes an encoder for each text.
encoded = json.JSONEncoder(separators=(",", ":")).encode
"""The value as JSON without spaces."""

quoted = json.encoder.encode_basestring_ascii
"""The text as JSON."""

# decode() also looks for blanks around it, by two regular expressions, and AWS sends none.
_decoded = json.JSONDecoder().raw_decode


class JsonProtocol(NamedTuple):
    """The service's name in addresses and signatures, its prefix of operations, and its JSON version."""

    service: str
    target: str
    version: str


class JsonService:
    """A service of a region; `endpoint` is `http[s]://HOST[:PORT]`, or None for the region's own."""

    def __init__(
        self,
        protocol: JsonProtocol,
        endpoint: str | None,
        region: str,
        credentials_provider: Callable[[], Credentials],
        http: HttpClient,
    ) -> None:
        self._protocol = protocol
        self._url = (endpoint or f"https://{regional_host(protocol.service, region)}").rstrip("/") + "/"
        self._region = region
        self._credentials = credentials_provider
        self._http = http

    def call(self, operation: str, request: Mapping[str, Any] | str, deadline: float) -> dict[str, Any]:
        """The response to a call that may be repeated, before the deadline of time.monotonic().

        `request` may be JSON already. Raises StoreUnavailableError without a complete response in time, AWSError for a
        refusal.
        """
        body = (request if isinstance(request, str) else encoded(request)).encode()
        headers = sigv4.sign_headers(
            "POST",
            self._url,
            _headers(self._protocol, operation),
            hashlib.sha256(body).hexdigest(),
            credentials=self._credentials(),
            region=self._region,
            service=self._protocol.service,
            now=time.time(),
        )
        response = self._http.request("POST", self._url, headers, body, deadline)
        text = response.body.decode()
        content: dict[str, Any]
        content, end = _decoded(text) if text.startswith("{") else ({}, -1)
        return content if end == len(text) else json.loads(text)


@cache
def _headers(protocol: JsonProtocol, operation: str) -> Mapping[str, str]:
    """The headers of an operation's calls."""
    return {
        "Content-Type": f"application/x-amz-json-{protocol.version}",
        "X-Amz-Target": f"{protocol.target}.{operation}",
    }
