"""Secrets in AWS: tiers, keys, and what Parameter Store does not take."""

import json
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from lambda_matchbox.aws.clients.errors import AWSError
from lambda_matchbox.aws.clients.json_service import JsonService
from lambda_matchbox.aws.secrets import StackSecrets
from tests.contract.secret_commands import secret_commands
from tests.rigs.service import Service
from tests.support.paths import PROJECT
from tests.support.resource_commands import ResourceCommands

if TYPE_CHECKING:
    from types_boto3_ssm import SSMClient


@pytest.fixture
def commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes], moto_server: Service
) -> ResourceCommands:
    return secret_commands(tmp_path / "files", monkeypatch, capsysbinary, moto_server)


@pytest.fixture
def ssm(moto_server: Service) -> Iterator["SSMClient"]:
    with closing(moto_server.client("ssm")) as client:
        yield client


def put(commands: ResourceCommands, value: str, *options: str) -> tuple[int, str, str]:
    return commands.run("secret", "set", "a", "-f", "-", *options, stdin=value.encode())


def described(commands: ResourceCommands) -> dict[str, object]:
    found: dict[str, object] = json.loads(commands.ok("secret", "describe", "a", "-o", "json"))
    return found


def test_value_of_more_than_4_kb_is_in_the_advanced_tier_with_a_warning(commands: ResourceCommands) -> None:
    assert (0, "") == put(commands, "x" * 4096)[::2]
    assert "standard" == described(commands)["stored_as"]
    code, out, err = put(commands, "x" * 4097)
    assert (0, "secret a changed\n") == (code, out)
    assert "0.05 USD a month" in " ".join(err.split())
    assert "advanced" == described(commands)["stored_as"]
    # AWS refuses a smaller one in the standard tier.
    assert (0, "") == put(commands, "small")[::2]
    assert "advanced" == described(commands)["stored_as"]


def test_size_is_that_of_the_bytes(commands: ResourceCommands) -> None:
    put(commands, "ä" * 2049)
    assert "advanced" == described(commands)["stored_as"]


def test_value_of_more_than_8_kb_is_refused_with_advice(commands: ResourceCommands) -> None:
    assert 0 == put(commands, "x" * 8192)[0]
    code, out, err = put(commands, "y" * 8193)
    assert (1, "") == (code, out)
    assert "8,193 bytes" in err
    assert "Secrets Manager" in err
    assert "x" * 8192 == commands.ok("secret", "get", "a", "--reveal")


def test_parameter_is_encrypted_below_the_prefix(commands: ResourceCommands, ssm: "SSMClient") -> None:
    put(commands, "x")
    name = f"{commands.environment['MATCHBOX_SECRETS']}/a"
    assert "SecureString" == ssm.get_parameter(Name=name)["Parameter"]["Type"]
    assert name == described(commands)["place"]


def test_other_prefixes_are_not_listed(commands: ResourceCommands, ssm: "SSMClient") -> None:
    prefix = commands.environment["MATCHBOX_SECRETS"]
    ssm.put_parameter(Name=f"{prefix}-other/b", Value="x", Type="SecureString")
    put(commands, "x")
    assert ["a"] == [one["name"] for one in json.loads(commands.ok("secret", "list", "-o", "json"))]


def test_key_is_that_of_the_option_and_stays(commands: ResourceCommands) -> None:
    put(commands, "x", "--kms-key", "alias/own")
    assert "alias/own" == described(commands)["kms_key"]
    assert "secret a changed\n" == put(commands, "y")[1]
    assert "alias/own" == described(commands)["kms_key"]
    assert "secret a unchanged\n" == put(commands, "y")[1]
    commands.monkeypatch.setenv("MATCHBOX_KMS_KEY", "alias/other")
    assert "secret a changed\n" == put(commands, "y")[1]
    assert "alias/other" == described(commands)["kms_key"]


def test_parameter_that_is_not_encrypted_is_named_and_not_overwritten(
    commands: ResourceCommands, ssm: "SSMClient"
) -> None:
    ssm.put_parameter(Name=f"{commands.environment['MATCHBOX_SECRETS']}/a", Value="x", Type="String")
    assert "not encrypted" == described(commands)["stored_as"]
    code, _, err = put(commands, "x")
    assert 1 == code
    assert "matchboxctl secret delete a" in err


def test_value_with_braces_is_refused_with_advice(commands: ResourceCommands) -> None:
    code, _, err = put(commands, "CANARY {{x}}")
    assert 1 == code
    assert "b64dec" in err
    assert "CANARY" not in err


@pytest.mark.parametrize(
    ("code", "message", "shown"),
    [
        ("ValidationException", "Value 'CAN\\u0041RY' is invalid", "ValidationException, whose message may quote"),
        ("AccessDeniedException", "not authorized to perform ssm:PutParameter", "check the permissions"),
        ("InvalidKeyId", "Alias alias/own is not found", "Alias alias/own is not found"),
    ],
)
def test_refusal_of_aws_does_not_show_the_value(
    commands: ResourceCommands, code: str, message: str, shown: str
) -> None:
    call = BaseClient._make_api_call

    def refused(client: BaseClient, operation: str, arguments: object) -> object:
        if operation == "PutParameter":
            details = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": 400}}
            raise ClientError(details, operation)
        return call(client, operation, arguments)

    commands.monkeypatch.setattr(BaseClient, "_make_api_call", refused)
    ended_code, _, err = put(commands, "CANARY")
    assert 1 == ended_code
    assert shown in " ".join(err.split())
    assert "RY'" not in err


def test_secrets_manager_is_read_only(commands: ResourceCommands) -> None:
    for verb, stdin in (("set", b"x"), ("delete", b"")):
        ended = commands.run("secret", verb, *(["-f", "-"] if stdin else []), "sm:a", stdin=stdin)
        assert 1 == ended.code
        assert "aws secretsmanager" in ended.err


def test_secrets_of_secrets_manager_are_those_that_the_stack_names(
    commands: ResourceCommands, moto_server: Service
) -> None:
    with closing(moto_server.client("secretsmanager")) as client:
        arns = [
            client.create_secret(Name=name, SecretString="x")["ARN"] for name in (f"in-{uuid4()}", f"out-{uuid4()}")
        ]
    name, other = (f"sm:{arn.split(':')[6][:-7]}" for arn in arns)
    commands.monkeypatch.setenv("MATCHBOX_SECRETS_MANAGER", arns[0])
    commands.run("generic", "create", "-f", commands.file("t", f'{{{{secret "{name}"}}}} {{{{secret "{other}"}}}}'))
    (listed,) = json.loads(commands.ok("secret", "list", "-o", "json"))
    assert (name, "Secrets Manager") == (listed["name"], listed["stored_as"])
    used = {one["name"]: one["state"] for one in json.loads(commands.run("secret", "used", "-o", "json").out)}
    assert {name: "used", other: "missing"} == used
    assert arns[0] == json.loads(commands.ok("secret", "describe", name, "-o", "json"))["place"]
    assert "x" == commands.ok("secret", "get", name, "--reveal")


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("MATCHBOX_SECRETS", "", "MATCHBOX_SECRETS is not set"),
        ("MATCHBOX_SECRETS", "matchbox", "use a prefix that begins with /"),
        ("AWS_ENDPOINT_URL_SSM", "", "AWS_ENDPOINT_URL_SSM is not"),
        ("AWS_ENDPOINT_URL_SSM", "http://127.0.0.1:1", "check the endpoint"),
    ],
)
def test_lacking_settings_are_named(commands: ResourceCommands, name: str, value: str, reason: str) -> None:
    commands.monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    commands.monkeypatch.setenv(name, value)
    ended = commands.run("secret", "list")
    assert "" == ended.out
    assert reason in " ".join(ended.err.split())


def test_secrets_that_cannot_be_looked_up_are_a_note(commands: ResourceCommands) -> None:
    commands.monkeypatch.delenv("MATCHBOX_SECRETS")
    ended = commands.run("generic", "create", "-f", commands.file("t", '{{secret "a"}}'))
    assert 0 == ended.code
    assert "whether secrets exist was not checked: there is no place for secrets" in " ".join(ended.err.split())
    found = json.loads(commands.run("validate", "-o", "json").out)["findings"]
    assert ["note"] == [one["severity"] for one in found if one["rule"] == "secret"]


def test_secrets_are_not_looked_up_where_no_template_names_one(commands: ResourceCommands) -> None:
    """Whoever creates other documents needs no permission for them."""
    commands.monkeypatch.setenv("AWS_ENDPOINT_URL_SSM", "http://127.0.0.1:1")
    assert "" == commands.run("generic", "create", "-f", commands.file("t", "x")).err
    assert "secret" not in commands.run("validate").out


LISTED = {"ssm:DescribeParameters"}
CALLS = {
    ("set", "a", "-"): {*LISTED, "ssm:GetParameters", "ssm:PutParameter"},
    ("list",): LISTED,
    ("used",): LISTED,
    ("describe", "a"): LISTED,
    ("get", "a", "--reveal"): {"ssm:GetParameters"},
    ("delete", "a"): {"ssm:DeleteParameter"},
}


def test_commands_make_the_calls_that_the_page_names(commands: ResourceCommands) -> None:
    put(commands, "before")
    made: set[str] = set()
    by_boto3, of_reader = BaseClient._make_api_call, JsonService.call

    def noted(client: BaseClient, operation: str, arguments: object) -> object:
        made.add(f"{client.meta.service_model.signing_name}:{operation}")
        return by_boto3(client, operation, arguments)

    def noted_of_reader(service: JsonService, operation: str, *others: object) -> object:
        made.add(f"{service._protocol.service}:{operation}")
        return of_reader(service, operation, *others)

    commands.monkeypatch.setattr(BaseClient, "_make_api_call", noted)
    commands.monkeypatch.setattr(JsonService, "call", noted_of_reader)
    rows = re.findall(r"^\| (`.*?) \| (.*) \|$", (PROJECT / "docs/secrets.md").read_text(), re.MULTILINE)
    for arguments, calls in CALLS.items():
        made.clear()
        assert 0 == commands.run("secret", *arguments, stdin=b"x").code
        assert calls == {one for one in made if one.startswith("ssm:")}
        (row,) = (row for verbs, row in rows if f"`{arguments[0]}" in verbs and "ssm:" in row)
        named = {*re.findall(r"ssm:\w+", row), *(LISTED if row.startswith("that, ") else ())}
        assert named >= calls


def test_who_may_only_write_sets_secrets(commands: ResourceCommands) -> None:
    def denied(*_: object) -> object:
        raise AWSError("AccessDeniedException", "no", 400)

    commands.monkeypatch.setattr(StackSecrets, "values", denied)
    assert "secret a created\n" == put(commands, "x")[1]
    assert "secret a changed\n" == put(commands, "x")[1]
