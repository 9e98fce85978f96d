"""What the stack is made of, as the SAM transform leaves it."""

from typing import Any

import pytest

from asset_sync.handler import requested_source
from tests.stack.resolution import Stack

KEPT = ["Bucket", "Table"]
ALARMS = {
    "BootsFail",
    "BootsSlow",
    "BootsThrottled",
    "SyncFailed",
    "SyncGivenUp",
    "SyncOld",
    "TableThrottled",
}


def _needed(value: Any) -> set[str]:
    """The logical ids that a resource refers to, in a form that has been resolved."""
    if isinstance(value, dict):
        return {name for each in value.values() for name in _needed(each)}
    if isinstance(value, list):
        return {name for each in value for name in _needed(each)}
    return {part.partition(">")[0].partition(".")[0] for part in str(value).split("<")[1:]}


def _made_before(stack: Stack, name: str) -> set[str]:
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
def test_data_survive(plain: Stack, name: str) -> None:
    """Table and bucket outlive the stack, but not a first deployment that fails."""
    resource = plain.resources[name]
    assert ("RetainExceptOnCreate", "Retain") == (resource["DeletionPolicy"], resource["UpdateReplacePolicy"])


def test_the_table(plain: Stack) -> None:
    """It is paid by request, protected, can be brought back to any moment, and has the key that the stores use."""
    table = {name: value for name, value in plain.properties("Table").items() if name not in ("TableName", "Tags")}
    assert {
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "BillingMode": "PAY_PER_REQUEST",
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
        "DeletionProtectionEnabled": True,
    } == table


def test_the_table_is_the_last(two_stacks: tuple[Stack, Stack]) -> None:
    """A protected table cannot be rolled back, so that everything which may fail is made before it."""
    for stack in two_stacks:
        assert set(stack.resources) - _made_before(stack, "Table") == {"Table"}


def test_the_schedule_comes_shortly_before(two_stacks: tuple[Stack, Stack]) -> None:
    """What takes long is made before the schedule, whose first run is at once and finds no table.

    The function that signs waits for nothing, so it is there before the balancer is.
    """
    quick = {"Table", "Schedule", "Budget", "SecureListener", "SignedRule", "SecureSignedRule"}
    for stack in two_stacks:
        after = set(stack.resources) - _made_before(stack, "Schedule") - quick
        assert [] == [name for name in after if not name.startswith("Sign") or "Listener" in _made_before(stack, name)]


def test_the_bucket(plain: Stack) -> None:
    """It is private and encrypted, forgets long answers and unfinished uploads after a day."""
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


def _bucket_policy(stack: Stack) -> dict[str, dict[str, Any]]:
    statements = stack.properties("BucketPolicy")["PolicyDocument"]["Statement"]
    return {statement["Sid"]: statement for statement in statements}


def test_plain_reads(plain: Stack) -> None:
    """By http without TLS nothing is done but reads, and no template is read."""
    policy = _bucket_policy(plain)
    assert {"TlsForAllButReads", "TlsForReads"} == set(policy)
    assert {"Deny"} == {statement["Effect"] for statement in policy.values()}
    assert "s3:GetObject" == policy["TlsForAllButReads"]["NotAction"]
    assert "<Bucket.Arn>/templates/*" == policy["TlsForReads"]["Resource"]


def test_reads_without_a_signature(full: Stack) -> None:
    """Through the S3 endpoint only, assets and releases are read without a signature."""
    statement = _bucket_policy(full)["ReadsWithoutSignature"]
    assert "s3:GetObject" == statement["Action"]
    assert ["<Bucket.Arn>/assets/*", "<Bucket.Arn>/releases/*"] == statement["Resource"]
    assert {"StringEquals": {"aws:SourceVpce": "<S3Endpoint>"}} == statement["Condition"]


@pytest.mark.parametrize(
    ("name", "memory", "time"), [("BootApi", 1024, 10), ("SignedApi", 1024, 10), ("AssetSync", 2048, 900)]
)
def test_a_function(with_key: Stack, name: str, memory: int, time: int) -> None:
    """Python 3.13 on arm64, with memory and time of its own, JSON in a log of its own, and no reserved concurrency."""
    function = with_key.properties(name)
    assert ("python3.13", ["arm64"]) == (function["Runtime"], function["Architectures"])
    assert (memory, time) == (function["MemorySize"], function["Timeout"])
    assert ("JSON", f"<{name}Log>") == (function["LoggingConfig"]["LogFormat"], function["LoggingConfig"]["LogGroup"])
    assert "ReservedConcurrentExecutions" not in function
    assert len(function["Layers"]) == 1


def test_logs_end(with_key: Stack) -> None:
    """Lines are kept for the days of the parameter, of each function in a log of its own."""
    logs = with_key.of_type("AWS::Logs::LogGroup")
    assert {f"{name}Log": "30" for name in ("BootApi", "SignedApi", "AssetSync")} == {
        name: log["RetentionInDays"] for name, log in logs.items()
    }
    assert len(logs) == len({log["LogGroupName"] for log in logs.values()})


@pytest.mark.parametrize(
    ("name", "permission"), [("TargetGroup", "BootApiMayBeAsked"), ("SignedTargetGroup", "SignedApiMayBeAsked")]
)
def test_the_target_groups(with_key: Stack, name: str, permission: str) -> None:
    """They hand on repeated headers and keys, ask for no health, and are made after the permissions that they need."""
    group = with_key.resources[name]
    assert [{"Key": "lambda.multi_value_headers.enabled", "Value": "true"}] == (
        group["Properties"]["TargetGroupAttributes"]
    )
    assert ("lambda", False) == (group["Properties"]["TargetType"], group["Properties"]["HealthCheckEnabled"])
    assert permission == group["DependsOn"]


def test_listeners(two_stacks: tuple[Stack, Stack]) -> None:
    """Port 80 is there always and 443 beside it with a certificate; both forward, neither redirects."""
    found = [
        sorted(
            (each["Port"], each["Protocol"], [action["Type"] for action in each["DefaultActions"]])
            for each in stack.of_type("AWS::ElasticLoadBalancingV2::Listener").values()
        )
        for stack in two_stacks
    ]
    http, https = (80, "HTTP", ["forward"]), (443, "HTTPS", ["forward"])
    assert [[http], [http, https]] == found


def test_rules(two_stacks: tuple[Stack, Stack], with_key: Stack) -> None:
    """With a key, each listener sends paths in .sig and .asc to the function that signs; else there is no rule."""
    found = [
        {
            rule["ListenerArn"]: (rule["Conditions"], rule["Actions"])
            for rule in stack.of_type("AWS::ElasticLoadBalancingV2::ListenerRule").values()
        }
        for stack in (*two_stacks, with_key)
    ]
    signed = (
        [{"Field": "path-pattern", "PathPatternConfig": {"Values": ["*.sig", "*.asc"]}}],
        [{"Type": "forward", "TargetGroupArn": "<SignedTargetGroup>"}],
    )
    assert [{}, {"<Listener>": signed, "<SecureListener>": signed}, {"<Listener>": signed}] == found


def test_without_a_key_nothing_signs(plain: Stack, with_key: Stack) -> None:
    """All that is for signatures is there only with a key, and what else there is stays as it is."""
    new = set(with_key.resources) - set(plain.resources)
    assert [] == [name for name in new if "Sign" not in name]
    assert [] == [name for name in plain.resources if "Sign" in name]
    changed = {name for name, each in plain.resources.items() if each != with_key.resources[name]}
    assert {"Table"} == changed


def test_who_may_ask(two_stacks: tuple[Stack, Stack]) -> None:
    """Only the blocks and the prefix list of the parameters, and port 443 only with a certificate."""
    found = [
        [
            (rule["FromPort"], rule.get("CidrIp") or rule["SourcePrefixListId"])
            for rule in stack.properties("SecurityGroup")["SecurityGroupIngress"]
        ]
        for stack in two_stacks
    ]
    everybody = ["10.0.0.0/16", "192.168.0.0/24", "pl-0123456789abcdef0"]
    assert [[(80, "10.0.0.0/16")], [(port, who) for who in everybody for port in (80, 443)]] == found


def test_the_schedule(plain: Stack) -> None:
    """It sends an empty object, tries again, and keeps what failed."""
    target = plain.properties("Schedule")["Target"]
    assert ("{}", "<DeadLetters.Arn>") == (target["Input"], target["DeadLetterConfig"]["Arn"])
    assert target["RetryPolicy"]["MaximumRetryAttempts"] == 3
    assert requested_source({}) is None
    assert {"OnFailure": {"Destination": "<DeadLetters.Arn>"}} == (
        plain.properties("AssetSyncRetries")["DestinationConfig"]
    )


def test_alarms(plain: Stack, with_key: Stack) -> None:
    """Each has a topic to tell, and only the one on the age of syncs fires where nothing is heard."""
    assert set(plain.of_type("AWS::CloudWatch::Alarm")) == ALARMS
    alarms = with_key.of_type("AWS::CloudWatch::Alarm")
    assert set(alarms) == ALARMS | {"SignaturesFail"}
    assert {("<Alarms>",)} == {tuple(alarm["AlarmActions"]) for alarm in alarms.values()}
    assert {"SyncOld"} == {name for name, alarm in alarms.items() if alarm["TreatMissingData"] == "breaching"}


def test_failing_signatures(with_key: Stack) -> None:
    """The alarm counts events that the function that signs failed at, or was not started for."""
    metrics = [each["MetricStat"]["Metric"] for each in with_key.properties("SignaturesFail")["Metrics"][1:]]
    assert ["Errors", "Throttles"] == [metric["MetricName"] for metric in metrics]
    assert [[{"Name": "FunctionName", "Value": "<SignedApi>"}]] * 2 == [metric["Dimensions"] for metric in metrics]


def test_slow_is_near_the_end(plain: Stack) -> None:
    """boot_api counts as slow at eight tenths of its time."""
    assert plain.properties("BootsSlow")["Threshold"] == 800 * plain.properties("BootApi")["Timeout"]


def test_the_budget(two_stacks: tuple[Stack, Stack]) -> None:
    """There is one where there is somebody to tell."""
    found = [stack.of_type("AWS::Budgets::Budget") for stack in two_stacks]
    assert {} == found[0]
    assert {"Amount": "50", "Unit": "USD"} == found[1]["Budget"]["Budget"]["BudgetLimit"]


def test_outputs(plain: Stack) -> None:
    """What an operator needs next; ARM64 is client architecture 11."""
    boot = "http://<LoadBalancer.DNSName>/boot.ipxe"
    assert boot == plain.outputs["BootUrl"]
    dnsmasq = plain.outputs["Dnsmasq"].splitlines()
    assert {"dhcp-match=set:arm64,option:client-arch,11", f"dhcp-boot=tag:ipxe,{boot}"} < set(dnsmasq)
    assert ["#!ipxe", "dhcp", f"chain {boot}"] == plain.outputs["Ec2UserData"].splitlines()
    assert ("<Table>", "<Bucket>") == (plain.outputs["TableName"], plain.outputs["BucketName"])
    assert "MATCHBOX_TABLE=<Table> MATCHBOX_BUCKET=<Bucket> matchboxctl import DIR" in plain.outputs["ImportCommand"]
    assert "--function-name <AssetSync> " in plain.outputs["SyncCommand"]


def test_what_has_to_be_answered(plain: Stack) -> None:
    """All parameters but VPC, subnets and the first CIDR block have defaults, and none lets the world in."""
    given = plain._template["Parameters"]
    assert {"VpcId", "SubnetIds", "AllowedCidr"} == {name for name in given if "Default" not in given[name]}
    assert [] == [name for name in given if not given[name].get("Description")]
    assert [] == [name for name in given if given[name].get("Default") == "0.0.0.0/0"]
    groups = plain._template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    assert sorted(given) == sorted(name for group in groups for name in group["Parameters"])
