"""The load balancer, its rules, and who may ask it."""

import pytest

from tests.stack.conftest import BEHIND_BALANCER
from tests.stack.resolution import Stack

pytestmark = BEHIND_BALANCER


def test_load_balancer_appends_the_clients_address(plain: Stack) -> None:
    attributes = {each["Key"]: each["Value"] for each in plain.properties("LoadBalancer")["LoadBalancerAttributes"]}
    assert attributes["routing.http.xff_header_processing.mode"] == "append"


def test_unsigned_reads_need_the_s3_endpoint(full: Stack) -> None:
    statements = full.properties("BucketPolicy")["PolicyDocument"]["Statement"]
    [statement] = [each for each in statements if each["Sid"] == "ReadsWithoutSignature"]
    assert "s3:GetObject" == statement["Action"]
    assert ["<Bucket.Arn>/assets/*", "<Bucket.Arn>/releases/*"] == statement["Resource"]
    assert {"StringEquals": {"aws:SourceVpce": "<S3Endpoint>"}} == statement["Condition"]


@pytest.mark.parametrize(
    ("name", "permission"), [("TargetGroup", "BootApiMayBeAsked"), ("SignedTargetGroup", "SignedApiMayBeAsked")]
)
def test_target_groups_pass_repeated_headers_on(with_key: Stack, name: str, permission: str) -> None:
    """They have no health checks and follow the permissions that they need."""
    group = with_key.resources[name]
    assert [{"Key": "lambda.multi_value_headers.enabled", "Value": "true"}] == (
        group["Properties"]["TargetGroupAttributes"]
    )
    assert ("lambda", False) == (group["Properties"]["TargetType"], group["Properties"]["HealthCheckEnabled"])
    assert permission == group["DependsOn"]


def test_listeners_forward_on_80_and_with_a_certificate_on_443(plain: Stack, full: Stack) -> None:
    found = [
        sorted(
            (each["Port"], each["Protocol"], [action["Type"] for action in each["DefaultActions"]])
            for each in stack.of_type("AWS::ElasticLoadBalancingV2::Listener").values()
        )
        for stack in (plain, full)
    ]
    http, https = (80, "HTTP", ["forward"]), (443, "HTTPS", ["forward"])
    assert [[http], [http, https]] == found


def test_signature_paths_go_to_signed_api(plain: Stack, full: Stack, with_key: Stack) -> None:
    found = [
        {
            rule["ListenerArn"]: (rule["Conditions"], rule["Actions"])
            for rule in stack.of_type("AWS::ElasticLoadBalancingV2::ListenerRule").values()
        }
        for stack in (plain, full, with_key)
    ]
    signed = (
        [{"Field": "path-pattern", "PathPatternConfig": {"Values": ["*.sig", "*.asc"]}}],
        [{"Type": "forward", "TargetGroupArn": "<SignedTargetGroup>"}],
    )
    assert [{}, {"<Listener>": signed, "<SecureListener>": signed}, {"<Listener>": signed}] == found


def test_only_the_parameters_addresses_are_allowed(plain: Stack, full: Stack) -> None:
    found = [
        [
            (rule["FromPort"], rule.get("CidrIp") or rule["SourcePrefixListId"])
            for rule in stack.properties("SecurityGroup")["SecurityGroupIngress"]
        ]
        for stack in (plain, full)
    ]
    everybody = ["10.0.0.0/16", "192.168.0.0/24", "pl-0123456789abcdef0"]
    assert [[(80, "10.0.0.0/16")], [(port, who) for who in everybody for port in (80, 443)]] == found


@pytest.mark.parametrize(("function", "name"), [("BootApi", "TargetGroup"), ("SignedApi", "SignedTargetGroup")])
def test_only_the_stacks_target_group_invokes_a_function(full: Stack, function: str, name: str) -> None:
    permission, group = full.properties(f"{function}MayBeAsked"), full.properties(name)
    where = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup"
    assert f"{where}/{group['Name']}/*" == permission["SourceArn"]
    assert f"<{function}Aliaslive>" == permission["FunctionName"]
    assert len(group["Name"]) <= 32
