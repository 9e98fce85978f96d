"""`sam deploy` of the translated template, into moto's CloudFormation: AWS itself is unproven.

moto leaves out alarms, the schedule, policies of buckets, budgets, and most attributes of target groups and layers:
the other tests here look for those in the template.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import uuid
import zipfile
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from tests.stack.resolution import Stack
from tests.stack.translation import ANSWERS, PROJECT, Deployment, translations

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.rigs.service import Service

KINDS = {
    "AWS::DynamoDB::Table",
    "AWS::EC2::SecurityGroup",
    "AWS::ElasticLoadBalancingV2::Listener",
    "AWS::ElasticLoadBalancingV2::LoadBalancer",
    "AWS::ElasticLoadBalancingV2::TargetGroup",
    "AWS::IAM::Role",
    "AWS::Lambda::Function",
    "AWS::Lambda::Permission",
    "AWS::S3::Bucket",
    "AWS::SNS::Topic",
    "AWS::SQS::Queue",
}


@pytest.fixture
def client(moto_server: Service, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """boto3's clients of moto."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "fake")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "fake")
    return lambda name: boto3.client(name, region_name=moto_server.region, endpoint_url=moto_server.endpoint)


def _uploaded(s3: Any, region: str, names: list[str]) -> str:
    """A bucket with code, which moto looks for."""
    bucket = f"code-{uuid.uuid4()}"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": region})
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as written:
        written.writestr("empty.py", "")
    for name in names:
        s3.put_object(Bucket=bucket, Key=name, Body=archive.getvalue())
    return bucket


def _chosen(value: Any, stack: Stack) -> Any:
    """The value without the members of lists that conditions leave out: moto puts None in their places."""
    if isinstance(value, dict):
        return {name: _chosen(each, stack) for name, each in value.items()}
    if isinstance(value, list):
        return [_chosen(each, stack) for each in value if not _left_out(each, stack)]
    return value


def _left_out(value: Any, stack: Stack) -> bool:
    match value:
        case {"Fn::If": [condition, _, {"Ref": "AWS::NoValue"}]}:
            return not stack._holds(condition)
    return False


@pytest.mark.real
@pytest.mark.filterwarnings("ignore:Tried to parse")
def test_sam_deploys(moto_server: Service, client: Callable[[str], Any], tmp_path: Path) -> None:
    """The stack is made of all that moto knows, and the function is told of its table and bucket."""
    network = client("ec2")
    vpc = network.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        network.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=zone)["Subnet"]["SubnetId"]
        for number, zone in enumerate((f"{moto_server.region}a", f"{moto_server.region}b"))
    ]
    names = ["BootApi", "BootApiLayer", "AssetSync", "AssetSyncLayer"]
    bucket = _uploaded(client("s3"), moto_server.region, names)
    answers = {**ANSWERS, "VpcId": vpc, "SubnetIds": ",".join(subnets)}
    [template] = translations([Deployment(answers)])
    file = tmp_path / "template.json"
    # moto's CloudFormation knows no aliases.
    alias, function = map(json.dumps, ({"Ref": "BootApiAliaslive"}, {"Fn::GetAtt": ["BootApi", "Arn"]}))
    template["Resources"] = _chosen(template["Resources"], Stack(template, answers))
    file.write_text(json.dumps(template).replace('"code"', json.dumps(bucket)).replace(alias, function))
    stack = f"stack-{uuid.uuid4()}"
    done = subprocess.run(
        [
            str(PROJECT / ".venv-sam" / "bin" / "sam"),
            *("deploy", "--template-file", str(file), "--stack-name", stack, "--s3-bucket", bucket),
            *("--region", moto_server.region, "--capabilities", "CAPABILITY_IAM", "--no-confirm-changeset"),
            *("--parameter-overrides", *(f"{name}={value}" for name, value in answers.items())),
        ],
        cwd=tmp_path,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "AWS_ACCESS_KEY_ID": "fake",
            "AWS_SECRET_ACCESS_KEY": "fake",
            "AWS_ENDPOINT_URL": moto_server.endpoint.replace("127.0.0.1", "localhost"),
            "SAM_CLI_TELEMETRY": "0",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    resources = client("cloudformation").describe_stack_resources(StackName=stack)["StackResources"]
    assert KINDS <= {resource.get("ResourceType") for resource in resources}
    ids = {resource.get("LogicalResourceId"): resource.get("PhysicalResourceId") for resource in resources}
    key = client("dynamodb").describe_table(TableName=ids["Table"])["Table"]["KeySchema"]
    assert [{"AttributeName": "pk", "KeyType": "HASH"}] == key
    variables = client("lambda").get_function_configuration(FunctionName=ids["BootApi"])["Environment"]["Variables"]
    assert (ids["Table"], ids["Bucket"]) == (variables["MATCHBOX_TABLE"], variables["MATCHBOX_BUCKET"])
