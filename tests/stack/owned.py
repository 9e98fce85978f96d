"""A stack on moto whose owner checks it."""

import io
import json
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import boto3
import pytest
from moto.awslambda.models import FunctionUrlConfig, lambda_backends

from lambda_matchbox.web.access_log import SERVICE
from lambda_matchbox.web.app import App
from lambda_matchbox.web.function_log import FunctionLog
from lambda_matchbox.web.wiring import lambda_app
from tests.aws import test_account, test_door
from tests.aws.deployed import Deployed
from tests.rigs.moto_server import MotoService
from tests.rigs.service import REGION
from tests.rigs.stores import Stores
from tests.stack.account import Account, account
from tests.stack.motos_template import deployable

NAME, ACCOUNT = "matchbox", "123456789012"
client = partial(boto3.client, region_name=REGION)


@contextmanager
def owner(moto: MotoService) -> Iterator[Account]:
    """The account, with its owner's credentials and endpoint in the environment; it is empty before and after."""
    moto.reset()
    with account() as (made, endpoint), pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "fake")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "fake")
        patch.setenv("AWS_ENDPOINT_URL", endpoint)
        yield made
    moto.reset()


def create(moto: MotoService, responses: Mapping[str, str], door: str, directory: Path) -> Deployed:
    """Deploy the stack with these parameters and the address of its front door."""
    made = deployable(moto, client, responses, directory)
    template = json.loads(made.file.read_text())
    # moto has no outputs of what it leaves out.
    kept = {
        name: template["Outputs"][name] for name in ("BucketName", "HistoryTableName", "SecretsPrefix", "TableName")
    }
    addresses = {"BootUrl": {"Value": f"{door}/boot.ipxe"}, "ConfigurationUrl": {"Value": f"{door}/"}}
    template["Outputs"] = kept | addresses
    parameters = [{"ParameterKey": name, "ParameterValue": value} for name, value in responses.items()]
    client("cloudformation").create_stack(
        StackName=NAME, TemplateBody=json.dumps(template), Parameters=parameters, Capabilities=["CAPABILITY_IAM"]
    )
    return Deployed(NAME, REGION)


@contextmanager
def served(stores: Stores) -> Iterator[App]:
    """The app over the stores, in which is one asset; the stack's log group has its lines."""
    stores.put_asset("talos/vmlinuz", b"kernel")
    app = lambda_app(stores.environment())
    app.log = FunctionLog("INFO", SERVICE, _Shipped())
    yield app


class _Shipped(io.StringIO):
    def write(self, text: str) -> int:
        ship("boot_api", text.rstrip("\n"))
        return len(text)


def ship(function: str, line: str) -> None:
    """Write a line to the function's log group."""
    group, stream = f"/matchbox/{function}", uuid.uuid4().hex
    client("logs").create_log_stream(logGroupName=group, logStreamName=stream)
    event = {"timestamp": int(time.time() * 1000), "message": line}
    client("logs").put_log_events(logGroupName=group, logStreamName=stream, logEvents=[event])


def run(check: str, deployed: Deployed) -> None:
    """Run one of the owner's checks."""
    module = test_door if hasattr(test_door, f"test_{check}") else test_account
    getattr(module, f"test_{check}")(deployed, *([20] if check == "shared" else []))


@contextmanager
def function_url(deployed: Deployed, address: str) -> Iterator[FunctionUrlConfig]:
    """A function URL of boot_api at that address, which moto's CloudFormation does not make."""
    function = deployed.resources["BootApi"]
    client("lambda").create_function_url_config(FunctionName=function, AuthType="AWS_IAM")
    made: FunctionUrlConfig = lambda_backends[ACCOUNT][REGION].get_function(function).url_config
    made.url = address
    yield made
    client("lambda").delete_function_url_config(FunctionName=function)
