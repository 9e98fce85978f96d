"""The functions' AWS calls against their roles."""

import uuid
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from lambda_matchbox.aws.catalog.writer import CatalogWriter
from lambda_matchbox.aws.clients.store_clients import StoreClients
from lambda_matchbox.aws.table_and_bucket import create_bucket, create_history_table, create_table
from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import NetBoot, Profile
from lambda_matchbox.machines.policy import Policy
from matchboxctl.store.mode import chosen_store
from tests.rigs.faults import FORBIDDEN
from tests.rigs.service import Service
from tests.rigs.stores import Stores, new_stores
from tests.rigs.tcp_fault import fault_proxy
from tests.stack.conftest import DOORS, FULL, stacks_behind
from tests.stack.function_runs import (
    GATED,
    HISTORY,
    SECRET_TEMPLATE,
    WAITING,
    boot,
    fold,
    secrets_of_configurations,
    sign,
    sync,
)
from tests.stack.recorded_calls import Call, recorded_calls
from tests.stack.resolution import NAME, Stack, leading_keys
from tests.support.commands import Commands
from tests.support.consoles import console

AWSS_OWN = {
    "cloudformation:DescribeStacks",
    "kms:Decrypt",
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "sqs:SendMessage",
}
"""What Lambda and Secrets Manager do themselves with a function's role, and how a command finds a stack's tables."""


@pytest.fixture
def stores(moto_server: Service) -> Iterator[Stores]:
    made = new_stores(moto_server, moto_server)
    with closing(moto_server.client("dynamodb")) as dynamodb, closing(moto_server.client("s3")) as s3:
        create_table(dynamodb, made.name)
        create_bucket(s3, made.name, moto_server.region)
        writer = CatalogWriter(StoreClients(dynamodb, s3, made.name, made.name))
        writer.put_profile(Profile("p", generic_id="long", cloud_id="short", boot=NetBoot("/assets/vmlinuz")))
        writer.put_group(Group("g", profile="p"))
        writer.put_profile(Profile("q", cloud_id="secrets", boot=NetBoot("/assets/vmlinuz")))
        writer.put_group(Group("gated", profile="q", selector={"mac": GATED}, boot=Policy(once=True, token=True)))
        writer.put_template("cloud", "short", b"#!/bin/sh\n")
        writer.put_template("cloud", "secrets", SECRET_TEMPLATE)
        writer.put_template("generic", "long", 800_000 * b"x")
        s3.put_object(Bucket=made.name, Key="assets/vmlinuz", Body=b"kernel", ContentType="text/plain")
        s3.put_object(Bucket=made.name, Key="assets/large", Body=bytes(2_000_000), ContentType="text/plain")
        for name in ("large.sig", "small.asc"):
            size = 2_000_000 if name.startswith("large") else 1
            s3.put_object(Bucket=made.name, Key=f"assets/{name}", Body=bytes(size), ContentType="text/plain")
    return made


@pytest.fixture
def history_table(moto_server: Service) -> Iterator[str]:
    with closing(moto_server.client("dynamodb")) as client:
        create_history_table(client, HISTORY)
        yield HISTORY
        client.delete_table(TableName=HISTORY)


def _arn(call: Call, name: str) -> str:
    service = call.action.partition(":")[0]
    if call.resource.startswith(HISTORY):
        return f"<HistoryTable.Arn>{call.resource.removeprefix(HISTORY)}"
    if service == "dynamodb":
        return f"arn:aws:dynamodb:eu-central-1:123456789012:table/{call.resource.replace(name, NAME)}"
    if service == "ssm":
        return f"arn:aws:ssm:eu-central-1:123456789012:parameter{call.resource}"
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
    stores: Stores,
    history_table: str,
    moto_server: Service,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    secret = f"{FULL['RegistrySecret']}-{uuid.uuid4().hex[:6]}"
    with recorded_calls(moto_server) as (moto, calls), secrets_of_configurations(moto_server):
        sync(stores, moto, tmp_path / "scratch", secret, monkeypatch)
        of_sync = {call for call in calls if call.action != "secretsmanager:CreateSecret"}
        calls.clear()
        token = boot(stores, moto)
        of_boot = set(calls)
        calls.clear()
        signing = f"{FULL['SigningKeySecret']}-{uuid.uuid4().hex[:6]}"
        sign(stores, moto_server, moto, signing, token)
        of_signing = set(calls)
        calls.clear()
        fold(stores, moto)
        of_history = set(calls)
    join, token = FULL["SecretsManagerArns"].split(",")
    parameters = {
        secret: FULL["RegistrySecret"],
        signing: FULL["SigningKeySecret"],
        "join": join,
        "prod/token": token,
    }
    for role, made in {
        "AssetSyncRole": of_sync,
        "BootApiRole": of_boot,
        "SignedApiRole": of_signing,
        "BootHistoryRole": of_history,
    }.items():
        asked = {call._replace(resource=parameters.get(call.resource, call.resource)) for call in made}
        for door in DOORS:
            allowed = _allowed(stacks_behind(door).full, role)
            assert (set(), set()) == _covered(asked, allowed, stores.name), (role, door)


def test_operators_policies_allow_their_commands_only(
    stores: Stores,
    history_table: str,
    moto_server: Service,
    monkeypatch: pytest.MonkeyPatch,
    capsysbinary: pytest.CaptureFixture[bytes],
) -> None:
    """They do not allow to scan the table, by which `describe` says why no other group selects a machine."""
    run = Commands(capsysbinary)
    fold(stores, moto_server)
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
        with console(chosen_store("")) as running:
            browser = running.browser()
            for target in ("/", "/?state=unknown", f"/?q={GATED}", f"/live/machines?key=mac:{GATED}"):
                browser.get(target)
        of_viewer = set(calls)
        assert run("machine", "approve", GATED).err == ""
        assert WAITING in run("machine", "approve", "--group", "approved", "--all").out
    for door in DOORS:
        stack = stacks_behind(door).full
        viewer, approver = (_allowed(stack, policy) for policy in ("MachineViewer", "MachineApprover"))
        assert (set(), set()) == _covered(of_viewer, viewer, stores.name)
        assert (set(), set()) == _covered(calls, viewer + approver, stores.name)
