"""What AWS says of the stack, and what it refuses."""

import json
import time
import uuid
from collections.abc import Mapping
from contextlib import suppress
from ipaddress import ip_address, ip_network
from typing import Any
from urllib.parse import quote

import pytest

from tests.aws.deployed import Deployed, fetch

FORGED = "192.0.2.1"
"""An address for documentation, which no machine has."""

STRANGERS = (FORGED, "2001:db8::1")
_COMPARE = "compare the role with template.yaml"

NOBODY = {
    "dynamodb:Scan": "!table",
    "iam:PutRolePolicy": "!role",
    "s3:DeleteBucket": "!bucket",
    "secretsmanager:GetSecretValue": "!secret",
}
ROLES: Mapping[str, dict[str, str]] = {
    "BootApiRole": {
        "dynamodb:GetItem": "table G#1, !table I, !table",
        "dynamodb:PutItem": "table M#1, !table G#1, !table K, !history",
        "s3:GetObject": "bucket/assets/1, bucket/templates/1, !bucket/others/1",
        "s3:PutObject": "bucket/answers/1, !bucket/assets/1, !bucket/releases/1",
        "ssm:GetParameters": "parameter/1",
    },
    "SignedApiRole": {
        "dynamodb:GetItem": "table G#1, !table I, !table",
        "dynamodb:PutItem": "!table M#1",
        "s3:PutObject": "!bucket/answers/1",
    },
    "AssetSyncRole": {
        "dynamodb:GetItem": "table I, !table G#1, !table T#1",
        "dynamodb:UpdateItem": "table R#1, !table G#1",
        "dynamodb:PutItem": "table K, !table M#1",
        "s3:GetObject": "bucket/releases/1, !bucket/templates/1",
        "s3:PutObject": "bucket/releases/1, bucket/served/1, !bucket/assets/1",
    },
    "BootHistoryRole": {
        "dynamodb:GetItem": "history, !table G#1",
        "dynamodb:PutItem": "history, !table M#1",
        "s3:GetObject": "!bucket/assets/1",
    },
    "ScheduleRole": {"lambda:InvokeFunction": "function/AssetSync, !function/BootApi"},
}
"""On what each role may do what, and not after an exclamation mark; an item of a table is named by its key."""


def test_function_url(deployed: Deployed) -> None:
    """Only CloudFront may ask a function URL; behind the load balancer there is none."""
    client, found = deployed.client("lambda"), 0
    for function in {"BootApi", "SignedApi"} & set(deployed.resources):
        name = deployed.resources[function]
        with suppress(client.exceptions.ResourceNotFoundException):
            url = client.get_function_url_config(FunctionName=name, Qualifier="live")
            found += 1
            assert "AWS_IAM" == url["AuthType"], f"everybody may ask {url['FunctionUrl']}: set its AuthType to AWS_IAM"
            response = fetch(f"{url['FunctionUrl'].rstrip('/')}/boot.ipxe")
            assert 403 == response.status, f"{url['FunctionUrl']} gave {response}: see who may invoke {name}:live"
    assert deployed.behind_cloudfront == bool(found), f"there are {found} function URLs: compare with template.yaml"


def test_bucket(deployed: Deployed) -> None:
    """Nobody reads the bucket without a signature, but for CloudFront and the machines of an S3 endpoint."""
    client, bucket = deployed.client("s3"), deployed.outputs["BucketName"]
    blocked = client.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    assert all(blocked.values()), f"the bucket may be made public: {blocked}; block all public access to it"
    objects = client.list_objects_v2(Bucket=bucket, MaxKeys=1).get("Contents", [])
    for place in [quote(each["Key"]) for each in objects] + ["?list-type=2"]:
        response = fetch(f"{client.meta.endpoint_url}/{bucket}/{place}")
        assert 403 == response.status, (
            f"{bucket}/{place} gave {response}: somebody may read the bucket; see its policy and ACL. A machine that "
            "asks through the VPC's S3 endpoint may: run this elsewhere"
        )


def test_networks(deployed: Deployed) -> None:
    """CloudFront's function, as published, refuses strangers, and says itself who asks."""
    if "DoorFunction" not in deployed.resources:
        pytest.skip("the stack has a load balancer: its security group admits networks")
    networks = [ip_network(each, strict=False) for each in filter(None, deployed.parameters["AllowedCidrs"].split(","))]
    admitted = str(networks[0][0]) if networks else FORGED
    for viewer in (admitted, *STRANGERS):
        allowed = not networks or any(ip_address(viewer) in each for each in networks)
        made = _at_the_edge(deployed, viewer)
        assert (None if allowed else 403) == made.get("response", {}).get("statusCode"), (
            f"the function makes {made} for {viewer}: compare AllowedCidrs with the published function"
        )
        if allowed:
            said = made["request"]["headers"]["x-boot-viewer"]["value"]
            assert viewer == said, f"{viewer} can pass for {said}: publish the function of template.yaml again"


def _at_the_edge(deployed: Deployed, viewer: str) -> dict[str, Any]:
    """What the published function makes of a request with a forged header; CloudFront runs it as a test."""
    client, name = deployed.client("cloudfront"), deployed.resources["DoorFunction"].rpartition("/")[2]
    headers = {"x-boot-viewer": {"value": "198.51.100.7"}}
    request = {"method": "GET", "uri": "/ipxe", "querystring": {}, "headers": headers, "cookies": {}}
    context = {"eventType": "viewer-request", "distributionDomainName": "d111111abcdef8.cloudfront.net"}
    event = {"version": "1.0", "context": context, "viewer": {"ip": viewer}, "request": request}
    etag = client.describe_function(Name=name, Stage="LIVE")["ETag"]
    tested = client.test_function(Name=name, IfMatch=etag, Stage="LIVE", EventObject=json.dumps(event).encode())
    result = tested["TestResult"]
    assert not result.get("FunctionErrorMessage"), f"the function fails for {viewer}: {result['FunctionErrorMessage']}"
    used = result.get("ComputeUtilization", "?")
    print(f"for {viewer} the function took {used}% of the time that CloudFront gives it")
    made: dict[str, Any] = json.loads(result["FunctionOutput"])
    return made


@pytest.mark.parametrize("role", ROLES)
def test_roles(role: str, deployed: Deployed) -> None:
    """IAM's simulation of each role, with the keys of items."""
    if role not in deployed.resources:
        pytest.skip("the stack signs nothing: SigningKeySecret is empty")
    for action, places in (ROLES[role] | NOBODY).items():
        for place in places.split(", "):
            decision = _decision(deployed, role, action, *place.removeprefix("!").split())
            assert decision == "allowed" or place[0] == "!", f"{role}: {action} {place} is denied; {_COMPARE}"
            assert decision != "allowed" or place[0] != "!", f"{role}: {action} {place[1:]} is allowed; {_COMPARE}"


def _decision(deployed: Deployed, role: str, action: str, resource: str, *keys: str) -> str:
    entries = [("aws:ResourceAccount", "string", [deployed.account])]
    entries += [("dynamodb:LeadingKeys", "stringList", list(keys))] if keys else []
    place = f"{deployed.region}:{deployed.account}"
    kind, _, rest = resource.partition("/")
    arn = {
        "table": f"dynamodb:{place}:table/{deployed.outputs['TableName']}",
        "history": f"dynamodb:{place}:table/{deployed.outputs['HistoryTableName']}",
        "bucket": f"s3:::{deployed.outputs['BucketName']}" + (f"/{rest}" if rest else ""),
        "parameter": f"ssm:{place}:parameter{deployed.outputs['SecretsPrefix']}/{rest}",
        "function": f"lambda:{place}:function:{deployed.resources.get(rest)}",
        "secret": f"secretsmanager:{place}:secret:another-AbCdEf",
        "role": f"iam::{deployed.account}:role/{deployed.resources[role]}",
    }[kind]
    found = deployed.client("iam").simulate_principal_policy(
        PolicySourceArn=f"arn:{deployed.partition}:iam::{deployed.account}:role/{deployed.resources[role]}",
        ActionNames=[action],
        ResourceArns=[f"arn:{deployed.partition}:{arn}"],
        ContextEntries=[
            {"ContextKeyName": name, "ContextKeyType": kind, "ContextKeyValues": values}
            for name, kind, values in entries
        ],
    )
    decision: str = found["EvaluationResults"][0]["EvalDecision"]
    return decision


def test_client(deployed: Deployed) -> None:
    """The log has the address that the door saw, whatever headers say."""
    path = f"/{uuid.uuid4().hex}"
    deployed.get(path, x_forwarded_for=FORGED, x_boot_viewer=FORGED)
    until = time.monotonic() + 90
    while not (
        lines := [
            line for line in deployed.log("BootApiLog", f'{{ $.path = "{path}" }}', 10) if line.get("path") == path
        ]
    ):
        assert time.monotonic() < until, f"the log of boot_api has no line with {path}: may its role write there?"
        time.sleep(3)
    print(f"the door saw {lines[0]['client']}")
    assert FORGED != lines[0]["client"], "machines can say that they are others: take the door out of DHCP, report it"


def test_schedule(deployed: Deployed) -> None:
    """The schedule has run, and nothing was given up."""
    assert any(deployed.log("AssetSyncLog", "", 24 * 60)), "no sync has run for a day: see the schedule and its role"
    client = deployed.client("sqs")
    for queue in ("DeadLetters", "HistoryDeadLetters"):
        wanted = "ApproximateNumberOfMessages"
        found = client.get_queue_attributes(QueueUrl=deployed.resources[queue], AttributeNames=[wanted])
        count = found["Attributes"][wanted]
        assert "0" == count, f"{count} events in {deployed.resources[queue]}: see the log of the function that failed"


def test_history(deployed: Deployed) -> None:
    """What a machine asked has become a history."""
    if not any(deployed.log("BootApiLog", '{ $.mac = "*" }', 24 * 60)):
        pytest.skip("no machine has asked for a day: boot one")
    found = deployed.client("dynamodb").scan(TableName=deployed.outputs["HistoryTableName"], Limit=1)
    advice = "see the subscription BootApiSubscription, and the log of boot_history"
    assert found["Count"], f"machines asked, and there is no history: {advice}"


def test_alarms(deployed: Deployed) -> None:
    """CloudWatch evaluates every alarm, those over several metrics too."""
    names = [deployed.resources[each] for each, kind in deployed.types.items() if kind == "AWS::CloudWatch::Alarm"]
    found = deployed.client("cloudwatch").describe_alarms(AlarmNames=names)["MetricAlarms"]
    states = {each["AlarmName"]: each["StateValue"] for each in found}
    print("\n".join(f"{state} {name}" for name, state in sorted(states.items())))
    unknown = [name for name in names if states.get(name) not in ("OK", "ALARM")]
    assert [] == unknown, "not evaluated: wait ten minutes after a deployment; then see their metrics in CloudWatch"
