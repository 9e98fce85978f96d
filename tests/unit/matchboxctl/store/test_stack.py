"""`--stack`: table and bucket by the outputs of a CloudFormation stack."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from types import MappingProxyType
from uuid import uuid4

import boto3
import pytest

from lambda_matchbox.aws.table_and_bucket import create_history_table
from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import NetBoot, Profile
from lambda_matchbox.machines.events import command_event
from lambda_matchbox.machines.identities import Identities
from matchboxctl.machines.opened_stores import opened_stores
from matchboxctl.serve import command as serve_command
from matchboxctl.serve.settings import ServeSettings
from matchboxctl.store.mode import StoreSettings, chosen_store
from tests.rigs.service import Service
from tests.rigs.stores import Stores, new_stores
from tests.support.commands import Commands, Ended
from tests.support.serving import started
from tests.unit.matchboxctl.store.environments import set_environment

pytestmark = pytest.mark.system


def make_stack(
    service: Service, outputs: Mapping[str, str], parameters: Mapping[str, str] = MappingProxyType({})
) -> str:
    """A stack on moto with these outputs; its name."""
    name = f"stack-{uuid4()}"
    template = {
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
        "Outputs": {key: {"Value": value} for key, value in outputs.items()},
        "Parameters": {
            key: {"Type": "Number" if value.isdigit() else "String", "Default": value}
            for key, value in parameters.items()
        },
    }
    keys = {"aws_access_key_id": service.access_key, "aws_secret_access_key": service.secret_key}
    with closing(
        boto3.client("cloudformation", endpoint_url=service.endpoint, region_name=service.region, **keys)
    ) as client:
        client.create_stack(StackName=name, TemplateBody=json.dumps(template))
    return name


@pytest.fixture
def stores(moto_server: Service, monkeypatch: pytest.MonkeyPatch) -> Stores:
    stores = new_stores(moto_server, moto_server)
    stores.create()
    set_environment(monkeypatch, moto_server.endpoint)
    return stores


@pytest.fixture
def stack(stores: Stores, moto_server: Service) -> str:
    stores.writer().put_group(Group("node1", profile="p"))
    names = {"TableName": stores.name, "BucketName": stores.name, "HistoryTableName": f"{stores.name}-history"}
    return make_stack(moto_server, names)


def test_stack_names_table_and_bucket(
    run: Commands, stack: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """By the flag after the command or before it, or by the environment."""
    assert "node1" in run("group", "list", "--stack", stack).out
    assert "node1" in run("--stack", stack, "group", "list").out
    assert 0 == run("-stack", stack, "export", tmp_path / "out").code
    assert (tmp_path / "out/groups/node1.json").exists()
    monkeypatch.setenv("MATCHBOX_STACK", stack)
    assert "node1" in run("group", "list").out
    assert 0 == run("fsck").code


def test_processes_of_serve_have_the_names(stack: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """`serve --sync` starts others, which do not ask for the stack again."""
    monkeypatch.setenv("MATCHBOX_STACK", stack)
    store = chosen_store("", stack)
    assert isinstance(store, StoreSettings)
    assert f"{store.table}-history" == store.history_table == store.environment()["MATCHBOX_HISTORY_TABLE"]
    environment = store.environment() | {"AWS_ENDPOINT_URL_CLOUDFORMATION": "http://127.0.0.1:1"}
    command = [sys.executable, "-m", "matchboxctl.main", "group", "list"]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True)
    assert "node1" in ended.stdout


def test_stack_of_a_release_without_histories_has_no_history_table(stores: Stores, moto_server: Service) -> None:
    store = chosen_store("", make_stack(moto_server, {"TableName": stores.name, "BucketName": stores.name}))
    assert isinstance(store, StoreSettings)
    assert (stores.name, "") == (store.table, store.history_table)


def test_stack_of_a_release_without_secrets_has_none(run: Commands, stack: str) -> None:
    assert f"stack {stack} has no output SecretsPrefix: update it" in " ".join(
        " ".join(run.refused("secret", "list", "--stack", stack)).split()
    )


def test_stack_names_its_secrets_and_their_key(
    stores: Stores, moto_server: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The prefix is an output, the key and the ARNs in Secrets Manager are parameters."""
    arns = [f"arn:aws:secretsmanager:eu-west-1:123456789012:secret:{name}-AbCdEf" for name in ("a", "b/c")]
    outputs = {"TableName": stores.name, "BucketName": stores.name, "SecretsPrefix": "/matchbox/boot"}
    stack = make_stack(moto_server, outputs, {"SecretsKmsKeyArn": "own", "SecretsManagerArns": ", ".join(arns)})
    store = chosen_store("", stack)
    assert isinstance(store, StoreSettings)
    assert ("/matchbox/boot", "own") == (store.secrets, store.secrets_key)
    settings = store.boot_settings().secrets
    assert ("/matchbox/boot", {"a": arns[0], "b/c": arns[1]}) == (settings.prefix, settings.arns)
    monkeypatch.setenv("MATCHBOX_KMS_KEY", "another")
    store = chosen_store("", stack)
    assert isinstance(store, StoreSettings)
    assert "another" == store.secrets_key


@pytest.mark.parametrize(
    ("parameters", "expected"), [({}, False), ({"FrontDoor": "alb"}, False), ({"FrontDoor": "cloudfront"}, True)]
)
def test_stack_says_whether_cloudfront_needs_copies(
    stores: Stores, moto_server: Service, parameters: dict[str, str], expected: bool
) -> None:
    stack = make_stack(moto_server, {"TableName": stores.name, "BucketName": stores.name}, parameters)
    store = chosen_store("", stack)
    assert isinstance(store, StoreSettings)
    assert expected is store.release_copies


@pytest.mark.parametrize(
    ("parameters", "more", "expected"),
    [
        ({}, (), 0),
        ({}, ("--door", "cloudfront"), 1),
        ({"FrontDoor": "cloudfront"}, (), 1),
        ({"FrontDoor": "cloudfront"}, ("--door", "alb"), 0),
        ({"FrontDoor": "cloudfront", "PlainConfigurations": "yes"}, (), 0),
    ],
)
def test_stack_says_whether_its_door_refuses_configurations_over_http(
    run: Commands,
    stores: Stores,
    moto_server: Service,
    parameters: dict[str, str],
    more: tuple[str, ...],
    expected: int,
) -> None:
    stores.writer().put_profile(
        Profile("p", boot=NetBoot("/assets/k", args=("inst.ks=http://d1.cloudfront.net/generic",)))
    )
    stack = make_stack(moto_server, {"TableName": stores.name, "BucketName": stores.name}, parameters)
    found = json.loads(run("validate", "--stack", stack, "-o", "json", *more).out)["findings"]
    assert expected == [one["rule"] for one in found].count("https")


@pytest.mark.parametrize(("environment", "days"), [("", 7), ("9", 9)])
def test_what_commands_add_to_histories_expires_as_the_stacks_histories_do(
    stores: Stores, moto_server: Service, monkeypatch: pytest.MonkeyPatch, environment: str, days: int
) -> None:
    history = f"{stores.name}-history"
    names = {"TableName": stores.name, "BucketName": stores.name, "HistoryTableName": history}
    store = chosen_store("", make_stack(moto_server, names, {"HistoryRetention": "7"}))
    monkeypatch.setenv("MATCHBOX_HISTORY_DAYS", environment)
    with closing(moto_server.client("dynamodb")) as client:
        create_history_table(client, history)
        with opened_stores(store) as opened:
            opened.history.add([command_event(1000, "approve", Identities("52:54:00:12:34:56"), "ready", "alice")])
        (record,) = (item for item in client.scan(TableName=history)["Items"] if "record" in item)
    assert 1 + days * 24 * 3600 == int(record["expires"]["N"])


def test_serve_keeps_histories_as_long_as_the_stack(
    run: Commands, stores: Stores, moto_server: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[ServeSettings] = []
    monkeypatch.setattr(serve_command, "serve", given.append)
    names = {"TableName": stores.name, "BucketName": stores.name}
    stack = make_stack(moto_server, names, {"HistoryRetention": "7"})
    for arguments in (["--stack", stack], ["--stack", stack, "--history-days", "0"], []):
        assert 0 == run("serve", *arguments).code
    assert [7, 0, 30] == [settings.history_days for settings in given]


def test_every_command_on_table_and_bucket_takes_a_stack(run: Commands) -> None:
    for words in (
        *(["serve"], ["render"], ["check"], ["validate"], ["sync"], ["releases"], ["rollback"], ["follow"]),
        *(["withdraw"], ["init"], ["import"], ["export"], ["fsck"], ["rpc"]),
        *([noun, verb] for noun in ("group", "cloud") for verb in ("list", "get", "describe", "create", "delete")),
    ):
        assert "--stack NAME" in run(*words, "--help").out


@pytest.mark.usefixtures("stores")
def test_absent_stack(run: Commands, moto_server: Service) -> None:
    why = f"stack none on {moto_server.endpoint} does not exist: check the name, the region and the account"
    assert Ended(2, "", f"matchboxctl: {why}\n") == run("group", "list", "--stack", "none")


@pytest.mark.usefixtures("stores")
def test_stack_without_the_outputs(run: Commands, moto_server: Service) -> None:
    name = make_stack(moto_server, {"TableName": "t", "Other": "x"})
    why = f"matchboxctl: stack {name} on {moto_server.endpoint} has no output BucketName (it has Other, TableName): "
    ended = run("group", "list", "--stack", name)
    assert (2, True) == (ended.code, ended.err.startswith(why))


def test_validation_of_serve_names_the_stack(stores: Stores, moto_server: Service) -> None:
    stores.writer().put_group(Group("node1", profile="absent"))
    stack = make_stack(moto_server, {"TableName": stores.name, "BucketName": stores.name})
    with started("--address", "127.0.0.1:0", "--stack", stack, environment=dict(os.environ)) as serve:
        serve.await_line(f"  run `matchboxctl validate --stack {stack}` for all of them, and what to do")
        serve.end()
