"""The permissions of the stack's roles."""

import re
from typing import Any

import pytest

from lambda_matchbox.aws import keys
from tests.stack.conftest import FULL
from tests.stack.resolution import NAME, Stack, leading_keys, stacks
from tools.template_translation import Deployment

ROLES = ["BootApiRole", "SignedApiRole", "AssetSyncRole", "BootHistoryRole", "ScheduleRole"]
TABLE = f"arn:aws:dynamodb:eu-central-1:123456789012:table/{NAME}"
BUCKET = f"arn:aws:s3:::{NAME}"
PARAMETERS = "arn:aws:ssm:eu-central-1:123456789012:parameter/matchbox/matchbox/*"
"""The secrets of configurations."""


def _items(*constants: str) -> set[str]:
    """The patterns of items' keys; a constant that ends in # begins those of many items."""
    return {f"{constant}*" if constant.endswith("#") else constant for constant in constants}


EVERY_ITEM = _items(
    *(each for name, each in vars(keys).items() if name.isupper() and re.fullmatch("[A-Z]#?", str(each)))
)
SELECTED = _items(
    keys.SHAPES,
    keys.POINTERS,
    keys.TOKEN_KEYS,
    keys.ENTRY,
    keys.GROUP,
    keys.MACHINE,
    keys.PROFILE,
    keys.TEMPLATE,
)
"""What a machine's response is made of."""


def _allowed(stack: Stack, role: str) -> dict[str, set[str]]:
    """Where the role may do what."""
    found: dict[str, set[str]] = {}
    for statement in stack.statements(role):
        for action in statement["Action"]:
            found.setdefault(action, set()).update(statement["Resource"])
    return found


def test_each_function_and_the_schedule_have_a_role(full: Stack) -> None:
    assert set(ROLES) == set(full.of_type("AWS::IAM::Role"))


@pytest.mark.parametrize("role", ROLES)
def test_role_has_no_managed_policies(full: Stack, role: str) -> None:
    """They would name more than the stack's resources."""
    assert "ManagedPolicyArns" not in full.properties(role)


@pytest.mark.parametrize("role", ROLES)
def test_no_action_has_a_wildcard(full: Stack, role: str) -> None:
    assert [] == [action for action in _allowed(full, role) if "*" in action]


@pytest.mark.parametrize("role", ROLES)
def test_resources_are_the_stacks(full: Stack, role: str) -> None:
    resources = {resource for of_action in _allowed(full, role).values() for resource in of_action}
    secrets = {full.parameters[name] for name in ("RegistrySecret", "SigningKeySecret")}
    keys = {full.parameters[name] for name in ("RegistrySecretKey", "SigningKeySecretKey", "SecretsKmsKeyArn")}
    ours = {TABLE, BUCKET, PARAMETERS, *secrets, *keys, *full.parameters["SecretsManagerArns"].split(",")}
    foreign = {each for each in resources if not each.startswith((f"{BUCKET}/", "<")) and each not in ours}
    assert set() == foreign


def _by_items(stack: Stack, role: str) -> dict[str, set[str]]:
    """The keys of the items on which the role may do what."""
    of_table = [each for each in stack.statements(role) if each["Resource"] == [TABLE]]
    return {action: leading_keys(statement) for statement in of_table for action in statement["Action"]}


def test_machines_responses_are_made_of_no_other_items(full: Stack) -> None:
    reads = {"dynamodb:BatchGetItem": SELECTED, "dynamodb:GetItem": SELECTED}
    assert reads == _by_items(full, "SignedApiRole")
    assert reads | {"dynamodb:PutItem": _items(keys.MACHINE)} == _by_items(full, "BootApiRole")


def test_asset_sync_reaches_sources_pointers_and_leases_only(plain: Stack) -> None:
    """So that whoever takes it over reads no configuration, and changes none."""
    assert {
        "dynamodb:GetItem": _items(keys.SOURCES, keys.POINTERS, keys.SYNC, keys.TOKEN_KEYS),
        "dynamodb:PutItem": _items(keys.TOKEN_KEYS),
        "dynamodb:UpdateItem": _items(keys.POINTERS, keys.SYNC),
        "dynamodb:ConditionCheckItem": _items(keys.POINTERS, keys.SYNC),
    } == _by_items(plain, "AssetSyncRole")


def test_each_kind_of_item_is_some_functions(full: Stack) -> None:
    """A new one is in a policy, or is excepted here."""
    reached = [items for role in ROLES for items in _by_items(full, role).values()]
    assert EVERY_ITEM == set().union(*reached)


@pytest.mark.parametrize("role", ROLES)
def test_calls_that_name_no_item_are_not_allowed(full: Stack, role: str) -> None:
    """A condition on all of no keys holds (IAM's guide, "ForAllValues"), so that of a Scan would."""
    for statement in full.statements(role):
        if statement["Resource"] == [TABLE]:
            assert {"ForAllValues:StringLike", "Null"} == set(statement["Condition"])
            assert {"dynamodb:LeadingKeys": "false"} == statement["Condition"]["Null"]


def test_boot_api_writes_only_long_responses(plain: Stack) -> None:
    allowed = {action: where for action, where in _allowed(plain, "BootApiRole").items() if action.startswith("s3")}
    assert {
        "s3:GetObject": {f"{BUCKET}/{prefix}/*" for prefix in ("answers", "assets", "releases", "templates")},
        "s3:ListBucket": {BUCKET},
        "s3:PutObject": {f"{BUCKET}/answers/*"},
    } == allowed


def test_signed_api_only_reads(with_key: Stack) -> None:
    allowed = {action: where for action, where in _allowed(with_key, "SignedApiRole").items() if action[:4] != "logs"}
    assert {
        "dynamodb:BatchGetItem": {TABLE},
        "dynamodb:GetItem": {TABLE},
        "s3:GetObject": {f"{BUCKET}/{prefix}/*" for prefix in ("assets", "releases", "templates")},
        "s3:ListBucket": {BUCKET},
        "secretsmanager:GetSecretValue": {with_key.parameters["SigningKeySecret"]},
        "ssm:GetParameters": {PARAMETERS},
    } == allowed


@pytest.mark.parametrize("role", ["BootApiRole", "SignedApiRole", "AssetSyncRole"])
def test_bucket_has_to_be_the_accounts(full: Stack, role: str) -> None:
    """Bucket names are global: a deleted bucket's may be taken by somebody else."""
    of_s3 = [each for each in full.statements(role) if any(action.startswith("s3:") for action in each["Action"])]
    assert of_s3
    assert {"StringEquals": {"aws:ResourceAccount": "123456789012"}} == of_s3[0]["Condition"]
    assert [] == [each for each in of_s3 if each.get("Condition") != of_s3[0]["Condition"]]


def test_asset_sync_writes_only_releases(plain: Stack) -> None:
    allowed = {action: where for action, where in _allowed(plain, "AssetSyncRole").items() if action.startswith("s3")}
    releases, copies = f"{BUCKET}/releases/*", f"{BUCKET}/served/*"
    assert {
        "s3:DeleteObject": {releases, copies},
        "s3:GetObject": {releases},
        "s3:ListBucket": {BUCKET},
        "s3:PutObject": {releases, copies},
    } == allowed


def test_the_secrets_of_the_functions_own_are_read_by_one_of_them(full: Stack) -> None:
    action = "secretsmanager:GetSecretValue"
    found = {role: _allowed(full, role)[action] for role in ROLES if action in _allowed(full, role)}
    assert {
        "BootApiRole": _of_configurations(full),
        "SignedApiRole": {full.parameters["SigningKeySecret"], *_of_configurations(full)},
        "AssetSyncRole": {full.parameters["RegistrySecret"]},
    } == found


def _of_configurations(stack: Stack) -> set[str]:
    return set(stack.parameters["SecretsManagerArns"].split(","))


def test_only_what_renders_configurations_reads_their_secrets(plain: Stack, full: Stack) -> None:
    """Not those who look at machines or approve them, either."""
    for stack in (plain, full):
        others = [*stack.of_type("AWS::IAM::Role"), *stack.of_type("AWS::IAM::ManagedPolicy")]
        found = {name: _allowed(stack, name).get("ssm:GetParameters") for name in others}
        assert {name: {PARAMETERS} for name in ("BootApiRole", "SignedApiRole") if name in stack.resources} == {
            name: where for name, where in found.items() if where
        }
        assert [] == [
            action
            for name in others
            for action in _allowed(stack, name)
            if action.startswith("ssm:") and action != "ssm:GetParameters"
        ]
    assert "secretsmanager:GetSecretValue" not in _allowed(plain, "BootApiRole")


@pytest.mark.parametrize("role", ["BootApiRole", "SignedApiRole"])
def test_secrets_are_decrypted_with_their_key_only(full: Stack, role: str) -> None:
    [without] = stacks([Deployment({name: value for name, value in FULL.items() if name != "SecretsKmsKeyArn"})])
    key = full.parameters["SecretsKmsKeyArn"]
    services = ["secretsmanager.eu-central-1.amazonaws.com", "ssm.eu-central-1.amazonaws.com"]
    only = {"StringEquals": {"kms:ViaService": services}}
    expected = {"Effect": "Allow", "Action": ["kms:Decrypt"], "Resource": [key], "Condition": only}
    found = [[each for each in _decrypting(stack, role) if key in each["Resource"]] for stack in (full, without)]
    assert [[expected], []] == found


def test_asset_sync_reads_only_a_configured_secret(plain: Stack, full: Stack) -> None:
    action = "secretsmanager:GetSecretValue"
    found = [_allowed(stack, "AssetSyncRole").get(action, set()) for stack in (plain, full)]
    assert [set(), {full.parameters["RegistrySecret"]}] == found


def test_asset_sync_decrypts_with_the_registry_secrets_key_only(plain: Stack, full: Stack) -> None:
    key = full.parameters["RegistrySecretKey"]
    [without] = stacks([Deployment({"RegistrySecretKey": key})])
    assert [[], [], [_decrypts_with(key)]] == [_decrypting(each, "AssetSyncRole") for each in (plain, without, full)]


def test_signed_api_decrypts_with_the_signing_secrets_key_only(with_key: Stack, full: Stack) -> None:
    key = full.parameters["SigningKeySecretKey"]
    found = [_decrypting(stack, "SignedApiRole") for stack in (with_key, full)]
    assert [[], [_decrypts_with(key)]] == [[each for each in one if key in each["Resource"]] for one in found]


def _decrypting(stack: Stack, role: str) -> list[dict[str, Any]]:
    return [each for each in stack.statements(role) if each["Action"] == ["kms:Decrypt"]]


def _decrypts_with(key: str) -> dict[str, Any]:
    only = {"StringEquals": {"kms:ViaService": "secretsmanager.eu-central-1.amazonaws.com"}}
    return {"Effect": "Allow", "Action": ["kms:Decrypt"], "Resource": [key], "Condition": only}


def test_boot_history_writes_its_table_only(full: Stack) -> None:
    """It reads nothing else either. What it may do to the queue is what Lambda does for it."""
    letters = {"<HistoryDeadLetters.Arn>"}
    assert {
        "logs:CreateLogStream": {"<BootHistoryLog.Arn>"},
        "logs:PutLogEvents": {"<BootHistoryLog.Arn>"},
        "dynamodb:GetItem": {"<HistoryTable.Arn>"},
        "dynamodb:PutItem": {"<HistoryTable.Arn>"},
        **{f"sqs:{name}": letters for name in ("DeleteMessage", "GetQueueAttributes", "ReceiveMessage", "SendMessage")},
    } == _allowed(full, "BootHistoryRole")


def test_nobody_else_reaches_the_history(full: Stack) -> None:
    """Neither what answers machines, nor what they may tamper with."""
    reach = {
        role for role in ROLES if any("History" in each for where in _allowed(full, role).values() for each in where)
    }
    assert {"BootHistoryRole"} == reach


@pytest.mark.parametrize(
    ("permission", "log"), [("HistoryMayBeFed", "BootApiLog"), ("SignedHistoryMayBeFed", "SignedApiLog")]
)
def test_only_the_functions_log_groups_feed_the_history(full: Stack, permission: str, log: str) -> None:
    assert {
        "Action": "lambda:InvokeFunction",
        "FunctionName": "<BootHistory>",
        "Principal": "logs.amazonaws.com",
        "SourceAccount": "123456789012",
        "SourceArn": f"<{log}.Arn>",
    } == full.properties(permission)


def test_operators_policies_reach_no_template_and_no_key_of_tokens(full: Stack) -> None:
    """A viewer changes nothing; an approver changes states of machines, and adds to their histories."""
    viewer, approver = (full.statements(name) for name in ("MachineViewer", "MachineApprover"))
    reads = {"dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query", "cloudformation:DescribeStacks"}
    assert reads == {action for each in viewer for action in each["Action"]}
    assert [["dynamodb:PutItem"], ["dynamodb:GetItem", "dynamodb:PutItem"]] == [each["Action"] for each in approver]
    items = [leading_keys(each) for each in (*viewer, *approver) if each["Resource"] == [TABLE]]
    of_selections = _items(keys.SHAPES, keys.POINTERS, keys.ENTRY, keys.GROUP, keys.MACHINE, keys.PROFILE)
    assert [of_selections, _items(keys.MACHINE)] == items
    for each in (*viewer, *approver):
        assert (each["Resource"] == [TABLE]) == (
            each.get("Condition", {}).get("Null") == {"dynamodb:LeadingKeys": "false"}
        )


def test_schedule_invokes_asset_sync_only(plain: Stack) -> None:
    assert {
        "lambda:InvokeFunction": {"<AssetSync.Arn>"},
        "sqs:SendMessage": {"<DeadLetters.Arn>"},
    } == _allowed(plain, "ScheduleRole")
