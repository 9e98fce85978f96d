"""The function as its environment configures it, on table and bucket."""

import base64
import json
import socket
import time
import uuid
from typing import Any

import boto3
import pytest

from lambda_matchbox.aws.table_and_bucket import create_table
from lambda_matchbox.environment import MissingSettingError
from lambda_matchbox.image_sync.job import Report, SyncFailedError
from matchboxctl.cost import facts
from tests.rigs.tcp_fault import fault_proxy
from tests.support.images.signatures import TAG as TAGGED
from tests.support.images.signatures import attach, fingerprint, new_key, public_pem, simple_signing
from tests.unit.asset_sync.sync_function import ON_DEMAND, SCHEDULE, Function
from tests.unit.image_sync.sync_subject import TAG, sha256, talos

ONE, OTHER = talos(b"one kernel"), talos(b"another kernel")
PASSWORD = "correct horse"


def new_secret(function: Function, text: str) -> None:
    """A secret with that text, which the function is configured with."""
    name = f"registry-{uuid.uuid4()}"
    boto3.Session(region_name=function.environment["AWS_REGION"]).client("secretsmanager").create_secret(
        Name=name, SecretString=text
    )
    function.environment["MATCHBOX_REGISTRY_SECRET"] = name


def test_general_endpoint_is_addressed_by_path(function: Function, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server's host need not have a subdomain for each bucket."""
    own = [name for name in function.environment if name.startswith("AWS_ENDPOINT_URL_")]
    general = {function.environment.pop(name).replace("127.0.0.1", "localhost") for name in own}
    for name in own:
        monkeypatch.delenv(name)
    (function.environment["AWS_ENDPOINT_URL"],) = general
    monkeypatch.setenv("AWS_ENDPOINT_URL", *general)
    resolved = socket.getaddrinfo

    def without_subdomains(host: Any, *arguments: Any) -> Any:
        if str(host).endswith(".localhost"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return resolved(host, *arguments)

    monkeypatch.setattr(socket, "getaddrinfo", without_subdomains)
    function.add("never", ONE)
    assert ["never"] == function.job().run(None).changed


def test_schedule_syncs_sources_that_are_due(function: Function) -> None:
    for name in ("never", "long-ago", "just-now"):
        function.add(name, ONE, interval="1h")
    function.store("long-ago").note_checked(int(time.time()) - 7200)
    function.store("just-now").note_checked(int(time.time()))
    assert Report(["long-ago", "never"], [], [], [], ["just-now"]) == function.run(SCHEDULE)
    assert (ONE.digest, ONE.digest, None) == tuple(map(function.served, ("never", "long-ago", "just-now")))
    assert Report([], [], [], [], ["just-now", "long-ago", "never"]) == function.run(SCHEDULE)


def test_requested_source_is_synced_alone(function: Function) -> None:
    function.add("talos-arm64", ONE)
    function.add("talos-amd64", ONE)
    assert Report(["talos-arm64"], [], [], [], []) == function.run(ON_DEMAND)
    assert Report([], ["talos-arm64"], [], [], []) == function.run(ON_DEMAND)
    function.registry.add("talos-arm64", TAG, OTHER)
    assert Report(["talos-arm64"], [], [], [], []) == function.run(ON_DEMAND)
    assert (OTHER.digest, None) == (function.served("talos-arm64"), function.served("talos-amd64"))


def test_unknown_source_is_an_error(function: Function) -> None:
    function.add("talos-amd64", ONE)
    with pytest.raises(SyncFailedError, match=r"^no source 'talos-arm64'; available: talos-amd64"):
        function.run(ON_DEMAND)


def test_objects_have_their_content_types(function: Function) -> None:
    function.add("talos-arm64", ONE)
    function.run(ON_DEMAND)
    pointer = function.store("talos-arm64").pointer()
    assert pointer is not None
    key = f"releases/talos-arm64/{pointer.releases[0].directory}/vmlinuz.sha256"
    found = function.s3.get_object(Bucket=function.environment["MATCHBOX_BUCKET"], Key=key)
    line = f"{sha256(b'one kernel')}  vmlinuz\n".encode()
    assert (line, "text/plain; charset=utf-8") == (found["Body"].read(), found["ContentType"])


def test_missing_table_is_an_error_and_the_next_run_syncs(function: Function) -> None:
    name = function.environment["MATCHBOX_TABLE"]
    function.add("talos-arm64", ONE, stand_in=True)
    function.dynamodb.delete_table(TableName=name)
    with pytest.raises(SyncFailedError) as caught:
        function.run(SCHEDULE)
    assert (
        f"cannot read the sources in table '{name}'; the next run tries again: "
        "ResourceNotFoundException (HTTP status 400): Requested resource not found"
    ) == str(caught.value)
    create_table(function.dynamodb, name)
    assert Report(["talos-arm64"], [], [], [], []) == function.run(SCHEDULE)


def test_stand_in_is_synced(function: Function) -> None:
    function.add("talos-arm64", ONE, stand_in=True)
    assert Report(["talos-arm64"], [], [], [], []) == function.run(SCHEDULE)


def test_source_in_the_table_replaces_an_overlapping_stand_in(function: Function) -> None:
    function.add("first", ONE, stand_in=True, assets="talos/arm64")
    function.run(SCHEDULE)
    function.add("second", OTHER, assets="talos/arm64")
    assert Report(["second"], [], [], [], []) == function.run(SCHEDULE)
    assert (None, OTHER.digest) == (function.served("first"), function.served("second"))


def test_source_in_the_table_replaces_its_stand_in(function: Function) -> None:
    function.add("talos-arm64", ONE, stand_in=True, assets="the/stand-in")
    function.add("talos-arm64", OTHER, assets="the/tables")
    assert Report(["talos-arm64"], [], [], [], []) == function.run(SCHEDULE)
    pointer = function.store("talos-arm64").pointer()
    assert pointer is not None
    assert "the/tables" == pointer.assets


@pytest.mark.parametrize("form", ["config.json", "username and password"])
@pytest.mark.parametrize("scheme", ["bearer", "basic"])
def test_login_is_read_from_the_secret(function: Function, form: str, scheme: str) -> None:
    """The log does not show it."""
    function.registry.scheme, function.registry.login = scheme, ("robot", PASSWORD)
    auth = base64.b64encode(f"robot:{PASSWORD}".encode()).decode()
    texts = {
        "config.json": {"auths": {function.registry.host: {"auth": auth}}},
        "username and password": {"username": "robot", "password": PASSWORD},
    }
    new_secret(function, json.dumps(texts[form]))
    function.add("talos-arm64", ONE)
    assert ["talos-arm64"] == function.run(SCHEDULE).changed
    written = json.dumps(function.log)
    assert [False, False] == [secret in written for secret in (PASSWORD, auth)]


@pytest.mark.parametrize(
    ("secret", "why"),
    [
        (None, "cannot resolve the image: .*ResourceNotFoundException"),
        ("correct horse", "cannot resolve the image: .*is not JSON"),
        ('{"username": "robot", "password": "correct mule"}', "cannot resolve the image: .*password is wrong"),
    ],
)
def test_invalid_secret_is_an_error_that_hides_it(function: Function, secret: str | None, why: str) -> None:
    function.registry.login = ("robot", PASSWORD)
    if secret is None:
        function.environment["MATCHBOX_REGISTRY_SECRET"] = "absent"
    else:
        new_secret(function, secret)
    function.add("talos-arm64", ONE)
    with pytest.raises(SyncFailedError, match=why) as caught:
        function.run(SCHEDULE)
    shown = json.dumps(function.log) + str(caught.value)
    assert [] == [word for word in ("correct horse", "correct mule") if word in shown]


def test_failures_do_not_stop_other_sources(function: Function) -> None:
    function.add("a-bad", None)
    function.add("b-good", ONE)
    function.add("c-refused", ONE, interval="soon")
    function.add("d-good", OTHER)
    with pytest.raises(SyncFailedError) as caught:
        function.run(SCHEDULE)
    assert (ONE.digest, OTHER.digest) == (function.served("b-good"), function.served("d-good"))
    refused, failed = str(caught.value).split("; ")
    assert refused.startswith("source 'c-refused': ")
    assert failed.startswith(f"a-bad: {function.registry.host}/a-bad:{TAG}: cannot resolve the image: ")
    assert {"source refused": [None], "sync failed": ["a-bad"], "synced": ["b-good", "d-good"]} == {
        # They take turns at being first.
        message: sorted([line.get("source") for line in function.log if line["message"] == message], key=str)
        for message in ("source refused", "sync failed", "synced")
    }
    assert {"asset_sync"} == {line["service"] for line in function.log}


def test_image_without_a_signature_is_refused(function: Function) -> None:
    key = new_key()
    function.add("signed", ONE, verify={"key": public_pem(key)})
    function.add("unsigned", OTHER, verify={"key": public_pem(key)})
    attach(function.registry, "signed", ONE, [simple_signing(key, ONE.digest)], TAGGED)
    with pytest.raises(SyncFailedError, match=r"^unsigned: .* cannot verify the signature: the registry has no "):
        function.run(SCHEDULE)
    assert (ONE.digest, None) == (function.served("signed"), function.served("unsigned"))
    name = f"the key sha256:{fingerprint(public_pem(key))}"
    assert [name] == [line["signed_by"] for line in function.log if line["message"] == "synced"]
    (failed,) = (line for line in function.log if line["message"] == "sync failed")
    assert ("unsigned", True) == (failed["source"], "has no signature of" in failed["reason"])


def test_invalid_source_does_not_stop_a_requested_one(function: Function) -> None:
    function.add("refused", ONE, interval="soon")
    function.add("good", ONE)
    assert Report(["good"], [], [], [], []) == function.run({"source": "good"})
    with pytest.raises(SyncFailedError, match=r"no source 'refused'; available: good; source 'refused': "):
        function.run({"source": "refused"})


def test_old_releases_of_a_renamed_source_are_withdrawn(function: Function) -> None:
    function.add("old", ONE, assets="talos")
    function.run(SCHEDULE)
    function.sources.delete("old")
    function.add("new", OTHER, assets="talos")
    function.run(SCHEDULE)
    assert (None, OTHER.digest) == (function.served("old"), function.served("new"))
    assert set() == function.store("old").directories().keys()


def test_busy_source_is_not_a_failure(function: Function) -> None:
    function.add("busy", ONE)
    function.add("free", ONE)
    with function.store("busy").lease():
        assert Report(["free"], [], [], ["busy"], []) == function.run(SCHEDULE)


def test_held_source_is_reported(function: Function) -> None:
    function.add("talos-arm64", ONE)
    function.run(ON_DEMAND)
    store = function.store("talos-arm64")
    pointer = store.pointer()
    assert pointer is not None
    store.move(pointer, pointer._replace(held=True))
    function.registry.add("talos-arm64", TAG, OTHER)
    assert Report([], [], ["talos-arm64"], [], []) == function.run(ON_DEMAND)
    assert ONE.digest == function.served("talos-arm64")


def test_sync_is_logged(function: Function) -> None:
    function.add("talos-arm64", ONE)
    function.run(ON_DEMAND)
    (line,) = function.log
    assert {"level": "INFO", "message": "synced", "source": "talos-arm64", "digest": ONE.digest, "changed": True} == {
        name: line[name] for name in ("level", "message", "source", "digest", "changed")
    }


@pytest.mark.parametrize("name", ["MATCHBOX_TABLE", "MATCHBOX_BUCKET", "AWS_REGION"])
def test_missing_setting_is_an_error(function: Function, name: str) -> None:
    del function.environment[name]
    with pytest.raises(MissingSettingError, match=f"^{name} is not set"):
        function.job()


def test_run_that_finds_nothing_new_takes_what_its_bill_says(function: Function) -> None:
    """A read of an item of up to 4 KB is one unit, a write of one of up to 1 KB, too."""
    function.add("talos-arm64", ONE)
    function.run(SCHEDULE)
    function.store("talos-arm64").note_checked(int(time.time()) - 7200)
    with fault_proxy(function.environment["AWS_ENDPOINT_URL_DYNAMODB"]) as proxy:
        function.environment["AWS_ENDPOINT_URL_DYNAMODB"] = proxy.endpoint
        assert ["talos-arm64"] == function.run(SCHEDULE).unchanged
        assert {"GetItem": facts.SYNC_READS, "UpdateItem": facts.SYNC_WRITES} == proxy.requests()
