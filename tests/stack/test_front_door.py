"""The stack behind CloudFront, and how it differs from that behind a load balancer."""

import json
from fnmatch import fnmatchcase
from typing import Any

import pytest

from tests.stack.conftest import CLOUDFRONT, KEY, stacks_behind
from tests.stack.release_before import resources
from tests.stack.replacement import created_once
from tests.stack.resolution import Stack, stacks
from tools.template_translation import Deployment

OF_BALANCER = ("AWS::ElasticLoadBalancingV2::", "AWS::EC2::")
CACHING_DISABLED, ALL_BUT_HOST = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad", "b689b0a8-53d0-40ab-baf2-68738e2966ac"
SECRET_ROUTES = ("/ignition", "/cloud", "/generic", "/metadata", "/report")


@pytest.fixture(scope="module")
def plain_door() -> Stack:
    return stacks_behind("cloudfront").plain


@pytest.fixture(scope="module")
def signed_door() -> Stack:
    return stacks_behind("cloudfront").with_key


def config(stack: Stack) -> dict[str, Any]:
    found: dict[str, Any] = stack.properties("Distribution")["DistributionConfig"]
    return found


def behavior(stack: Stack, path: str) -> dict[str, Any]:
    """What CloudFront does with a path: the first pattern counts."""
    matching = (each for each in config(stack)["CacheBehaviors"] if fnmatchcase(path, each["PathPattern"]))
    found: dict[str, Any] = next(matching, config(stack)["DefaultCacheBehavior"])
    return found


def test_cloudfront_needs_and_makes_no_network() -> None:
    for stack in stacks_behind("cloudfront"):
        assert [] == [name for name, each in stack.resources.items() if each["Type"].startswith(OF_BALANCER)]
        assert [] == [name for name, each in stack.resources.items() if "LoadBalancer" in json.dumps(each)]
        assert [] == stack.refusals({**CLOUDFRONT, "SigningKeySecret": stack.parameters["SigningKeySecret"]})


def test_balancer_has_nothing_of_cloudfront() -> None:
    balancer = stacks_behind("alb").full
    kinds = {each["Type"] for each in balancer.resources.values()}
    assert set() == {kind for kind in kinds if kind.startswith("AWS::CloudFront") or kind == "AWS::Lambda::Url"}
    assert "" == balancer.environment("AssetSync")["MATCHBOX_RELEASE_COPIES"]


@pytest.mark.parametrize("parameters", ["plain", "full"])
def test_change_of_the_door_replaces_neither_table_nor_bucket_nor_functions(parameters: str) -> None:
    """Nor anything else that both doors have, but versions; in either direction."""
    cloudfront, balancer = (getattr(stacks_behind(door), parameters) for door in ("cloudfront", "alb"))
    made = [resources(stack) for stack in (cloudfront, balancer)]
    both = made[0].keys() & made[1].keys()
    functions = {"AssetSync", "BootApi", "BootHistory", *(["SignedApi"] if parameters == "full" else [])}
    assert {"Table", "Bucket", "HistoryTable", "BootApiAliaslive", "Schedule", *functions} <= both
    once = [{name: created_once(each[name]) for name in both} for each in made]
    assert once[0] == once[1]
    tables = [stack.properties("Table")["TableName"] for stack in (cloudfront, balancer)]
    assert tables[0] == tables[1] == cloudfront.properties("Bucket")["BucketName"]


@pytest.mark.parametrize(
    "path", ["/", "/boot.ipxe", "/ipxe", "/grub", "/metadata", "/assets", "/assets/", "/assets/a/b/"]
)
def test_responses_of_functions_are_never_cached_and_never_shared(signed_door: Stack, path: str) -> None:
    found = behavior(signed_door, path)
    assert ("boot_api", CACHING_DISABLED, ALL_BUT_HOST) == (
        found["TargetOriginId"],
        found["CachePolicyId"],
        found["OriginRequestPolicyId"],
    )


def test_every_behavior_admits_networks_and_reads_only(signed_door: Stack) -> None:
    every = [config(signed_door)["DefaultCacheBehavior"], *config(signed_door)["CacheBehaviors"]]
    asked = [{"EventType": "viewer-request", "FunctionARN": "<DoorFunction.FunctionMetadata.FunctionARN>"}]
    assert {(("GET", "HEAD"), False)} == {(tuple(each["AllowedMethods"]), each["Compress"]) for each in every}
    assert [asked] * len(every) == [each["FunctionAssociations"] for each in every]
    cached = [each for each in every if each["CachePolicyId"] != CACHING_DISABLED]
    assert ["/assets/*"] == [each["PathPattern"] for each in cached]
    assert "OriginRequestPolicyId" not in cached[0]


@pytest.mark.parametrize("route", SECRET_ROUTES)
def test_configurations_are_given_over_https_unless_the_operator_says_otherwise(signed_door: Stack, route: str) -> None:
    [plain] = stacks([Deployment({**CLOUDFRONT, **KEY, "PlainConfigurations": "yes"})])
    suffixes = ["", ".sig", ".asc"] if route != "/report" else [""]
    for path in (route + suffix for suffix in suffixes):
        found = [behavior(stack, path)["ViewerProtocolPolicy"] for stack in (signed_door, plain)]
        assert ["https-only", "allow-all"] == found


@pytest.mark.parametrize("path", ["/", "/boot.ipxe", "/ipxe", "/grub", "/ipxe.sig", "/assets/a", "/assets/a.sig"])
def test_scripts_and_assets_are_given_over_http(signed_door: Stack, path: str) -> None:
    assert "allow-all" == behavior(signed_door, path)["ViewerProtocolPolicy"]


@pytest.mark.parametrize("route", ["/boot.ipxe", "/ipxe", "/grub", "/ignition", "/cloud", "/generic", "/metadata"])
def test_signatures_go_to_signed_api(plain_door: Stack, signed_door: Stack, route: str) -> None:
    for suffix in (".sig", ".asc"):
        found = [behavior(stack, route + suffix)["TargetOriginId"] for stack in (plain_door, signed_door)]
        assert ["boot_api", "signed_api"] == found


def test_errors_are_not_cached(plain_door: Stack) -> None:
    """CloudFront's ten seconds would be handed to all machines that ask."""
    errors = config(plain_door)["CustomErrorResponses"]
    assert [{"ErrorCode": each["ErrorCode"], "ErrorCachingMinTTL": 0} for each in errors] == errors
    assert {400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504} == {each["ErrorCode"] for each in errors}


def test_assets_are_releases_over_own_files(plain_door: Stack) -> None:
    origins = {each["Id"]: each for each in config(plain_door)["Origins"]}
    [group] = config(plain_door)["OriginGroups"]["Items"]
    assert behavior(plain_door, "/assets/talos/vmlinuz")["TargetOriginId"] == group["Id"]
    members = [origins[each["OriginId"]] for each in group["Members"]["Items"]]
    assert [("/served", "<Bucket.RegionalDomainName>"), (None, "<Bucket.RegionalDomainName>")] == [
        (each.get("OriginPath"), each["DomainName"]) for each in members
    ]
    assert [403, 404] == group["FailoverCriteria"]["StatusCodes"]["Items"]


def test_functions_are_asked_through_their_alias_and_by_the_distribution_only(signed_door: Stack) -> None:
    arn = "arn:aws:cloudfront::123456789012:distribution/<Distribution>"
    for name in ("BootApi", "SignedApi"):
        url = signed_door.properties(f"{name}Url")
        assert (f"<{name}>", "live", "AWS_IAM", "BUFFERED") == tuple(
            url[key] for key in ("TargetFunctionArn", "Qualifier", "AuthType", "InvokeMode")
        )
        granted = [
            {key: each[key] for key in each if key not in ("FunctionName", "SourceArn", "Principal")}
            for each in signed_door.of_type("AWS::Lambda::Permission").values()
            if each["FunctionName"] == f"<{name}Aliaslive>"
            and (each["Principal"], each["SourceArn"]) == ("cloudfront.amazonaws.com", arn)
        ]
        assert [
            {"Action": "lambda:InvokeFunctionUrl", "FunctionUrlAuthType": "AWS_IAM"},
            {"Action": "lambda:InvokeFunction", "InvokedViaFunctionUrl": True},
        ] == granted


def test_origins_are_signed_for(signed_door: Stack) -> None:
    controls = signed_door.of_type("AWS::CloudFront::OriginAccessControl")
    kinds = {
        f"<{name}.Id>": each["OriginAccessControlConfig"]["OriginAccessControlOriginType"]
        for name, each in controls.items()
    }
    assert {("always", "sigv4")} == {
        (each["OriginAccessControlConfig"]["SigningBehavior"], each["OriginAccessControlConfig"]["SigningProtocol"])
        for each in controls.values()
    }
    found = {each["Id"]: kinds[each["OriginAccessControlId"]] for each in config(signed_door)["Origins"]}
    assert {"boot_api": "lambda", "signed_api": "lambda", "releases": "s3", "own": "s3"} == found


def test_cloudfront_reads_assets_and_copies_also_by_http(plain_door: Stack) -> None:
    """It asks an S3 origin by the protocol that it was asked by."""
    policy = {each["Sid"]: each for each in plain_door.properties("BucketPolicy")["PolicyDocument"]["Statement"]}
    only = {"aws:SourceArn": "arn:aws:cloudfront::123456789012:distribution/<Distribution>"}
    for name in ("TlsForAllButReads", "TlsForReads"):
        assert {"Bool": {"aws:SecureTransport": "false"}, "StringNotEquals": only} == policy[name]["Condition"]
    reads, lists = policy["ReadsByCloudFront"], policy["MissingObjectsAreNotFound"]
    assert ("s3:GetObject", ["<Bucket.Arn>/assets/*", "<Bucket.Arn>/served/assets/*"]) == (
        reads["Action"],
        reads["Resource"],
    )
    assert ("s3:ListBucket", "<Bucket.Arn>") == (lists["Action"], lists["Resource"])
    assert [{"StringEquals": only}] * 2 == [each["Condition"] for each in (reads, lists)]
    assert [{"Service": "cloudfront.amazonaws.com"}] * 2 == [each["Principal"] for each in (reads, lists)]


def test_bucket_gets_the_copies_that_cloudfront_serves(plain_door: Stack) -> None:
    assert "true" == plain_door.environment("AssetSync")["MATCHBOX_RELEASE_COPIES"]


NOBODY = "set AllowedCidrs to the machines' addresses as the internet sees them; or set AllowEverybody to yes, which"


def test_rules_ask_for_what_the_door_needs(plain_door: Stack) -> None:
    network = plain_door.refusals({"FrontDoor": "alb", "VpcId": "", "SubnetIds": ""})
    assert ["set VpcId to ", "set SubnetIds to"] == [text[:13] if "Vpc" in text[:10] else text[:16] for text in network]
    [refusal] = plain_door.refusals({**CLOUDFRONT, "AllowedCidrs": ""})
    assert refusal.startswith(NOBODY)
    assert [] == plain_door.refusals({**CLOUDFRONT, "AllowedCidrs": "", "AllowEverybody": "yes"})


@pytest.mark.parametrize(
    "blocks",
    [
        "10.0.0.0/8",
        "2001:db8::/32",
        "203.0.113.9/32,2001:db8:0:1::1/128,198.51.100.0/24",
        "fe80::/16",
        "2001:db8:0:0:0:0:0:1/128,1::/16,2001:DB8:1:2:3:4:5::/112",
    ],
)
def test_networks_of_both_versions_are_taken(plain_door: Stack, blocks: str) -> None:
    assert [] == plain_door.refusals({**CLOUDFRONT, "AllowedCidrs": blocks})


@pytest.mark.parametrize(
    "blocks",
    ["0.0.0.0/0", "0.0.0.0/1,128.0.0.0/1", "::/0", "2000::/3", "10.0.0.0/8,", ",10.0.0.0/8", "10.0.0.0/8, 10.1.0.0/16",
     "2001:db8::1::/32", "2001:db8:::1/32", "2001:db8:1/48", "2001:db8::12345/64", "1:2:3:4:5:6:7:8:9/16",
     "10.0.0.0", "2001:db8::", "2001:db8::/129", "'+x+'", "10.0.0.0/8'", "2001:db8::/32\n"],
)  # fmt: skip
def test_blocks_of_the_whole_internet_and_of_another_form_are_refused(plain_door: Stack, blocks: str) -> None:
    assert "AllowedCidrs" in plain_door.refusals({**CLOUDFRONT, "AllowedCidrs": blocks})
