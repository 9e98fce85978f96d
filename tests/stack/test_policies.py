"""What the roles of the stack may do, and no more."""

from typing import Any

import pytest

from tests.stack.resolution import NAME, Stack, stacks
from tools.template_translation import Deployment

ROLES = ["BootApiRole", "SignedApiRole", "AssetSyncRole", "ScheduleRole"]
TABLE = f"arn:aws:dynamodb:eu-central-1:123456789012:table/{NAME}"
BUCKET = f"arn:aws:s3:::{NAME}"


def _allowed(stack: Stack, role: str) -> dict[str, set[str]]:
    """Where the role may do what."""
    found: dict[str, set[str]] = {}
    for statement in stack.statements(role):
        for action in statement["Action"]:
            found.setdefault(action, set()).update(statement["Resource"])
    return found


def test_there_are_no_other_roles(full: Stack) -> None:
    """Each function and the schedule has a role of its own, and nothing else has one."""
    assert set(ROLES) == set(full.of_type("AWS::IAM::Role"))


@pytest.mark.parametrize("role", ROLES)
def test_a_role_has_policies_of_its_own_only(full: Stack, role: str) -> None:
    """No managed policy, which would name more than this stack's resources."""
    assert "ManagedPolicyArns" not in full.properties(role)


@pytest.mark.parametrize("role", ROLES)
def test_every_statement_names_actions(full: Stack, role: str) -> None:
    """No action has a wildcard."""
    assert [] == [action for action in _allowed(full, role) if "*" in action]


@pytest.mark.parametrize("role", ROLES)
def test_every_statement_names_resources_of_this_stack(full: Stack, role: str) -> None:
    """No resource is a bare `*`, nor the wildcard of a whole service."""
    resources = {resource for of_action in _allowed(full, role).values() for resource in of_action}
    secrets = {full.parameters[name] for name in ("RegistrySecret", "SigningKeySecret")}
    keys = {full.parameters[f"{name}Key"] for name in ("RegistrySecret", "SigningKeySecret")}
    ours = {TABLE, BUCKET, *secrets, *keys}
    foreign = {each for each in resources if not each.startswith((f"{BUCKET}/", "<")) and each not in ours}
    assert set() == foreign


def test_boot_api_reads_the_table(plain: Stack) -> None:
    """boot_api asks the table in two ways, and cannot write to it."""
    allowed = {action: where for action, where in _allowed(plain, "BootApiRole").items() if action.startswith("dyn")}
    assert {"dynamodb:BatchGetItem": {TABLE}, "dynamodb:GetItem": {TABLE}} == allowed


def test_boot_api_writes_answers(plain: Stack) -> None:
    """In the bucket boot_api writes below `answers/` only."""
    allowed = {action: where for action, where in _allowed(plain, "BootApiRole").items() if action.startswith("s3")}
    assert {
        "s3:GetObject": {f"{BUCKET}/{prefix}/*" for prefix in ("answers", "assets", "releases", "templates")},
        "s3:ListBucket": {BUCKET},
        "s3:PutObject": {f"{BUCKET}/answers/*"},
    } == allowed


def test_signed_api_writes_nothing(with_key: Stack) -> None:
    """The function that signs reads what boot_api reads but for long answers, and one secret."""
    allowed = {action: where for action, where in _allowed(with_key, "SignedApiRole").items() if action[:4] != "logs"}
    assert {
        "dynamodb:BatchGetItem": {TABLE},
        "dynamodb:GetItem": {TABLE},
        "s3:GetObject": {f"{BUCKET}/{prefix}/*" for prefix in ("assets", "releases", "templates")},
        "s3:ListBucket": {BUCKET},
        "secretsmanager:GetSecretValue": {with_key.parameters["SigningKeySecret"]},
    } == allowed


def test_asset_sync_writes_releases(plain: Stack) -> None:
    """In the bucket asset_sync reads and writes below `releases/` only."""
    allowed = {action: where for action, where in _allowed(plain, "AssetSyncRole").items() if action.startswith("s3")}
    releases = {f"{BUCKET}/releases/*"}
    assert {
        "s3:DeleteObject": releases,
        "s3:GetObject": releases,
        "s3:ListBucket": {BUCKET},
        "s3:PutObject": releases,
    } == allowed


def test_one_function_reads_each_secret(full: Stack) -> None:
    """The registry's logins are asset_sync's, the key is the signing function's, and boot_api reads no secret."""
    action = "secretsmanager:GetSecretValue"
    found = {role: _allowed(full, role)[action] for role in ROLES if action in _allowed(full, role)}
    assert {
        "SignedApiRole": {full.parameters["SigningKeySecret"]},
        "AssetSyncRole": {full.parameters["RegistrySecret"]},
    } == found


def test_the_secret_is_read_where_there_is_one(plain: Stack, full: Stack) -> None:
    """asset_sync may read the secret with the registry's logins; without one it may read none."""
    action = "secretsmanager:GetSecretValue"
    found = [_allowed(stack, "AssetSyncRole").get(action, set()) for stack in (plain, full)]
    assert [set(), {full.parameters["RegistrySecret"]}] == found


def test_the_registry_secrets_key(plain: Stack, full: Stack) -> None:
    """asset_sync may decrypt with the key that is named for the secret, by Secrets Manager only, and with no other."""
    key = full.parameters["RegistrySecretKey"]
    [without] = stacks([Deployment({"RegistrySecretKey": key})])
    assert [[], [], [_decrypts_with(key)]] == [_decrypting(each, "AssetSyncRole") for each in (plain, without, full)]


def test_the_signing_secrets_key(with_key: Stack, full: Stack) -> None:
    """The function that signs may decrypt with the key that is named for its secret, and with no other."""
    expected = [[], [_decrypts_with(full.parameters["SigningKeySecretKey"])]]
    assert expected == [_decrypting(stack, "SignedApiRole") for stack in (with_key, full)]


def _decrypting(stack: Stack, role: str) -> list[dict[str, Any]]:
    return [each for each in stack.statements(role) if each["Action"] == ["kms:Decrypt"]]


def _decrypts_with(key: str) -> dict[str, Any]:
    only = {"StringEquals": {"kms:ViaService": "secretsmanager.eu-central-1.amazonaws.com"}}
    return {"Effect": "Allow", "Action": ["kms:Decrypt"], "Resource": [key], "Condition": only}


def test_the_schedule_calls_one_function(plain: Stack) -> None:
    """The schedule may call asset_sync, and send what fails to the queue."""
    assert {
        "lambda:InvokeFunction": {"<AssetSync.Arn>"},
        "sqs:SendMessage": {"<DeadLetters.Arn>"},
    } == _allowed(plain, "ScheduleRole")


@pytest.mark.parametrize(("function", "name"), [("BootApi", "TargetGroup"), ("SignedApi", "SignedTargetGroup")])
def test_this_balancers_target_groups_call_functions(full: Stack, function: str, name: str) -> None:
    """Only a target group of the name that this stack's has may call the function."""
    permission, group = full.properties(f"{function}MayBeAsked"), full.properties(name)
    where = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup"
    assert f"{where}/{group['Name']}/*" == permission["SourceArn"]
    assert f"<{function}Aliaslive>" == permission["FunctionName"]
    assert len(group["Name"]) <= 32
