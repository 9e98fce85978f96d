"""What commands say where a stack, table and bucket cannot be used."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from lambda_matchbox.aws.clients import light_clients
from lambda_matchbox.aws.clients.errors import AWSError
from matchboxctl.store.aws_errors import with_advice
from tests.support.certificates import tls_server
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
        (403, "ExpiredToken", "check the credentials and the clock"),
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


@pytest.fixture
def one_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MATCHBOX_TABLE", "t")
    monkeypatch.setenv("MATCHBOX_BUCKET", "b")
    monkeypatch.setattr(light_clients, "_ATTEMPTS", 1)


@pytest.mark.usefixtures("one_attempt")
def test_endpoint_without_a_server_is_named(run: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    set_environment(monkeypatch, "http://127.0.0.1:1")
    boto3 = "cannot connect to http://127.0.0.1:1/"
    own = "no response from 127.0.0.1:1 (attempts: 1): connection refused"
    for words, error in {"fsck": boto3, "group list": boto3, "sync": own, "releases x": own}.items():
        ended = run(*words.split())
        line = f"matchboxctl: {error}; check the endpoint and the network"
        assert (1, line) == (ended.code, ended.err.splitlines()[-1])


@pytest.mark.usefixtures("one_attempt")
def test_certificate_of_an_unknown_authority_is_named(
    run: Commands, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    context, authority = tls_server(tmp_path, ["127.0.0.1"])
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        with in_thread(server):
            host = f"127.0.0.1:{server.server_port}"
            set_environment(monkeypatch, f"https://{host}")
            for words, error in {
                "fsck": f"cannot connect to https://{host}/",
                "sync": f"no response from {host} (attempts: 1)",
            }.items():
                line = run(words).err.splitlines()[-1]
                assert line.startswith(f"matchboxctl: {error}: its certificate is not valid: unable to get ")
                assert line.endswith("; set SSL_CERT_FILE and AWS_CA_BUNDLE to the file of its CA")
            for name in ("SSL_CERT_FILE", "AWS_CA_BUNDLE"):
                monkeypatch.setenv(name, str(authority))
            for words in ("fsck", "sync"):
                assert "certificate" not in run(words).err


@pytest.mark.parametrize(
    ("code", "operation", "shown"),
    [
        (
            "ResourceNotFoundException",
            "",
            "the table does not exist: check name and region, or create it with ",
        ),
        ("NoSuchBucket", "ListObjectsV2", "the bucket does not exist: check name and region, or create it "),
        ("SignatureDoesNotMatch", "ListObjectsV2", "ListObjectsV2: SignatureDoesNotMatch; check the credentials and"),
        ("UnrecognizedClientException", "", "UnrecognizedClientException; check the credentials and the clock"),
        ("AccessDenied", "", "AccessDenied (HTTP status 400): no; check the permissions of these credentials"),
        ("PermanentRedirect", "GetObject", "GetObject: no (PermanentRedirect); check the region and the credentials"),
    ],
)
def test_refusal_says_what_to_check(code: str, operation: str, shown: str) -> None:
    error = AWSError(code, "no", 400)
    if operation:
        error.__cause__ = ClientError({"Error": {"Code": code}}, operation)
    assert with_advice(error).startswith(shown)
