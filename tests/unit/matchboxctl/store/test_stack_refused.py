"""What commands say where a stack, table and bucket cannot be used."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from lambda_matchbox.aws.clients import light_clients
from tests.support.commands import Commands
from tests.support.server_threads import in_thread
from tests.unit.matchboxctl.store.environments import set_environment

pytestmark = pytest.mark.system


@contextmanager
def refusing(status: int, code: str) -> Iterator[str]:
    """An endpoint that refuses every call; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = f"<ErrorResponse><Error><Code>{code}</Code><Message>no</Message></Error></ErrorResponse>".encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with in_thread(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as server:
        yield f"http://127.0.0.1:{server.server_port}"


@pytest.mark.parametrize(
    ("status", "code", "advice"),
    [
        (403, "AccessDenied", "check the permissions of these credentials"),
        (403, "ExpiredToken", "check the credentials"),
        (503, "ServiceUnavailable", "run the same command again"),
    ],
)
def test_refusals_have_advice(
    run: Commands, monkeypatch: pytest.MonkeyPatch, status: int, code: str, advice: str
) -> None:
    with refusing(status, code) as endpoint:
        set_environment(monkeypatch, endpoint)
        ended = run("group", "list", "--stack", "s")
    assert (1, True) == (ended.code, ended.err.startswith(f"matchboxctl: stack s on {endpoint}: "))
    assert "DescribeStacks" in ended.err or status == 503
    assert ended.err.endswith(f"; {advice}\n")


@pytest.mark.parametrize(
    ("environment", "flags", "why"),
    [
        (
            {"MATCHBOX_TABLE": "t", "MATCHBOX_BUCKET": "b"},
            ["--stack", "s"],
            "--stack (MATCHBOX_STACK) 's' names tables",
        ),
        ({"MATCHBOX_HISTORY_TABLE": "t"}, ["--stack", "s"], "--stack (MATCHBOX_STACK) 's' names"),
        ({"MATCHBOX_HISTORY_TABLE": "t"}, [], "MATCHBOX_HISTORY_TABLE is set and MATCHBOX_TABLE is not: "),
        ({"MATCHBOX_STACK": "s"}, ["--data-path", "d"], "--stack (MATCHBOX_STACK) selects store mode, and --data-path"),
        (
            {"AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:1", "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1"},
            ["--stack", "s"],
            "AWS_ENDPOINT_URL_DYNAMODB is set and AWS_ENDPOINT_URL_CLOUDFORMATION is not: ",
        ),
        (
            {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_REGION": "eu-west-1", "AWS_EC2_METADATA_DISABLED": "true"},
            ["--stack", "s"],
            "no AWS credentials: set AWS_PROFILE",
        ),
    ],
)
def test_contradictions_are_refused_before_any_call(
    run: Commands,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    environment: Mapping[str, str],
    flags: list[str],
    why: str,
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    ended = run("group", "list", *flags)
    assert (2, "", True) == (ended.code, ended.out, ended.err.startswith(f"matchboxctl: {why}"))


def test_endpoint_without_a_server_is_named(run: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    set_environment(monkeypatch, "http://127.0.0.1:1")
    monkeypatch.setenv("MATCHBOX_TABLE", "t")
    monkeypatch.setenv("MATCHBOX_BUCKET", "b")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setattr(light_clients, "_ATTEMPTS", 1)
    cannot = "cannot connect to http://127.0.0.1:1/; "
    own = "table t on http://127.0.0.1:1, bucket b on http://127.0.0.1:1: no answer from 127.0.0.1:1 (attempts: 1): "
    own += "connection refused; run the same command again"
    errors = {
        "fsck": f"{cannot}check the endpoint and the network",
        "group list": f"{cannot}run the same command again",
    }
    for words, error in {**errors, "sync": own, "releases x": own}.items():
        ended = run(*words.split())
        assert (1, f"matchboxctl: {error}") == (ended.code, ended.err.splitlines()[-1])
