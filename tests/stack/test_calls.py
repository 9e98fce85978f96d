"""The functions' AWS calls against their roles."""

import json
import urllib.request
import uuid
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import boto3
import pytest

from asset_sync.handler import job_of
from boot_history.handler import events_in, history_of
from lambda_matchbox.aws.catalog.writer import CatalogWriter
from lambda_matchbox.aws.clients.store_clients import StoreClients
from lambda_matchbox.aws.keys import TOKEN_KEYS
from lambda_matchbox.aws.releases.source_table import SourceTable
from lambda_matchbox.aws.table_and_bucket import create_bucket, create_history_table, create_table
from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import NetBoot, Profile
from lambda_matchbox.machines.policy import Policy
from lambda_matchbox.web.app import App
from lambda_matchbox.web.wiring import lambda_app
from signed_api.handler import app_of as signed_app_of
from tests.rigs.faults import FORBIDDEN
from tests.rigs.service import Service
from tests.rigs.stores import Stores, new_stores
from tests.rigs.tcp_fault import fault_proxy
from tests.stack.recorded_calls import Call, recorded_calls
from tests.stack.resolution import NAME, Stack, leading_keys
from tests.support.commands import Commands
from tests.support.log_subscription import packed
from tests.support.long_timeout import long_timeout
from tests.support.openpgp.keys import PASSPHRASE, key_ring
from tests.support.registry_serving import faulty_registry
from tests.unit.image_sync.sync_subject import TAG, talos

AWSS_OWN = {
    "cloudformation:DescribeStacks",
    "kms:Decrypt",
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "sqs:SendMessage",
}
"""What Lambda and Secrets Manager do themselves with a function's role, and how a command finds a stack's tables."""

HISTORY = "history-of-calls"

SOURCE = "talos-arm64"
GATED, WAITING = "52:54:00:00:00:01", "52:54:00:00:00:02"


@pytest.fixture
def stores(moto_server: Service) -> Iterator[Stores]:
    made = new_stores(moto_server, moto_server)
    with closing(moto_server.client("dynamodb")) as dynamodb, closing(moto_server.client("s3")) as s3:
        create_table(dynamodb, made.name)
        create_bucket(s3, made.name, moto_server.region)
        writer = CatalogWriter(StoreClients(dynamodb, s3, made.name, made.name))
        writer.put_profile(Profile("p", generic_id="long", cloud_id="short", boot=NetBoot("/assets/vmlinuz")))
        writer.put_group(Group("g", profile="p"))
        writer.put_group(Group("gated", profile="p", selector={"mac": GATED}, boot=Policy(once=True, token=True)))
        writer.put_template("cloud", "short", b"#!/bin/sh\n")
        writer.put_template("generic", "long", 800_000 * b"x")
        s3.put_object(Bucket=made.name, Key="assets/vmlinuz", Body=b"kernel", ContentType="text/plain")
        s3.put_object(Bucket=made.name, Key="assets/large", Body=bytes(2_000_000), ContentType="text/plain")
        for name in ("large.sig", "small.asc"):
            size = 2_000_000 if name.startswith("large") else 1
            s3.put_object(Bucket=made.name, Key=f"assets/{name}", Body=bytes(size), ContentType="text/plain")
    return made


def _sync(stores: Stores, moto: Service, scratch: Path, secret: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two releases, of which the second has a file of the first, and what a killed sync left."""
    environment = stores.environment() | {
        "AWS_ENDPOINT_URL_DYNAMODB": moto.endpoint,
        "AWS_ENDPOINT_URL_S3": moto.endpoint,
        "AWS_ENDPOINT_URL_SECRETS_MANAGER": moto.endpoint,
        "MATCHBOX_REGISTRY_SECRET": secret,
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with (
        faulty_registry() as registry,
        closing(stores.tables.client("dynamodb")) as dynamodb,
        closing(stores.buckets.client("s3")) as s3,
    ):
        registry.scheme, registry.login = "basic", ("robot", "correct horse")
        boto3.client("secretsmanager", region_name=moto.region).create_secret(
            Name=secret, SecretString='{"username": "robot", "password": "correct horse"}'
        )
        document = {"id": SOURCE, "image": f"{registry.host}/{SOURCE}:{TAG}", "assets": "talos/arm64"}
        SourceTable(StoreClients(dynamodb, s3, stores.name, stores.name)).put(SOURCE, json.dumps(document))
        s3.put_object(Bucket=stores.name, Key=f"releases/{SOURCE}/left/vmlinuz", Body=b"x")
        for kernel in (b"one", b"two"):
            registry.add(SOURCE, TAG, talos(kernel))
            job = job_of(environment, scratch)
            with closing(job._downloads.registry):
                assert [SOURCE] == job.run(SOURCE).changed
        # As if a month had passed.
        made = {"k1": {"S": b64encode(bytes(32)).decode()}, "newest": {"N": "1"}}
        dynamodb.put_item(TableName=stores.name, Item={"pk": {"S": TOKEN_KEYS}, **made})
        job.run(None)


def _boot(stores: Stores, moto: Service) -> None:
    """What machines ask, and the addresses that they are sent to."""
    environment = stores.environment() | {
        "AWS_ENDPOINT_URL_DYNAMODB": moto.endpoint,
        "AWS_ENDPOINT_URL_S3": moto.endpoint,
    }
    paths = [
        "/ipxe",
        "/cloud",
        "/generic",
        "/assets/",
        "/assets/vmlinuz",
        "/assets/large",
        "/assets/talos/arm64/vmlinuz",
    ]
    with long_timeout():
        app = lambda_app(environment)
    _ask(app, paths)
    script = _answer(app, "/ipxe", mac=GATED)["body"]
    assert _answer(app, "/cloud", mac=GATED, token=script.split("set token ")[1].split()[0])["statusCode"] == 200


def _answer(app: App, path: str, **labels: str) -> dict[str, Any]:
    query = {name: [value] for name, value in labels.items()}
    event = {"httpMethod": "GET", "path": path, "multiValueQueryStringParameters": query}
    return app.handle({**event, "multiValueHeaders": {"host": ["boot.example"]}})


def _sign(stores: Stores, unrecorded: Service, moto: Service, secret: str) -> None:
    """What is asked for by paths in .sig and .asc, of which some are assets, and some are none."""
    with closing(unrecorded.client("secretsmanager")) as client:
        key = {"key": key_ring("ed25519").decode(), "passphrase": PASSPHRASE}
        client.create_secret(Name=secret, SecretString=json.dumps(key))
    environment = stores.environment() | {
        "AWS_ENDPOINT_URL_DYNAMODB": moto.endpoint,
        "AWS_ENDPOINT_URL_S3": moto.endpoint,
        "AWS_ENDPOINT_URL_SECRETS_MANAGER": moto.endpoint,
        "MATCHBOX_SIGNING_KEY_SECRET": secret,
    }
    paths = [
        "/ipxe.sig",
        "/cloud.asc",
        "/generic.sig",
        "/assets/large.sig",
        "/assets/small.asc",
    ]
    with long_timeout():
        app = signed_app_of(environment)
    _ask(app, paths)
    assert _answer(app, "/ipxe.sig", mac=GATED)["statusCode"] == 200
    _ask(app, ["/assets/absent.asc", "/assets/talos/arm64/vmlinuz.sig"], (404,))


@pytest.fixture
def history_table(moto_server: Service) -> Iterator[str]:
    with closing(moto_server.client("dynamodb")) as client:
        create_history_table(client, HISTORY)
        yield HISTORY
        client.delete_table(TableName=HISTORY)


def _fold(stores: Stores, moto: Service) -> None:
    """What the function of the history does with the lines of a boot, of which some come twice."""
    environment = stores.environment() | {
        "AWS_ENDPOINT_URL_DYNAMODB": moto.endpoint,
        "MATCHBOX_HISTORY_TABLE": HISTORY,
    }
    history = history_of(environment)
    common = {"message": "request", "method": "GET", "status": 200, "client": "10.0.0.5", "user_agent": "iPXE"}
    lines = [
        {"route": "/ipxe", "mac": GATED, "uuid": "u"},
        {"route": "/assets/", "path": "/assets/vmlinuz"},
        {"route": "/ipxe", "mac": WAITING, "group": "approved", "verdict": "wait", "state": "waiting"},
    ]
    for _ in range(2):
        history.add(events_in(packed([json.dumps(common | line) for line in lines], 1)))


def _ask(app: App, paths: list[str], statuses: tuple[int, ...] = (200, 302)) -> None:
    """Ask each, which has to be answered so, and follow where it leads."""
    for path in paths:
        event = {"httpMethod": "GET", "path": path, "multiValueHeaders": {"user-agent": ["curl/8"]}}
        answer = app.handle(event)
        assert answer["statusCode"] in statuses, (path, answer)
        for location in answer["multiValueHeaders"].get("location", ()):
            with urllib.request.urlopen(location, timeout=30) as got:
                got.read()


def _arn(call: Call, name: str) -> str:
    service = call.action.partition(":")[0]
    if call.resource.startswith(HISTORY):
        return f"<HistoryTable.Arn>{call.resource.removeprefix(HISTORY)}"
    if service == "dynamodb":
        return f"arn:aws:dynamodb:eu-central-1:123456789012:table/{call.resource.replace(name, NAME)}"
    return f"arn:aws:s3:::{call.resource.replace(name, NAME)}" if service == "s3" else call.resource


def _limited(call: Call) -> str:
    """The key of a table's item, by which policies limit access to all tables but that of the history."""
    return "" if call.resource.startswith(HISTORY) else call.key


def _allowed(stack: Stack, role: str) -> list[set[Call]]:
    """For each statement every action on every resource and item that it allows, with wildcards."""
    return [
        {
            Call(action, resource, key)
            for action in statement["Action"]
            for resource in statement["Resource"]
            for key in leading_keys(statement) or {""}
        }
        for statement in stack.statements(role)
        if not AWSS_OWN.intersection(statement["Action"])
    ]


def _covers(allowed: Call, call: Call) -> bool:
    return all(map(fnmatchcase, call, allowed))


def _covered(calls: set[Call], allowed: list[set[Call]], name: str) -> tuple[set[Any], set[Any]]:
    """The calls that no statement allows, and what is allowed for no call: actions, resources and keys."""
    asked = {call._replace(resource=_arn(call, name), key=_limited(call)) for call in calls}
    used = [{(one, call) for one in statement for call in asked if _covers(one, call)} for statement in allowed]
    missing = asked - {call for pairs in used for _, call in pairs}
    unused = {
        part
        for statement, pairs in zip(allowed, used, strict=True)
        for part in {each for one in statement for each in one} - {each for one, _ in pairs for each in one}
    }
    return missing, unused


def test_roles_allow_the_calls_of_the_functions_only(
    full: Stack,
    stores: Stores,
    history_table: str,
    moto_server: Service,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    secret = f"{full.parameters['RegistrySecret']}-{uuid.uuid4().hex[:6]}"
    with recorded_calls(moto_server) as (moto, calls):
        _sync(stores, moto, tmp_path / "scratch", secret, monkeypatch)
        of_sync = {call for call in calls if call.action != "secretsmanager:CreateSecret"}
        calls.clear()
        _boot(stores, moto)
        of_boot = set(calls)
        calls.clear()
        signing = f"{full.parameters['SigningKeySecret']}-{uuid.uuid4().hex[:6]}"
        _sign(stores, moto_server, moto, signing)
        of_signing = set(calls)
        calls.clear()
        _fold(stores, moto)
        of_history = set(calls)
    parameters = {secret: full.parameters["RegistrySecret"], signing: full.parameters["SigningKeySecret"]}
    for role, made in {
        "AssetSyncRole": of_sync,
        "BootApiRole": of_boot,
        "SignedApiRole": of_signing,
        "BootHistoryRole": of_history,
    }.items():
        asked = {call._replace(resource=parameters.get(call.resource, call.resource)) for call in made}
        assert (set(), set()) == _covered(asked, _allowed(full, role), stores.name), role


def test_operators_policies_allow_their_commands_only(
    full: Stack,
    stores: Stores,
    history_table: str,
    moto_server: Service,
    monkeypatch: pytest.MonkeyPatch,
    capsysbinary: pytest.CaptureFixture[bytes],
) -> None:
    """They do not allow to scan the table, by which `describe` says why no other group selects a machine."""
    run = Commands(capsysbinary)
    _fold(stores, moto_server)
    stores.writer().put_group(Group("approved", profile="p", selector={"mac": WAITING}, boot=Policy(approve=True)))
    with recorded_calls(moto_server) as (moto, calls), fault_proxy(moto.endpoint) as proxy:
        proxy.switch(replace(FORBIDDEN, only="Scan"))
        names = {"MATCHBOX_HISTORY_TABLE": history_table, "AWS_ENDPOINT_URL_DYNAMODB": proxy.endpoint}
        for name, value in (stores.environment() | names | {"AWS_ENDPOINT_URL_S3": moto.endpoint}).items():
            monkeypatch.setenv(name, value)
        for line in (["list"], ["list", "--state", "unknown"], ["history", GATED]):
            assert run("machine", *line)[::2] == (0, ""), line
        described = run("machine", "describe", GATED)
        assert (0, True) == (described.code, "why no other group selects it is left out: " in described.err)
        of_viewer = set(calls)
        assert run("machine", "approve", GATED).err == ""
        assert WAITING in run("machine", "approve", "--group", "approved", "--all").out
    viewer, approver = (_allowed(full, policy) for policy in ("MachineViewer", "MachineApprover"))
    assert (set(), set()) == _covered(of_viewer, viewer, stores.name)
    assert (set(), set()) == _covered(calls, viewer + approver, stores.name)
