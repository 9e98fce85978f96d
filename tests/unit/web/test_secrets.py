"""Secrets in responses: only for a token, stored nowhere, and in no log."""

import gc
import traceback
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import FrameType

import pytest
from pysequoia import Cert, Sig, verify

from lambda_matchbox.answers import generic
from lambda_matchbox.aws.clients.errors import AWSError
from lambda_matchbox.errors import MatchboxError, StoreUnavailableError
from lambda_matchbox.machines.policy import Policy
from lambda_matchbox.secrets.stores import UnsafeSecretError
from tests.support.openpgp.keys import key_ring
from tests.unit.web.gated_server import ELSEWHERE, PROFILE, Server

CANARY = "c4n4ry-v4lu3"
TEMPLATES = {
    ("ignition", "i.yaml"): b'machine: {token: {{secret "talos/token"}}}\n',
    ("generic", "g"): b'{{secret "talos/token"}} of {{.request.query.mac}}',
    ("cloud", "c"): b'#cloud-config\ntoken: {{secret "talos/token"}}\n',
}
ROUTES = ("ignition", "generic", "cloud")
LIMIT = 600


class KeptResponses:
    """A response store that records the bodies."""

    def __init__(self) -> None:
        self.kept: list[bytes] = []

    def put(self, body: bytes, content_type: str, origin: str) -> str:
        self.kept.append(body)
        return "http://elsewhere.test/response"


RESPONSES = KeptResponses()


@pytest.fixture
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    policy = getattr(request, "param", Policy(token=True))
    made = Server(policy, tmp_path, limit=LIMIT, responses=RESPONSES)
    RESPONSES.kept.clear()
    made.catalog.profiles["p"] = PROFILE._replace(ignition_id="i.yaml")
    made.catalog.templates.update(TEMPLATES)
    made.secrets.held["talos/token"] = CANARY
    with closing(made.machines):
        yield made
    assert CANARY not in made.log.getvalue()
    assert CANARY.encode() not in b"".join(RESPONSES.kept)


@pytest.mark.parametrize("route", ROUTES)
def test_a_configuration_for_a_token_holds_secrets_and_is_kept_by_nobody(server: Server, route: str) -> None:
    token = server.token()
    response = server.get(route, token=token)
    assert (response.status, response.headers["cache-control"]) == (200, "no-store")
    assert CANARY.encode() in response.body
    assert server.secrets.calls == [["talos/token"]]
    head = server.get(route, method="HEAD", token=token)
    assert (head.status, head.body, head.headers["cache-control"]) == (200, b"", "no-store")
    assert head.headers["content-length"] == response.headers["content-length"]


@pytest.mark.parametrize("route", ROUTES)
def test_its_signature_is_given_for_the_token_and_kept_by_nobody(server: Server, route: str) -> None:
    signature = server.get(f"{route}.sig", token=server.token())
    assert (signature.status, signature.headers["cache-control"]) == (200, "no-store")
    key = Cert.from_bytes(key_ring("ed25519"))
    signed = server.get(route, token=server.token()).body
    verify(bytes=signed, store=lambda _: [key], signature=Sig.from_bytes(signature.body))
    refused = server.get(f"{route}.sig")
    assert (refused.status, refused.body) == (403, b"the request has no token\n")


@pytest.mark.parametrize(
    "server", [None, Policy(once=True), Policy(from_networks=("10.0.0.0/8",))], indirect=True, ids=str
)
@pytest.mark.parametrize("route", [*ROUTES, *(f"{route}.asc" for route in ROUTES)])
def test_without_a_policy_that_checks_tokens_there_are_no_secrets(server: Server, route: str) -> None:
    template = {"ignition": "i.yaml", "generic": "g", "cloud": "c"}[route.partition(".")[0]]
    for method in ("GET", "HEAD"):
        response = server.get(route, method=method, token="a-token")
        assert response.status == 500
        assert server.line["reason"] == (
            f"template '{template}': talos/token: secrets are given only to machines of groups whose boot policy has "
            '"token": true'
        )
    assert server.secrets.calls == []
    assert server.state is None


def test_a_refused_machine_gets_no_secrets(server: Server) -> None:
    assert server.get("generic").status == 403
    assert server.get("generic", token="x").status == 403
    token = server.token()
    assert server.get("generic", token=token).status == 200
    assert server.get("generic", ELSEWHERE, token=token).status == 403
    assert server.secrets.calls == [["talos/token"]]


def test_metadata_and_scripts_have_no_secrets(server: Server) -> None:
    for route in ("metadata", "ipxe", "grub", "report"):
        response = server.get(route, token=server.token())
        assert "cache-control" not in response.headers
    assert server.secrets.calls == []


def test_other_responses_may_be_kept(server: Server) -> None:
    server.catalog.templates["generic", "g"] = b"{{print .request.query.mac}}"
    assert "cache-control" not in server.get("generic", token=server.token()).headers
    assert server.secrets.calls == []


def test_a_part_of_a_response_is_kept_by_nobody(server: Server) -> None:
    response = server.get("generic", token=server.token(), headers={"range": "bytes=0-3"})
    assert (response.status, response.body, response.headers["cache-control"]) == (206, CANARY[:4].encode(), "no-store")


@pytest.mark.parametrize("route", ROUTES)
def test_a_response_over_the_limit_is_not_stored(server: Server, route: str) -> None:
    server.secrets.held["talos/token"] = CANARY + "x" * LIMIT
    for method in ("GET", "HEAD"):
        response = server.get(route, method=method, token=server.token())
        assert response.status == 500
        assert b"the response holds a secret, which is not stored in the bucket, and has" in response.body
    assert RESPONSES.kept == []
    assert server.state is None or server.state.delivery is None


def test_a_secret_of_8_kb_is_delivered(tmp_path: Path) -> None:
    server = Server(Policy(token=True), tmp_path)
    with closing(server.machines):
        server.catalog.templates["generic", "g"] = b'{{secret "large"}}'
        server.secrets.held["large"] = "x" * 8192
        assert server.get("generic", token=server.token()).body == b"x" * 8192


@pytest.mark.parametrize(
    ("failure", "status", "reason"),
    [
        (StoreUnavailableError("no response from ssm"), 503, "no response from ssm"),
        (AWSError("AccessDeniedException", "not authorized", 400), 500, "AccessDeniedException (HTTP status 400)"),
        (UnsafeSecretError("secrets/talos/token is not used"), 500, "secrets/talos/token is not used"),
        (None, 500, "template 'g', line 1: secret: there is no secret 'talos/token'"),
    ],
)
def test_a_failure_is_no_delivery(server: Server, failure: MatchboxError | None, status: int, reason: str) -> None:
    server.secrets.failure = failure
    del server.secrets.held["talos/token"]
    response = server.get("generic", token=server.token())
    assert response.status == status
    assert reason in str(server.line["reason"])
    assert ("retry-after" in response.headers) == (status == 503)
    assert server.state is None
    server.secrets.failure = None
    server.secrets.held["talos/token"] = CANARY
    assert server.get("generic", token=server.token()).status == 200


INVALID = {
    "ignition": [
        'a: {{secret "x"}}: b',
        '{{secret "x"}}',
        '{{secret "x"}}: [1',
        'variant: fcos\nversion: 1.5.0\nstorage: {files: [{path: {{secret "x"}}}]}',
        'variant: fcos\nversion: 1.5.0\n{{secret "x"}}: 1',
        'variant: fcos\nversion: {{secret "x"}}',
        'variant: {{secret "x"}}\nversion: 1.5.0',
        'variant: fcos\nversion: 1.5.0\nstorage: {files: [{path: /a, mode: {{secret "x"}}}]}',
        'variant: fcos\nversion: 1.5.0\nstorage: {files: [{path: /a, {{secret "x"}}: 1}]}',
        'variant: fcos\nversion: 1.5.0\nsystemd: {units: [{name: {{secret "x"}}, enabled: true}]}',
        'variant: fcos\nversion: 1.5.0\nstorage: {links: [{path: /a, target: *{{secret "x"}}}]}',
        'a: !{{secret "x"}} b\nb: *{{secret "x"}}',
    ],
    "cloud": [
        '{{secret "x"}}',
        '#cloud-config\n- {{secret "x"}}',
        '#cloud-config\na: *{{secret "x"}}',
        '#cloud{{secret "x"}}',
    ],
    "generic": [
        '{{fail (secret "x")}}',
        '{{index (secret "x") 99}}',
        '{{(secret "x").foo}}',
        '{{template (secret "x")}}',
        '{{fromJson (secret "x") | get (secret "x")}}',
        '{{atoi (secret "x")}}{{secret "x" | mustRegexMatch "["}}',
        '{{mustToDate "2006" (secret "x")}}',
        '{{semver (secret "x")}}',
        '{{secret "x" (secret "x")}}',
        '{{printf (secret "x") 1 2}}{{.none}}',
        '{{dict (secret "x")}}{{get (dict) (secret "x") | required (secret "x")}}',
    ],
}
VALUES = [
    CANARY,
    f"{CANARY}: 1\nb: [",
    f'"{CANARY}',
    f"{{{CANARY}",
    f"1.{CANARY}",
    f"{CANARY}\n\t- {CANARY}",
    f"%{CANARY}",
]


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("route", ROUTES)
def test_no_error_and_no_report_quotes_a_secret(server: Server, route: str, value: str) -> None:
    key = {"ignition": ("ignition", "i.yaml"), "generic": ("generic", "g"), "cloud": ("cloud", "c")}[route]
    server.secrets.held["x"] = value
    failed = 0
    for source in INVALID[route]:
        server.catalog.templates[key] = source.encode()
        response = server.get(route, token=server.token())
        if response.status != 200:
            failed += 1
            assert response.status == 500
            assert b"c4n4" not in response.body.lower(), source
    assert failed
    assert "c4n4" not in server.log.getvalue().lower()


def test_an_error_that_secrets_do_not_change_is_shown(server: Server) -> None:
    server.catalog.templates["ignition", "i.yaml"] = (
        b"variant: fcos\nversion: 1.5.0\nstorage: {files: [{path: a}]}\n"
        b'passwd: {users: [{name: {{secret "talos/token"}}}]}'
    )
    response = server.get("ignition", token=server.token())
    assert b"refused: $.storage.files.0.path" in response.body


def test_an_error_that_secrets_cause_is_told_without_them(server: Server) -> None:
    server.catalog.templates["ignition", "i.yaml"] = b'a: {{secret "talos/token"}}'
    server.secrets.held["talos/token"] = f"{CANARY}: b: c"
    assert server.get("ignition", token=server.token()).body == (
        b"template 'i.yaml': the values of its secrets make it invalid; the reason might quote one; "
        b"with placeholders for them: nothing\n"
    )


def test_nothing_keeps_a_value_after_the_response(server: Server) -> None:
    server.secrets.held["talos/token"] = f"{CANARY}-{len(CANARY)}"
    token = server.token()
    for route in ROUTES:
        for suffix in ("", ".sig"):
            assert server.get(f"{route}{suffix}", token=token).status == 200
    kept = server.get("generic", token=token)
    assert len(_holders_of(f"{CANARY}-")) == 2
    del kept
    server.secrets.held.clear()
    assert _holders_of(f"{CANARY}-") == []


def _holders_of(text: str) -> list[str]:
    """The objects of this process with a string that has the text, beside frames, which have constants."""
    gc.collect()
    return [
        f"{type(one).__name__} of {[type(each).__name__ for each in gc.get_referrers(one)]}"
        for one in gc.get_objects()
        if not isinstance(one, FrameType) and any(_has(each, text) for each in gc.get_referents(one))
    ]


def _has(value: object, text: str) -> bool:
    if type(value) is str:
        return value is not text and text in value
    if type(value) is bytes:
        return text.encode() in value
    # The collector does not know containers of strings alone.
    return not gc.is_tracked(value) and any(_has(each, text) for each in gc.get_referents(value))


def test_an_unhandled_exception_quotes_no_secret(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(text: bytes) -> str:
        raise ValueError(text)

    monkeypatch.setattr(generic, "sniff", broken)
    token = server.token()
    with pytest.raises(RuntimeError, match=r"^ValueError, raised for template 'g' with secrets$") as raised:
        server.get("generic", token=token)
    assert "in broken\n" in (printed := "".join(traceback.format_exception(raised.value)))
    assert CANARY not in printed
    server.catalog.templates["generic", "g"] = b"text"
    with pytest.raises(ValueError, match="text"):
        server.get("generic", token=token)
