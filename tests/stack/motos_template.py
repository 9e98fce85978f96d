"""The translated template in a form that moto's CloudFormation takes, and the network and code that it needs."""

import io
import json
import os
import uuid
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from tests.rigs.service import Service
from tests.stack.resolution import Stack
from tools.template_translation import REQUIRED_PARAMETERS, Deployment, translations

CODE = [
    "BootApi",
    "BootApiLayer",
    "SignedApi",
    "SignedApiLayer",
    "AssetSync",
    "AssetSyncLayer",
    "BootHistory",
]


class Deployable(NamedTuple):
    """A template file, the bucket with its code, and the answers that name a network which is there."""

    file: Path
    bucket: str
    answers: Mapping[str, str]


def network(moto: Service, client: Callable[[str], Any]) -> dict[str, str]:
    """What has to be answered for a load balancer, in a new VPC."""
    ec2 = client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=zone)["Subnet"]["SubnetId"]
        for number, zone in enumerate((f"{moto.region}a", f"{moto.region}b"))
    ]
    return {**REQUIRED_PARAMETERS, "VpcId": vpc, "SubnetIds": ",".join(subnets)}


def deployable(moto: Service, client: Callable[[str], Any], answers: Mapping[str, str], directory: Path) -> Deployable:
    """Make it in the directory, as `template.yaml`; `client` gives boto3's clients of moto."""
    bucket = uploaded(client("s3"), moto.region)
    [template] = translations([Deployment(answers)])
    template["Resources"] = _chosen(template["Resources"], Stack(template, answers))
    text = json.dumps(template).replace('"code"', json.dumps(bucket))
    # moto's CloudFormation knows no aliases and no names of permissions.
    for reference, value in (
        ({"Ref": "BootApiAliaslive"}, {"Fn::GetAtt": ["BootApi", "Arn"]}),
        ({"Ref": "SignedApiAliaslive"}, {"Fn::GetAtt": ["SignedApi", "Arn"]}),
        ({"Ref": "DistributionMayInvoke"}, "DistributionMayInvoke"),
    ):
        text = text.replace(json.dumps(reference), json.dumps(value))
    file = directory / "template.yaml"
    file.write_text(text)
    return Deployable(file, bucket, answers)


def sams_environment(moto: Service, home: Path) -> dict[str, str]:
    """What the SAM CLI is run with."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "AWS_ACCESS_KEY_ID": "fake",
        "AWS_SECRET_ACCESS_KEY": "fake",
        "AWS_DEFAULT_REGION": moto.region,
        # In the template's address, SAM's is S3's path style; moto takes it for that with this name only.
        "AWS_ENDPOINT_URL": moto.endpoint.replace("127.0.0.1", "localhost"),
        "SAM_CLI_TELEMETRY": "0",
    }


def uploaded(s3: Any, region: str) -> str:
    """A bucket with code, which moto looks for."""
    bucket = f"code-{uuid.uuid4()}"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": region})
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as written:
        written.writestr("empty.py", "")
    for name in CODE:
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
