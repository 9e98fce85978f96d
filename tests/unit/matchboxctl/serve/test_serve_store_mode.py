"""`matchboxctl serve` in store mode."""

import subprocess
import urllib.request
import uuid
from collections.abc import Iterator, Mapping
from contextlib import closing

import pytest
from prometheus_client.parser import text_string_to_metric_families

from lambda_matchbox.aws.table_and_bucket import create_history_table
from matchboxctl.main import main
from tests.rigs.service import Service
from tests.rigs.stores import Stores, new_stores
from tests.support.serving import COMMAND, LIMIT, Serve, started

LONG = 1_500_000
ANYWHERE = ("--address", "127.0.0.1:0")


@pytest.fixture(scope="module")
def stores(moto_server: Service, tmp_path_factory: pytest.TempPathFactory) -> Stores:
    data = tmp_path_factory.mktemp("data")
    for name in ("groups", "profiles", "generic"):
        (data / name).mkdir()
    (data / "groups" / "long.json").write_text('{"profile": "long", "selector": {"os": "long"}}')
    (data / "profiles" / "long.json").write_text('{"generic_id": "t", "boot": {"kernel": "/assets/vmlinuz"}}')
    (data / "generic" / "t").write_text("{{.os}}" + "x" * LONG)
    filled = new_stores(moto_server, moto_server)
    filled.fill(data)
    return filled


@pytest.fixture(scope="module")
def server(stores: Stores) -> Iterator[Serve]:
    with started(*ANYWHERE, environment=stores.environment()) as running:
        yield running
        running.end()


def refused(environment: Mapping[str, str], *flags: str) -> str:
    """The one line with which `serve` refuses to start."""
    ended = subprocess.run(
        [*COMMAND, *ANYWHERE, *flags], capture_output=True, text=True, timeout=LIMIT, check=False, env=environment
    )
    assert (2, "") == (ended.returncode, ended.stdout)
    (line,) = ended.stderr.splitlines()
    return line.removeprefix("matchboxctl: ")


def test_startup_banner_names_table_and_bucket(server: Serve, stores: Stores) -> None:
    endpoint = stores.tables.endpoint
    assert (
        f"serving table {stores.name} on {endpoint}, bucket {stores.name} on {endpoint} (store mode): 1 selector shape"
        == server.startup_banner[0]
    )


def test_validation_is_printed_behind_the_banner(server: Serve, stores: Stores) -> None:
    command = f"MATCHBOX_TABLE={stores.name} MATCHBOX_BUCKET={stores.name} matchboxctl validate"
    last = f"  run `{command}` for all of them, and what to do"
    assert [
        "1 fault in 1 group, 1 profile, 1 template:",
        "  profiles/long.json: fault: kernel: /assets/vmlinuz does not exist",
        last,
    ] == server.await_line(last)[-3:]


def test_long_response_is_redirected_to_the_bucket(server: Serve) -> None:
    redirect = server.get("/generic?os=long")
    assert (302, b"") == (redirect.status, redirect.body)
    with urllib.request.urlopen(redirect.headers["location"], timeout=LIMIT) as response:
        assert (b"long" + b"x" * LONG, "text/plain; charset=utf-8") == (
            response.read(),
            response.headers["content-type"],
        )
    assert "/answers/" in redirect.headers["location"]


def test_long_response_is_an_error_for_grub(server: Serve) -> None:
    """It would take the redirect for the file."""
    response = server.get("/generic?os=long", "GRUB 2.06")
    over = b"the response has 1500004 bytes, over the balancer's limit of 720000"
    assert (500, b"'GRUB' does not follow the redirect, and " + over + b"\n") == (response.status, response.body)


def test_head_of_a_long_response_stores_nothing(server: Serve) -> None:
    head = server.get("/generic?os=long", method="HEAD")
    assert (200, str(LONG + 4), b"") == (head.status, head.headers["content-length"], head.body)


def test_absent_table_is_named(stores: Stores) -> None:
    line = refused(stores.environment() | {"MATCHBOX_TABLE": "absent"})
    assert line.startswith(f"table absent on {stores.tables.endpoint}, ")
    assert line.endswith(": check name and region, or create it with `matchboxctl init`")


def test_absent_bucket_is_named(stores: Stores) -> None:
    line = refused(stores.environment() | {"MATCHBOX_BUCKET": "absent"})
    assert "bucket absent on " in line
    assert line.endswith(": check name and region, or create it with `matchboxctl init`")


@pytest.mark.parametrize(
    ("given", "flags", "reason"),
    [
        ({}, ("--data-path", "/tmp"), "unset one of them"),
        ({"MATCHBOX_DATA_PATH": "/tmp"}, (), "unset one of them"),
        ({}, ("--assets-path", "/tmp"), "unset one of them"),
        ({"MATCHBOX_BUCKET": ""}, (), "MATCHBOX_TABLE is set and MATCHBOX_BUCKET is not"),
        ({"AWS_ENDPOINT_URL_S3": ""}, (), "AWS_ENDPOINT_URL_DYNAMODB is set and AWS_ENDPOINT_URL_S3 is not"),
        ({"AWS_ENDPOINT_URL_S3": "127.0.0.1:1"}, (), "invalid AWS_ENDPOINT_URL_S3 '127.0.0.1:1': use http://"),
        ({"AWS_ENDPOINT_URL_DYNAMODB": "http://"}, (), "invalid AWS_ENDPOINT_URL_DYNAMODB 'http://'"),
        ({"AWS_ENDPOINT_URL_S3": "http://a:x"}, (), "invalid AWS_ENDPOINT_URL_S3 'http://a:x'"),
        ({"MATCHBOX_BUCKET_URL": "https://a"}, (), "does not start with http://"),
        ({"MATCHBOX_PRESIGNED_LIFETIME": "1h"}, (), "MATCHBOX_PRESIGNED_LIFETIME '1h' is not a number of seconds"),
    ],
)
def test_invalid_settings_are_named(stores: Stores, given: dict[str, str], flags: tuple[str, ...], reason: str) -> None:
    """Both modes at once, half the settings, or an invalid value."""
    assert reason in refused(stores.environment() | given, *flags)


@pytest.mark.parametrize("command", [("init",), ("import", "/tmp"), ("export", "/tmp"), ("fsck",)])
def test_endpoint_without_scheme_is_refused(command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    """By every command."""
    for name in ("AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL_S3", "MATCHBOX_DATA_PATH"):
        monkeypatch.delenv(name, raising=False)
    given = {"MATCHBOX_TABLE": "t", "MATCHBOX_BUCKET": "b", "AWS_REGION": "r", "AWS_ENDPOINT_URL": "127.0.0.1:1"}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    assert 2 == main(command)


def test_no_request_to_aws_without_credentials(stores: Stores) -> None:
    environment = {k: v for k, v in stores.environment().items() if not k.startswith(("AWS_ACCESS", "AWS_SECRET"))}
    line = refused(environment | {"AWS_EC2_METADATA_DISABLED": "true", "HOME": "/nowhere"})
    assert line.startswith("no AWS credentials: ")


def test_starts_while_stores_are_unavailable(stores: Stores) -> None:
    """Responses are 503 until they are back."""
    away = {"AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:9", "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9"}
    with started(*ANYWHERE, environment=stores.environment() | away) as running:
        response = running.send("/ipxe")
        assert 503 == response.status
        assert 2 <= int(response.headers["retry-after"]) <= 10
        running.end()
    assert "requests get a 503 until it answers" in running.errors[0]


def test_absent_aws_profile_is_named(stores: Stores) -> None:
    assert "AWS_PROFILE: " in refused(stores.environment() | {"AWS_PROFILE": "nobody", "HOME": "/nowhere"})


@pytest.mark.parametrize("history", [True, False])
def test_metrics_have_what_the_tables_have(stores: Stores, history: bool) -> None:
    """Of machines where there is a table for their history."""
    environment, table = stores.environment(), f"history-{uuid.uuid4()}"
    if history:
        with closing(stores.tables.client("dynamodb")) as client:
            create_history_table(client, table)
        environment["MATCHBOX_HISTORY_TABLE"] = table
    with started(*ANYWHERE, "--metrics-address", "127.0.0.1:0", environment=environment) as running:
        (line,) = (line for line in running.startup_banner if line.startswith("metrics at "))
        with urllib.request.urlopen(line.removeprefix("metrics at "), timeout=LIMIT) as response:
            found = {metric.name for metric in text_string_to_metric_families(response.read().decode())}
        assert {
            "matchbox_requests",
            "matchbox_request_duration_seconds",
            "matchbox_sync_age_seconds",
            "matchbox_release_info",
            *(["matchbox_machines"] if history else []),
        } == found
        running.end()
        assert not any("metrics" in line for line in running.errors)
