"""What the roles of the stack may do, and no more."""

import pytest

from tests.stack.resolution import NAME, Stack, stacks
from tests.stack.translation import Deployment

ROLES = ["BootApiRole", "AssetSyncRole", "ScheduleRole"]
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
    ours = {TABLE, BUCKET, full.parameters["RegistrySecret"], full.parameters["RegistrySecretKey"]}
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


def test_the_secret_is_read_where_there_is_one(plain: Stack, full: Stack) -> None:
    """asset_sync may read the secret with the registry's logins; without one it may read none."""
    action = "secretsmanager:GetSecretValue"
    found = [_allowed(stack, "AssetSyncRole").get(action, set()) for stack in (plain, full)]
    assert [set(), {full.parameters["RegistrySecret"]}] == found


def test_the_secrets_key(plain: Stack, full: Stack) -> None:
    """asset_sync may decrypt with the key that is named for the secret, by Secrets Manager only, and with no other."""
    key = full.parameters["RegistrySecretKey"]
    [without] = stacks([Deployment({"RegistrySecretKey": key})])
    found = [
        [each for each in stack.statements("AssetSyncRole") if each["Action"] == ["kms:Decrypt"]]
        for stack in (plain, without, full)
    ]
    only = {"StringEquals": {"kms:ViaService": "secretsmanager.eu-central-1.amazonaws.com"}}
    statement = {"Effect": "Allow", "Action": ["kms:Decrypt"], "Resource": [key], "Condition": only}
    assert [[], [], [statement]] == found


def test_the_schedule_calls_one_function(plain: Stack) -> None:
    """The schedule may call asset_sync, and send what fails to the queue."""
    assert {
        "lambda:InvokeFunction": {"<AssetSync.Arn>"},
        "sqs:SendMessage": {"<DeadLetters.Arn>"},
    } == _allowed(plain, "ScheduleRole")


def test_this_balancers_target_group_calls_boot_api(plain: Stack) -> None:
    """Only a target group of the name that this stack's has may call boot_api."""
    permission, group = plain.properties("BootApiMayBeAsked"), plain.properties("TargetGroup")
    where = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup"
    assert f"{where}/{group['Name']}/*" == permission["SourceArn"]
    assert "<BootApiAliaslive>" == permission["FunctionName"]
