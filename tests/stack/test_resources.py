"""The stack's resources after the SAM transform."""

from typing import Any

import pytest

from asset_sync.handler import requested_source
from matchboxctl.dhcp.configuration import configuration
from matchboxctl.dhcp.options import DhcpOptions
from matchboxctl.store.stack import BUCKET, HISTORY_TABLE, SECRETS, TABLE
from tests.stack.resolution import Stack, stacks
from tools.template_translation import Deployment

KEPT = ["Bucket", "Table"]
HOSTS = {"alb": "<LoadBalancer.DNSName>", "cloudfront": "<Distribution.DomainName>"}
CONFIGURATIONS = {"alb": "http", "cloudfront": "https"}
"""By which protocol a machine asks for its configuration."""

ALARMS = {
    "BootsFail",
    "BootsThrottled",
    "HistoryFails",
    "SyncFailed",
    "SyncOld",
    "TableThrottled",
    "TokenUsedTwice",
}


def _needed(value: Any) -> set[str]:
    """The logical ids that a resource refers to, in a form that has been resolved."""
    if isinstance(value, dict):
        return {name for each in value.values() for name in _needed(each)}
    if isinstance(value, list):
        return {name for each in value for name in _needed(each)}
    return {part.partition(">")[0].partition(".")[0] for part in str(value).split("<")[1:]}


def made_before(stack: Stack, name: str) -> set[str]:
    """The resources that CloudFormation makes before that one."""
    found, next_ones = set[str](), {name}
    while next_ones:
        resource = stack.resources[next_ones.pop()]
        after = resource.get("DependsOn", [])
        needed = _needed(resource.get("Properties", {})) | set([after] if isinstance(after, str) else after)
        new = (needed & set(stack.resources)) - found
        found |= new
        next_ones |= new
    return found


@pytest.mark.parametrize("name", KEPT)
def test_table_and_bucket_outlive_the_stack(plain: Stack, name: str) -> None:
    """Those of a first deployment that fails are deleted."""
    resource = plain.resources[name]
    assert ("RetainExceptOnCreate", "Retain") == (resource["DeletionPolicy"], resource["UpdateReplacePolicy"])


def test_table_is_on_demand_protected_and_recoverable(plain: Stack) -> None:
    table = {name: value for name, value in plain.properties("Table").items() if name not in ("TableName", "Tags")}
    assert {
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "BillingMode": "PAY_PER_REQUEST",
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
        "DeletionProtectionEnabled": True,
    } == table


def test_table_is_created_last(plain: Stack, full: Stack) -> None:
    """A protected table cannot be rolled back."""
    for stack in (plain, full):
        assert set(stack.resources) - made_before(stack, "Table") == {"Table"}


def test_schedule_is_created_shortly_before_the_table(plain: Stack, full: Stack) -> None:
    """Its first run is immediate and finds no table. The function that signs depends on nothing."""
    quick = {"Table", "Schedule", "Budget", "SecureListener", "SignedRule", "SecureSignedRule"}
    quick |= {"DistributionMayAskSigned", "DistributionMayInvokeSigned"}
    for stack in (plain, full):
        after = set(stack.resources) - made_before(stack, "Schedule") - quick
        assert [] == [name for name in after if not name.startswith("Sign") or "Listener" in made_before(stack, name)]


def test_bucket_is_private_and_expires_long_responses(plain: Stack) -> None:
    bucket = plain.properties("Bucket")
    assert {True} == set(bucket["PublicAccessBlockConfiguration"].values())
    assert len(bucket["PublicAccessBlockConfiguration"]) == 4
    assert [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}] == (
        bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    )
    assert [
        {"Id": "matchbox-answers", "Status": "Enabled", "Prefix": "answers/", "ExpirationInDays": 1},
        {
            "Id": "matchbox-unfinished-uploads",
            "Status": "Enabled",
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
        },
    ] == bucket["LifecycleConfiguration"]["Rules"]


def test_http_allows_only_reads_of_assets(plain: Stack) -> None:
    statements = plain.properties("BucketPolicy")["PolicyDocument"]["Statement"]
    policy = {each["Sid"]: each for each in statements if each["Principal"] == "*"}
    assert {"TlsForAllButReads", "TlsForReads"} == set(policy)
    assert {"Deny"} == {statement["Effect"] for statement in policy.values()}
    assert "s3:GetObject" == policy["TlsForAllButReads"]["NotAction"]
    assert "<Bucket.Arn>/templates/*" == policy["TlsForReads"]["Resource"]


@pytest.mark.parametrize(
    ("name", "memory", "time"),
    [("BootApi", 1024, 10), ("SignedApi", 1024, 10), ("AssetSync", 2048, 900), ("BootHistory", 512, 60)],
)
def test_function_has_runtime_memory_time_and_log(with_key: Stack, name: str, memory: int, time: int) -> None:
    function = with_key.properties(name)
    assert ("python3.13", ["arm64"]) == (function["Runtime"], function["Architectures"])
    assert (memory, time) == (function["MemorySize"], function["Timeout"])
    assert ("JSON", f"<{name}Log>") == (function["LoggingConfig"]["LogFormat"], function["LoggingConfig"]["LogGroup"])
    assert "ReservedConcurrentExecutions" not in function
    assert (name != "BootHistory") == len(function.get("Layers", ()))


def test_logs_expire(with_key: Stack) -> None:
    logs = with_key.of_type("AWS::Logs::LogGroup")
    assert {f"{name}Log": "30" for name in ("BootApi", "SignedApi", "AssetSync", "BootHistory")} == {
        name: log["RetentionInDays"] for name, log in logs.items()
    }
    assert len(logs) == len({log["LogGroupName"] for log in logs.values()})


def test_without_a_key_there_are_no_signing_resources(plain: Stack, with_key: Stack) -> None:
    """Other resources are the same."""
    new = set(with_key.resources) - set(plain.resources)
    assert [] == [name for name in new if "Sign" not in name]
    assert [] == [name for name in plain.resources if "Sign" in name]
    changed = {name for name, each in plain.resources.items() if each != with_key.resources[name]}
    # The distribution has the rules for paths of signatures.
    assert {"Distribution", "Table"} & set(plain.resources) == changed


def test_schedule_retries_and_keeps_failed_events(plain: Stack) -> None:
    target = plain.properties("Schedule")["Target"]
    assert ("{}", "<DeadLetters.Arn>") == (target["Input"], target["DeadLetterConfig"]["Arn"])
    assert target["RetryPolicy"]["MaximumRetryAttempts"] == 3
    assert requested_source({}) is None
    assert {"OnFailure": {"Destination": "<DeadLetters.Arn>"}} == (
        plain.properties("AssetSyncRetries")["DestinationConfig"]
    )


def test_alarms_notify_the_topic(plain: Stack, with_key: Stack) -> None:
    """Only the alarm on the syncs' age fires on missing data."""
    assert set(plain.of_type("AWS::CloudWatch::Alarm")) == ALARMS
    alarms = with_key.of_type("AWS::CloudWatch::Alarm")
    assert set(alarms) == ALARMS | {"SignaturesFail"}
    assert {("<Alarms>",)} == {tuple(alarm["AlarmActions"]) for alarm in alarms.values()}
    assert {"SyncOld"} == {name for name, alarm in alarms.items() if alarm["TreatMissingData"] == "breaching"}


def test_alarms_count_what_lambda_did_not_answer(with_key: Stack) -> None:
    """Throttling that hits signatures hits scripts as well."""
    metrics = [each["MetricStat"]["Metric"] for each in with_key.properties("BootsThrottled")["Metrics"][1:]]
    assert ["Errors", "Throttles"] == [metric["MetricName"] for metric in metrics]
    assert [[{"Name": "FunctionName", "Value": "<BootApi>"}]] * 2 == [metric["Dimensions"] for metric in metrics]
    signed = with_key.properties("SignaturesFail")
    assert ("Errors", [{"Name": "FunctionName", "Value": "<SignedApi>"}]) == (
        signed["MetricName"],
        signed["Dimensions"],
    )


def test_alarm_on_age_gives_an_hourly_schedule_time(plain: Stack) -> None:
    """One run a little late leaves an hour without a metric, which counts as too old."""
    assert "rate(1 hour)" == plain.properties("Schedule")["ScheduleExpression"]
    assert (3600, 2) == tuple(plain.properties("SyncOld")[name] for name in ("Period", "EvaluationPeriods"))


@pytest.mark.parametrize(
    ("door", "given", "amount"),
    [("alb", "", "50"), ("cloudfront", "", "1"), ("cloudfront", "2.50", "2.50"), ("alb", "100", "100")],
)
def test_budget_is_made_without_an_address(door: str, given: str, amount: str) -> None:
    """Then nobody is notified."""
    [stack] = stacks([Deployment({"FrontDoor": door, "MonthlyBudget": given})])
    budget = stack.properties("Budget")
    assert {"Amount": amount, "Unit": "USD"} == budget["Budget"]["BudgetLimit"]
    assert "NotificationsWithSubscribers" not in budget


def test_budget_notifies_the_address_unless_there_is_to_be_none(full: Stack) -> None:
    assert 2 == len(full.properties("Budget")["NotificationsWithSubscribers"])
    [without] = stacks([Deployment({"MonthlyBudget": "0"})])
    assert {} == without.of_type("AWS::Budgets::Budget")


def test_outputs_tell_the_next_steps(plain: Stack, door: str) -> None:
    boot = f"http://{HOSTS[door]}/boot.ipxe"
    assert boot == plain.outputs["BootUrl"]
    assert f"{CONFIGURATIONS[door]}://{HOSTS[door]}/" == plain.outputs["ConfigurationUrl"]
    printed = configuration(DhcpOptions("dnsmasq", "http://door.test")).replace("door.test", HOSTS[door])
    assert printed == plain.outputs["Dnsmasq"]
    assert ["#!ipxe", "dhcp", f"chain {boot}"] == plain.outputs["Ec2UserData"].splitlines()
    assert ["<Table>", "<Bucket>", "<HistoryTable>"] == [plain.outputs[name] for name in (TABLE, BUCKET, HISTORY_TABLE)]
    assert "/matchbox/matchbox" == plain.outputs[SECRETS]
    assert "MATCHBOX_TABLE=<Table> MATCHBOX_BUCKET=<Bucket> matchboxctl import DIR" in plain.outputs["ImportCommand"]
    assert "--function-name <AssetSync> " in plain.outputs["SyncCommand"]


def test_every_parameter_has_a_default_and_a_description(plain: Stack) -> None:
    """No default lets all addresses in; what has to be given depends on the door, and rules ask for it."""
    given = plain._template["Parameters"]
    assert [] == [name for name in given if "Default" not in given[name]]
    assert [] == [name for name in given if not given[name].get("Description")]
    assert [] == [name for name in given if given[name].get("Default") == "0.0.0.0/0"]
    groups = plain._template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    assert sorted(given) == sorted(name for group in groups for name in group["Parameters"])
