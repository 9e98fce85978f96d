"""`sam deploy` of the translated template into moto's CloudFormation, with either front door.

moto leaves out alarms, the schedule, policies of buckets, budgets, most attributes of target groups and layers,
function URLs, all of CloudFront, and the outputs of change sets: the other tests here look for those in the template,
and `tests/stack/ministack` deploys them.
"""

import json
import shutil
import subprocess
import uuid
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.rigs.moto_server import MotoService
from tests.stack.dialogue import dialogue
from tests.stack.motos_template import Deployable, deployable, network, sams_environment
from tools.template_translation import PROJECT

SAM = PROJECT / ".venv-sam" / "bin" / "sam"
SAMS_BUCKET = {
    "Resources": {"Bucket": {"Type": "AWS::S3::Bucket"}},
    "Outputs": {"SourceBucket": {"Value": {"Ref": "Bucket"}}},
}
KINDS = {
    "AWS::DynamoDB::Table",
    "AWS::IAM::Role",
    "AWS::Lambda::Function",
    "AWS::Lambda::Permission",
    "AWS::S3::Bucket",
    "AWS::SNS::Topic",
    "AWS::SQS::Queue",
}
OF_BALANCER = {
    "AWS::EC2::SecurityGroup",
    "AWS::ElasticLoadBalancingV2::Listener",
    "AWS::ElasticLoadBalancingV2::LoadBalancer",
    "AWS::ElasticLoadBalancingV2::TargetGroup",
}


@pytest.fixture
def client(moto_server: MotoService, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """boto3's clients of moto, which has nothing yet."""
    moto_server.reset()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "fake")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "fake")
    return lambda name: boto3.client(name, region_name=moto_server.region, endpoint_url=moto_server.endpoint)


@pytest.fixture
def made(moto_server: MotoService, client: Callable[[str], Any], door: str, tmp_path: Path) -> Deployable:
    """With what docs/deploy.md says that has to be answered."""
    answers: Mapping[str, str] = {"FrontDoor": "cloudfront", "AllowedCidrs": "203.0.113.0/24,2001:db8::/48"}
    return deployable(moto_server, client, network(moto_server, client) if door == "alb" else answers, tmp_path)


@pytest.mark.real
@pytest.mark.nightly
@pytest.mark.filterwarnings("ignore:Tried to parse")
def test_sam_deploys_the_stack(
    made: Deployable, moto_server: MotoService, client: Callable[[str], Any], door: str, tmp_path: Path
) -> None:
    stack = f"stack-{uuid.uuid4()}"
    done = subprocess.run(
        [
            SAM,
            *("deploy", "--template-file", made.file, "--stack-name", stack, "--s3-bucket", made.bucket),
            *("--region", moto_server.region, "--capabilities", "CAPABILITY_IAM", "--no-confirm-changeset"),
            *("--parameter-overrides", *(f"{name}={value}" for name, value in made.answers.items())),
        ],
        cwd=tmp_path,
        env=sams_environment(moto_server, tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    resources = client("cloudformation").describe_stack_resources(StackName=stack)["StackResources"]
    kinds = {resource.get("ResourceType") for resource in resources}
    assert KINDS <= kinds
    assert (OF_BALANCER if door == "alb" else set()) == OF_BALANCER & kinds
    ids = {resource.get("LogicalResourceId"): resource.get("PhysicalResourceId") for resource in resources}
    key = client("dynamodb").describe_table(TableName=ids["Table"])["Table"]["KeySchema"]
    assert [{"AttributeName": "pk", "KeyType": "HASH"}] == key
    variables = client("lambda").get_function_configuration(FunctionName=ids["BootApi"])["Environment"]["Variables"]
    assert (ids["Table"], ids["Bucket"]) == (variables["MATCHBOX_TABLE"], variables["MATCHBOX_BUCKET"])


@pytest.mark.real
@pytest.mark.parametrize(
    "door", ["cloudfront", pytest.param("alb", marks=pytest.mark.nightly)], indirect=True, scope="session"
)
@pytest.mark.filterwarnings("ignore:Tried to parse")
def test_guided_deployment_needs_the_answers_of_its_door_only(
    made: Deployable, moto_server: MotoService, client: Callable[[str], Any], tmp_path: Path
) -> None:
    """Three for a load balancer, two for CloudFront. A second `sam deploy` needs no flags and asks no questions.

    The stack of SAM's own bucket is created before: moto loses the tags by which SAM finds it.
    """
    cloudformation = client("cloudformation")
    cloudformation.create_stack(
        StackName="aws-sam-cli-managed-default",
        TemplateBody=json.dumps(SAMS_BUCKET),
        Tags=[{"Key": "ManagedStackSource", "Value": "AwsSamCli"}],
    )
    shutil.copy(PROJECT / "samconfig.toml", tmp_path)
    asked = partial(dialogue, directory=tmp_path, environment=sams_environment(moto_server, tmp_path))
    answers = {f"Parameter {name}": answer for name, answer in made.answers.items()}
    guided = asked([SAM, "deploy", "--guided"], lambda question: answers.get(question, ""))
    assert 0 == guided.status, guided.said[-3000:]
    parameters = json.loads(made.file.read_text())["Parameters"]
    assert [
        *("Stack Name", "AWS Region", *(f"Parameter {name}" for name in parameters)),
        *("Confirm changes before deploy", "Allow SAM CLI IAM role creation", "Disable rollback"),
        *("Save arguments to configuration file", "SAM configuration file", "SAM configuration environment"),
    ] == guided.questions
    [stack] = cloudformation.describe_stacks(StackName="matchbox")["Stacks"]
    values = {name: made.answers.get(name, str(its.get("Default"))) for name, its in parameters.items()}
    # moto shows a list as Python does.
    lists = {name: str(values[name].split(",")) for name, its in parameters.items() if "List" in its["Type"]}
    assert {"SubnetIds", "RouteTableIds", "SecretsManagerArns"} == set(lists)
    assert values | lists == {each["ParameterKey"]: each["ParameterValue"] for each in stack["Parameters"]}
    again = asked([SAM, "deploy"], lambda question: "")
    assert (0, []) == (again.status, again.questions), again.said[-3000:]
    assert "No changes to deploy. Stack matchbox is up to date" in again.said
