"""matchbox's recorded responses, and how one of ours is held against them."""

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.conformance.butane_vectors import without_forms

HERE = Path(__file__).parent
SUITES = ("seed", "selection", "rendering", "assets", "ignition")

# Recorded 404s and empty configs that are errors here: a template that does not render, a config that is not valid.
_FAILED_TEMPLATES = {
    "request.txt",
    "missing.txt",
    "missing-deep.txt",
    "missing-query.txt",
    "cmp-bad.txt",
    "index-bad.txt",
    "literals.txt",
    "syntax.txt",
    "unclosed.txt",
    "unknown-func.txt",
    "call-nonfunc.txt",
    "chain-nil.txt",
    "c-neither.txt",
    "c-badyaml.yaml",
    "c-missing.yaml",
    "bad.ign",
    "invalid.ign",
    "v23.ign",
    "v33.ign",
}
# Recorded 404s of Butane configs that are not translated, and the empty config for OpenShift's.
_FAILED_BUTANE = {"local.yaml", "nover.yaml", "openshift.yaml", "unknownvariant.yaml"}
_LINE_BREAK = "/metadata?k=%0Anew"
_COMPARED = ("content-type", "content-length", "content-range", "accept-ranges", "location", "x-content-type-options")


@dataclass(frozen=True)
class Response:
    """A status, headers in lower case, a body."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Recording:
    """A request, and what matchbox answered to it."""

    suite: str
    method: str
    target: str
    headers: dict[str, str]
    response: Response

    @property
    def name(self) -> str:
        return f"{self.suite} {self.method} {self.target} {self.headers or ''}".strip()

    @property
    def template(self) -> str:
        """The template that the request selects by its label `t`."""
        return self.target.partition("?t=")[2].partition("&")[0]

    @property
    def is_an_error_here(self) -> bool:
        if self.suite == "seed" and self.target == "/generic?arch=arm64":
            return True  # its template asks for a uuid
        routes = ("/generic?", "/cloud?", "/ignition?")
        return self.target.startswith(routes) and self.template in _FAILED_TEMPLATES | _FAILED_BUTANE


def recordings() -> list[Recording]:
    return [_recording(suite, entry) for suite in SUITES for entry in _entries(suite)]


def assert_reproduced(recording: Recording, got: Response, *, behind_balancer: bool) -> None:
    """Hold our response against matchbox's; the differences allowed are those on purpose, and those of the balancer."""
    wanted = recording.response
    if recording.is_an_error_here:
        assert 500 == got.status
        assert "location" not in got.headers
        assert 1 == got.body.count(b"\n")
        return
    if recording.template == "talos.yaml":
        assert (200, "application/x-yaml") == (got.status, got.headers["content-type"])
        assert (HERE / "ignition/data/ignition/talos.yaml").read_bytes() == got.body
        return
    if recording.template in {"v35.ign", "fcos16.yaml"}:
        assert "3.5.0" == json.loads(got.body)["ignition"]["version"]
        return
    assert wanted.status == got.status
    if (recording.suite, recording.target) == ("selection", _LINE_BREAK):
        # A label with a control character counts as absent.
        assert b"GROUP=default\nREQUEST_RAW_QUERY=k=%0Anew\n" == got.body
        return
    body, wanted_headers = wanted.body, dict(wanted.headers)
    if recording.target.startswith("/metadata"):
        expected = _with_grouped_query(body) if behind_balancer else body
        assert sorted(expected.splitlines()) == sorted(got.body.splitlines())
    elif recording.template == "compress.yaml":
        # Go compresses in its own way: the bytes of the stream differ, those in it do not.
        assert without_forms(json.loads(body)) == without_forms(json.loads(got.body))
    else:
        assert body == got.body
        assert _compared(wanted_headers) == _compared(got.headers)
    assert wanted_headers["content-type" if "content-type" in wanted_headers else "location"] in got.headers.values()


def _with_grouped_query(body: bytes) -> bytes:
    """The balancer's event keeps neither the interleaving of repeated keys nor `k` against `k=`."""
    return body.replace(b"REQUEST_RAW_QUERY=a=1&A=2&a=3", b"REQUEST_RAW_QUERY=a=1&a=3&A=2")


def _compared(headers: dict[str, str]) -> dict[str, str]:
    return {name: headers[name] for name in _COMPARED if name in headers}


def _entries(suite: str) -> list[dict[str, Any]]:
    return json.loads((HERE / suite / "answers.json").read_text())


def _recording(suite: str, entry: dict[str, Any]) -> Recording:
    request, response = entry["request"], entry["answer"]
    body = base64.b64decode(response["body_base64"]) if "body_base64" in response else response["body"].encode()
    headers = {name.lower(): value for name, value in response["headers"].items()}
    return Recording(
        suite,
        request["method"],
        request["target"],
        request.get("headers") or {},
        Response(response["status"], headers, body),
    )
