"""A stack's life: its schedule, an update, an update that fails, and its end."""

import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.rigs.ministack import Ministack
from tests.rigs.oci_registry import OciRegistry
from tests.stack.ministack.behind_cloudfront import let_everybody_ask_the_functions, serve_assets_from
from tests.stack.ministack.deployment import Deployed, DeploymentFailedError, deploy
from tests.stack.ministack.template import adapted
from tests.stack.place import BEHIND_CLOUDFRONT
from tests.support.images.layers import Entry, gzipped
from tests.support.images.manifests import image
from tools.template_translation import PROJECT

pytestmark = [pytest.mark.real, pytest.mark.nightly]

LARGE = bytes(2_000_000)
LIMIT = 300.0
KERNEL = "/assets/talos/arm64/vmlinuz"
DATA = {"Table", "Bucket", "HistoryTable", "BootApi", "SignedApi", "AssetSync", "BootHistory", "Schedule"}
"""What holds data, and what is known to others by its name."""


class Stack:
    """A stack with a source, and how it is deployed again."""

    def __init__(self, account: Ministack, template: dict[str, Any], given: dict[str, str], home: Path) -> None:
        self._account, self._template, self._given, self._home = account, template, given, home
        self.deployed = self.deploy()

    def deploy(self, **parameters: str) -> Deployed:
        self.deployed = deploy(self._account, self._template, self._given | parameters, self._home, "life-cycle")
        return self.deployed

    def deploy_with(self, name: str, resource: dict[str, Any], **parameters: str) -> Deployed:
        """With one resource more."""
        template = {**self._template, "Resources": {**self._template["Resources"], name: resource}}
        return deploy(self._account, template, self._given | parameters, self._home, "life-cycle")

    @property
    def version(self) -> str:
        """The version of boot_api that the balancer invokes."""
        with closing(self._account.client("lambda")) as client:
            name = self.deployed.resources["BootApi"]
            found: str = client.get_alias(FunctionName=name, Name="live")["FunctionVersion"]
        return found

    def events(self, status: str) -> list[dict[str, Any]]:
        """What has happened in the stack with that outcome."""
        with closing(self._account.client("cloudformation")) as client:
            pages = client.get_paginator("describe_stack_events").paginate(StackName=self.deployed.id)
            found = [each for page in pages for each in page["StackEvents"]]
        return [each for each in found if each["ResourceStatus"] == status]

    @property
    def status(self) -> str:
        with closing(self._account.client("cloudformation")) as client:
            [stack] = client.describe_stacks(StackName=self.deployed.id)["Stacks"]
        status: str = stack["StackStatus"]
        return status


@pytest.fixture(scope="module")
def stack(
    ministack: Ministack, built: Path, parameters: dict[str, str], home: Path, oci_registry: OciRegistry
) -> Stack:
    files = [Entry(f"output/talos/arm64/{name}", name.encode()) for name in ("vmlinuz", "initramfs.xz")]
    given = {
        **parameters,
        "SourceImage": oci_registry.push(image([gzipped(*files)]), "scheduled/talos", "v1"),
        # The first time is the next full minute. The emulator fires a rate's first time one period after the creation;
        # AWS does so on creation.
        "ScheduleExpression": "cron(* * * * ? *)",
    }
    return Stack(ministack, adapted(built), given, home)


def test_schedule_syncs_the_source_from_its_registry(stack: Stack) -> None:
    response = _until(lambda: stack.deployed.get(KERNEL), lambda response: response.status == 200)
    assert b"vmlinuz" == response.body


def test_update_publishes_a_version_and_keeps_the_data(stack: Stack) -> None:
    stack.deployed.command("import", str(PROJECT / "examples" / "talos"))
    stack.deployed.stores.put_asset("large/vmlinuz", LARGE)
    before, lifetime = stack.version, "&X-Amz-Expires=3600&"
    assert lifetime in stack.deployed.get("/assets/large/vmlinuz").headers["location"]
    stack.deploy(PresignedLifetime="600")
    assert int(before) + 1 == int(stack.version)
    assert "&X-Amz-Expires=600&" in stack.deployed.get("/assets/large/vmlinuz").headers["location"]
    assert (200, b"vmlinuz") == _got(stack, KERNEL)
    assert b"#!ipxe\nset token " == _got(stack, "/ipxe?arch=arm64&mac=52-54-00-00-00-01")[1][:17]


def test_failed_update_is_rolled_back(stack: Stack) -> None:
    before = stack.version
    # A function that does not exist cannot be configured.
    failing = {
        "Type": "AWS::Lambda::EventInvokeConfig",
        "DependsOn": ["Table", "BootApiAliaslive"],
        "Properties": {"FunctionName": "absent", "Qualifier": "$LATEST", "MaximumRetryAttempts": 0},
    }
    with pytest.raises(DeploymentFailedError):
        stack.deploy_with("Failing", failing, PresignedLifetime="700")
    assert "UPDATE_ROLLBACK_COMPLETE" == stack.status
    # AWS says CREATE_FAILED of a resource that an update adds.
    failed = stack.events("CREATE_FAILED") + stack.events("UPDATE_FAILED")
    assert {"Failing"} == {each["LogicalResourceId"] for each in failed}
    assert before == stack.version
    assert "&X-Amz-Expires=600&" in stack.deployed.get("/assets/large/vmlinuz").headers["location"]
    assert (200, b"vmlinuz") == _got(stack, KERNEL)


def test_stack_moves_to_the_other_door_and_back(stack: Stack) -> None:
    """What holds data stays, with its names and its data; copies are made for CloudFront, and taken away after it."""
    balancer = stack.deployed
    cloudfront = stack.deploy(**BEHIND_CLOUDFRONT, PlainConfigurations="yes")
    let_everybody_ask_the_functions(cloudfront)
    kept = {name: balancer.resources[name] for name in DATA}
    assert kept.items() <= cloudfront.resources.items()
    assert {"LoadBalancer", "Listener", "TargetGroup", "SecurityGroup"} & balancer.resources.keys()
    assert not {"LoadBalancer", "Listener", "TargetGroup", "SecurityGroup"} & cloudfront.resources.keys()
    assert b"#!ipxe\nset token " == _got(stack, "/ipxe?arch=arm64&mac=52-54-00-00-00-01")[1][:17]
    serve_assets_from(cloudfront, "releases")
    assert (200, b"vmlinuz") == _until(lambda: _got(stack, KERNEL), lambda got: got[0] == 200)
    again = stack.deploy(FrontDoor="alb")
    assert kept.items() <= again.resources.items()
    assert (200, b"vmlinuz") == _got(stack, KERNEL)
    assert not {"Distribution", "BootApiUrl", "DoorFunction"} & again.resources.keys()


def test_table_and_bucket_survive_the_stack(stack: Stack, ministack: Ministack) -> None:
    """With what is in them; nothing else does."""
    with closing(ministack.client("cloudformation")) as client:
        client.delete_stack(StackName=stack.deployed.name)
    assert "DELETE_COMPLETE" == _until(lambda: stack.status, lambda status: "IN_PROGRESS" not in status)
    # Versions are kept for updates, and end with their functions.
    kept = {"AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::Lambda::Version"}
    assert kept == {each["ResourceType"] for each in stack.events("DELETE_SKIPPED")}
    with closing(ministack.client("lambda")) as functions, closing(ministack.client("iam")) as iam:
        names = {each["FunctionName"] for each in functions.list_functions()["Functions"]}
        roles = {each["RoleName"] for each in iam.list_roles()["Roles"]}
    assert not {each for each in names | roles if each.startswith(f"{stack.deployed.name}-")}
    stack.deployed.command("fsck")
    assert "cozystack-arm64" in stack.deployed.command("profile", "list")
    assert "sha256:" in stack.deployed.command("releases", "talos-arm64")
    with closing(ministack.client("s3")) as s3:
        asset = s3.get_object(Bucket=stack.deployed.outputs["BucketName"], Key="assets/large/vmlinuz")
        assert LARGE == asset["Body"].read()


def _got(stack: Stack, target: str) -> tuple[int, bytes]:
    response = stack.deployed.get(target)
    return response.status, response.body


def _until(found: Callable[[], Any], enough: Callable[[Any], bool]) -> Any:
    """The first value that is enough, or the last one after a while."""
    end = time.monotonic() + LIMIT
    while not enough(value := found()) and time.monotonic() < end:
        time.sleep(0.5)
    return value
