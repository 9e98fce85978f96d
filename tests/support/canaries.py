"""Values of secrets that are found again in whatever form they leave a trace."""

import base64
import http.client
import json
import re
import zlib
from collections.abc import Callable, Collection, Mapping
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

from tests.support.data_files import write_files
from tests.support.retry_on_503 import retry_on_503

CANARY = "c4n4ry7qx2zpv9wk"
"""Letters and digits, which no form of JSON, YAML or a URL changes."""

SUFFIXES = ("", ".sig", ".asc")
CONFIGURATIONS = ("ignition", "cloud", "generic")
ROUTES = ("ipxe", "grub", "metadata", "report", *CONFIGURATIONS)
"""The routes of machines."""

SECRETS = {
    "join/token": CANARY,
    "document": json.dumps({"a": {"b": f'{CANARY}"é<&>/+%\\\n'}, "list": [CANARY]}),
    "odd": f"{CANARY}: [\n\t- {CANARY}: *{CANARY} %",
    "large": CANARY * 512,
}

_TALOS = 'version: v1alpha1\nmachine: {token: {{secret "join/token" | toJson}}}\n'
_BUTANE = "variant: fcos\nversion: 1.5.0\n"
_CLOUD = '#cloud-config\ntoken: {{secret "join/token"}}\n'
CASES: Mapping[str, tuple[str, str, str]] = {
    "good": (_TALOS, _CLOUD, '{{secret "document" "a.b"}}{{secret "join/token" | b64enc}}{{.request.query.mac}}'),
    "files": (
        _BUTANE + 'storage: {files: [{path: /t, contents: {inline: {{secret "large" | toJson}}}, mode: 511}]}\n',
        '#!/bin/sh\necho {{secret "odd" | urlquery}}\n',
        '{{secret "large"}}',
    ),
    "unknown": (
        _BUTANE + 'passwd: {users: [{name: a, {{secret "join/token"}}: {{secret "join/token"}}}]}\n',
        '#cloud-config\n{{secret "odd"}}\n',
        '{{index (secret "join/token") 99}}',
    ),
    "invalid": (_BUTANE + '{{secret "odd"}}: {{secret "odd"}}\n', '{{secret "odd"}}', '{{fail (secret "odd")}}'),
    "path": (
        _BUTANE + 'storage: {files: [{path: {{secret "join/token"}}, {{secret "join/token"}}: 1}]}\n',
        '#cloud-config\n- {{secret "join/token"}}\n',
        '{{secret "document" (secret "join/token")}}',
    ),
    "long": tuple(f'{start}{{{{range until 200}}}}{{{{secret "large"}}}}{{{{end}}}}' for start in ("a: ", "#!", "")),
    "absent": tuple(f'{start}{{{{secret "join/token"}}}}{{{{secret "none"}}}}' for start in ("a: ", "#!", "")),
    "open": (_TALOS, _CLOUD, '{{secret "join/token"}}'),
}
"""Templates of Ignition, cloud-config and generic for the machines of a group; that of `open` has no policy."""

DELIVERED = {"good": 3, "files": 3}
"""The configurations that hold secrets, by case; in store mode `long` is over the balancer's limit."""


class Reply(NamedTuple):
    """Status, headers in lower case, body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


Send = Callable[[str, str, Mapping[str, str]], Reply]
"""From method, target and headers to the response."""


def _forms() -> list[bytes]:
    found = [CANARY.encode(), CANARY.encode().hex().encode()]
    for offset in range(3):
        whole = base64.b64encode(bytes(offset) + CANARY.encode())
        # The characters that hold bits of the canary alone.
        first, last = (offset * 8 + 5) // 6, (offset + len(CANARY)) * 8 // 6
        found.append(whole[first:last])
    return found


_FORMS = _forms()
_TEXT_FORMS = [form.decode() for form in _FORMS]
_TRACE = re.compile(b"|".join(_FORMS), re.IGNORECASE)
# The base64 of a gzip stream, as Butane writes long files.
_PACKED = re.compile(rb"H4sI[A-Za-z0-9+/]+")
_GZIP = 31
_TIMEOUT = 60


def traces(content: bytes | str) -> list[bytes]:
    """The first places of the canary in a content: plain, in hexadecimal or base64, or compressed."""
    raw = content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content
    found = [raw[max(0, one.start() - 60) : one.end() + 60] for one in islice(_TRACE.finditer(raw), 3)]
    packed = [base64.b64decode(one[0] + b"===") for one in _PACKED.finditer(raw)]
    packed += [raw[one.start() :] for one in re.finditer(rb"\x1f\x8b\x08", raw)]
    return found + [trace for one in packed for trace in traces(_unpacked(one))]


def has_trace(content: bytes | str) -> bool:
    """Whether the canary is in a content, plain or in hexadecimal or base64, as a program writes them."""
    if isinstance(content, str):
        return any(form in content for form in _TEXT_FORMS)
    return any(form in content for form in _FORMS)


def _unpacked(packed: bytes) -> bytes:
    try:
        return zlib.decompressobj(_GZIP).decompress(packed)
    except zlib.error:
        return b""


def write_data(root: Path) -> Path:
    """A data directory with the cases, and without the secrets."""
    files: dict[str, object] = {"assets/vmlinuz": "kernel"}
    for name, templates in CASES.items():
        policy = {} if name == "open" else {"boot": {"token": True, "once": name == "good"}}
        files[f"groups/{name}.json"] = {"profile": name, "selector": {"case": name}, "metadata": {"a": "b"}, **policy}
        ids = {f"{kind}_id": name for kind in CONFIGURATIONS}
        boot = {"kernel": "/assets/vmlinuz", "args": [f"u=${{base}}ignition?token=${{token}}&case={name}"]}
        files[f"profiles/{name}.json"] = {"boot": boot, **ids}
        files |= {f"{kind}/{name}": text for kind, text in zip(CONFIGURATIONS, templates, strict=True)}
    return write_files(root, files)


def by_event(handle: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> Send:
    """Requests as events of the load balancer."""

    def send(method: str, target: str, headers: Mapping[str, str]) -> Reply:
        path, _, query = target.partition("?")
        given = {"host": "boot.example", "x-forwarded-for": "10.0.0.5", **headers}
        pairs = (pair.partition("=") for pair in query.split("&") if pair)
        response = handle(
            {
                "httpMethod": method,
                "path": path,
                "multiValueQueryStringParameters": {name: [value] for name, _, value in pairs},
                "multiValueHeaders": {name: [value] for name, value in given.items()},
            }
        )
        fields = {name: ", ".join(values) for name, values in response["multiValueHeaders"].items()}
        body = base64.b64decode(response["body"]) if response["isBase64Encoded"] else response["body"].encode()
        return Reply(response["statusCode"], fields, body)

    return send


def by_http(port: int) -> Send:
    """Requests to a server at a port of 127.0.0.1, with retries on 503."""

    def once(method: str, target: str, headers: Mapping[str, str]) -> Reply:
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT)) as connection:
            connection.request(method, target, headers=dict(headers))
            response = connection.getresponse()
            return Reply(response.status, dict(response.getheaders()), response.read())

    return lambda *request: retry_on_503(lambda: once(*request), lambda reply: reply.status)


def mac_of(number: int) -> str:
    """The MAC address of the machine of a case, of that number."""
    return f"52:54:00:00:00:{number:02x}"


def boot_all(send: Send, cases: Collection[str] = tuple(CASES)) -> dict[str, int]:
    """Make every request for these cases; returns how many responses of each held the canary, which no other may."""
    delivered: dict[str, int] = {}

    def no_trace(method: str, target: str, **headers: str) -> Reply:
        reply = send(method, target, headers)
        assert not traces(reply.body + str(reply.headers).encode()), target
        return reply

    for number, name in enumerate(cases):
        query = urlencode({"mac": mac_of(number), "case": name})
        for path in ROUTES:
            for suffix in SUFFIXES:
                no_trace("GET", f"/{path}{suffix}?{query}")
        found = re.search(rb"^set token (\S+)$", no_trace("GET", f"/ipxe?{query}").body, re.MULTILINE)
        query += f"&token={found[1].decode()}" if found else "&token=none"
        for path in ("metadata", "report", "ipxe", "grub"):
            no_trace("GET", f"/{path}?{query}")
        for path in CONFIGURATIONS:
            no_trace("HEAD", f"/{path}?{query}")
            no_trace("POST", f"/{path}?{query}")
            for suffix in SUFFIXES[1:]:
                no_trace("GET", f"/{path}{suffix}?{query}")
            for headers in ({}, {"range": "bytes=0-99"}, {"user-agent": "GRUB 2.12"}):
                reply = send("GET", f"/{path}?{query}", headers)
                assert not traces(str(reply.headers))
                if traces(reply.body) and not headers:
                    assert reply.status == 200
                    delivered[name] = delivered.get(name, 0) + 1
                elif reply.status >= 400:
                    assert not traces(reply.body), reply
        no_trace("GET", f"/ignition?mac=52:54:00:00:00:99&case={name}&token={query.rpartition('=')[2]}")
        no_trace("GET", f"/profiles/{name}")
    for target in ("/", "/boot.ipxe", "/assets/", "/assets/vmlinuz", "/assets/secrets/join/token", "/none", "//x"):
        no_trace("GET", target)
    no_trace("GET", "/assets/../secrets/join/token")
    no_trace("GET", "/assets/%2e%2e/secrets/join/token")
    return delivered
