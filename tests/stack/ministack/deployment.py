"""`sam deploy` into the emulated account, and requests through its front door."""

import json
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from tests.conformance.http_exchange import exchange
from tests.conformance.recordings import Recording, Response
from tests.rigs.ministack import ACCOUNT, Ministack
from tests.rigs.stores import Stores
from tools.template_translation import PROJECT

SAM = PROJECT / ".venv-sam" / "bin" / "sam"
TARGETS = {"TargetGroup": "BootApiAliaslive", "SignedTargetGroup": "SignedApiAliaslive"}


@dataclass(frozen=True)
class Deployed:
    """A stack, its resources' physical ids by their logical ids, and its outputs."""

    account: Ministack
    name: str
    id: str
    resources: Mapping[str, str]
    outputs: Mapping[str, str]

    @property
    def host(self) -> str:
        """The front door's name, by which the emulator knows requests for it."""
        return urlsplit(self.outputs["BootUrl"]).netloc

    @property
    def stores(self) -> Stores:
        """Its table and bucket."""
        return Stores(self.outputs["TableName"], self.account, self.account)

    def exchange(self, recording: Recording) -> Response:
        """The front door's response to the recording's request, for HTTP."""
        path, mark, query = recording.target.partition("?")
        # The emulator's balancer decodes the query; AWS's leaves it to the function.
        # ("Lambda functions as targets for Application Load Balancers": query parameters are not URL-decoded.)
        sent = quote(query, safe="=&") if "LoadBalancer" in self.resources else query
        target = f"{path}{mark}{sent}"
        return exchange(self.account.plain_port, replace(recording, target=target), self.host)

    def get(self, target: str, **headers: str) -> Response:
        """The response to a GET."""
        return self.exchange(Recording("", "GET", target, headers, Response(0, {}, b"")))

    def command(self, *arguments: str) -> str:
        """What `matchboxctl` prints, for its tables, bucket and secrets."""
        outputs = {
            "TABLE": "TableName",
            "BUCKET": "BucketName",
            "HISTORY_TABLE": "HistoryTableName",
            "SECRETS": "SecretsPrefix",
        }
        names = {f"MATCHBOX_{name}": self.outputs[output] for name, output in outputs.items()}
        line = [sys.executable, "-m", "matchboxctl.main", *arguments]
        environment = self.account.environment() | names
        done = subprocess.run(line, env=environment, capture_output=True, text=True, check=False)
        assert 0 == done.returncode, done.stdout + done.stderr
        return done.stdout

    def role(self, logical_id: str) -> Ministack:
        """The account with the credentials of a role of the stack."""
        name = self.resources[logical_id]
        with closing(self.account.client("iam")) as iam, closing(self.account.client("sts")) as sts:
            role = iam.get_role(RoleName=name)["Role"]
            # Only a service may assume it.
            statement = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}
            ours = {"Version": "2012-10-17", "Statement": [statement]}
            iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(ours))
            try:
                given = sts.assume_role(RoleArn=role["Arn"], RoleSessionName="test")["Credentials"]
            finally:
                its = json.dumps(role["AssumeRolePolicyDocument"])
                iam.update_assume_role_policy(RoleName=name, PolicyDocument=its)
        return replace(
            self.account,
            access_key=given["AccessKeyId"],
            secret_key=given["SecretAccessKey"],
            session_token=given["SessionToken"],
        )


def network(account: Ministack) -> dict[str, str]:
    """The parameters that name a new VPC and its subnets, and no budget, which the emulator does not know."""
    with closing(account.client("ec2")) as client:
        vpc = client.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        subnets = [
            client.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=account.region + zone)
            for number, zone in enumerate("ab")
        ]
    subnet_ids = ",".join(each["Subnet"]["SubnetId"] for each in subnets)
    return {"VpcId": vpc, "SubnetIds": subnet_ids, "MonthlyBudget": "0"}


class DeploymentFailedError(Exception):
    """What `sam deploy` printed last."""


def deploy(
    account: Ministack, template: Mapping[str, Any], parameters: Mapping[str, str], directory: Path, name: str
) -> Deployed:
    """Create or update the stack with that name; `directory` is the SAM CLI's home. Raises DeploymentFailedError."""
    file = directory / f"{name}-template.yaml"
    file.write_text(json.dumps(template))
    bucket = f"code-{ACCOUNT}"
    with closing(account.client("s3")) as s3, suppress(s3.exceptions.BucketAlreadyOwnedByYou):
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": account.region})
    line = [
        *(SAM, "deploy", "--template-file", file, "--stack-name", name, "--s3-bucket", bucket),
        *("--region", account.region, "--capabilities", "CAPABILITY_IAM", "--no-confirm-changeset"),
        *("--parameter-overrides", *(f'{key}="{value}"' for key, value in parameters.items())),
    ]
    environment = {**account.environment(), "HOME": str(directory), "SAM_CLI_TELEMETRY": "0"}
    done = subprocess.run(line, cwd=directory, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise DeploymentFailedError(done.stdout[-5000:] + done.stderr[-3000:])
    return deployed(account, name)


def deployed(account: Ministack, name: str) -> Deployed:
    """The stack with that name; where it has a balancer, this knows its functions."""
    with closing(account.client("cloudformation")) as client:
        resources = client.describe_stack_resources(StackName=name)["StackResources"]
        [stack] = client.describe_stacks(StackName=name)["Stacks"]
    found = Deployed(
        account,
        name,
        stack["StackId"],
        {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in resources},
        {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]},
    )
    _register_targets(found)
    return found


def _register_targets(deployed: Deployed) -> None:
    """Do what the property `Targets` of a target group asks for, which the emulator leaves out."""
    with closing(deployed.account.client("elbv2")) as client:
        for group, alias in TARGETS.items():
            if group in deployed.resources:
                target = {"Id": deployed.resources[alias]}
                client.register_targets(TargetGroupArn=deployed.resources[group], Targets=[target])
