"""The owner's checks (`make test-aws`) of a stack behind the load balancer: a sound one passes, each fault fails."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote

import pytest

from lambda_matchbox.aws.keys import KEY as ITEM_KEY
from tests.aws import test_account
from tests.aws.deployed import Deployed
from tests.rigs.alb_emulator import ALBEmulator, _Connection
from tests.rigs.moto_server import MotoService
from tests.rigs.service import REGION
from tests.rigs.stores import Stores
from tests.stack.conftest import KEY, stacks_behind
from tests.stack.motos_template import network
from tests.stack.owned import NAME, client, create, function_url, owner, run, served, ship
from tests.support.server_threads import in_thread
from tools.template_translation import PROJECT

pytestmark = [pytest.mark.real, pytest.mark.filterwarnings("ignore:Tried to parse")]

Event = dict[str, Any]
Handle = Callable[[Event], Event]
Fault = Callable[[Handle, Event], Event]


@pytest.fixture(scope="module")
def balancer(moto_server: MotoService, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ALBEmulator]:
    """The front door of a deployed stack, with the app behind it."""
    with owner(moto_server), in_thread(ALBEmulator(0, SimpleNamespace())) as server:
        responses, directory = network(moto_server, client) | KEY, tmp_path_factory.mktemp("template")
        stack = create(moto_server, responses, f"http://127.0.0.1:{server.server_port}", directory)
        bucket = stack.outputs["BucketName"]
        # moto leaves it out.
        blocked = stacks_behind("alb").plain.properties("Bucket")["PublicAccessBlockConfiguration"]
        client("s3").put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=blocked)
        with served(Stores(bucket, moto_server, moto_server)) as server.function:
            yield server


@pytest.fixture
def deployed(balancer: ALBEmulator) -> Deployed:
    return Deployed(NAME, REGION)


@pytest.mark.parametrize(
    "check", ["addresses", "queries", "paths", "head", "range", "http10", "shared", "times", "function_url", "client"]
)
def test_sound_stack_passes(check: str, deployed: Deployed) -> None:
    run(check, deployed)


@pytest.mark.parametrize("role", test_account.ROLES)
def test_roles_of_the_template_pass(role: str, deployed: Deployed) -> None:
    test_account.test_roles(role, deployed)


def refused(handle: Handle, event: Event) -> Event:
    return handle(event) | {"statusCode": 403, "body": "203.0.113.9 is in no network of AllowedCidrs\n"}


def decoded(handle: Handle, event: Event) -> Event:
    query = event["multiValueQueryStringParameters"]
    return handle(
        event | {"multiValueQueryStringParameters": {unquote(k): [*map(unquote, v)] for k, v in query.items()}}
    )


def without_length(handle: Handle, event: Event) -> Event:
    response = handle(event)
    if event["httpMethod"] == "HEAD":
        response["body"] = ""
        response["multiValueHeaders"].pop("content-length", None)
    return response


def without_range(handle: Handle, event: Event) -> Event:
    event["multiValueHeaders"].pop("range", None)
    return handle(event)


def cached() -> Fault:
    responses: dict[str, Event] = {}
    return lambda handle, event: responses.setdefault(event["path"], handle(event))


def trusting(handle: Handle, event: Event) -> Event:
    headers = event["multiValueHeaders"]
    return handle(event | {"multiValueHeaders": {**headers, "x-forwarded-for": [headers["x-boot-viewer"][0]]}})


@pytest.mark.parametrize(
    ("check", "fault", "said"),
    [
        ("addresses", refused, "403 '203.0.113.9 is in no network of AllowedCidrs"),
        ("queries", decoded, "arrived as"),
        ("head", without_length, "HEAD /boot.ipxe gave 200 '' with content-length None, GET has"),
        ("range", without_range, "the first byte of /assets/talos/vmlinuz gave 200 'kernel'"),
        ("shared", cached(), "machines got responses of others"),
        ("shared", refused, "20 of 20 were refused"),
        ("client", trusting, "machines can say that they are others"),
    ],
)
def test_fault_of_the_door_fails(
    check: str, fault: Fault, said: str, balancer: ALBEmulator, deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    handle: Any = balancer.function.handle
    monkeypatch.setattr(balancer, "function", SimpleNamespace(handle=partial(fault, handle)))
    with pytest.raises(AssertionError, match=re.escape(said)):
        run(check, deployed)


def test_door_without_http10_fails(deployed: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_Connection, "_respond", lambda self: self.send_error(505))
    with pytest.raises(AssertionError, match=r"HTTP/1\.0 gave b'HTTP/1.1 505"):
        run("http10", deployed)


def test_missing_rule_for_signatures_fails(deployed: Deployed) -> None:
    with pytest.raises(AssertionError, match=r"/boot.ipxe.asc gave 404 .*see the log of signed_api"):
        run("signatures", deployed)


def test_function_url_beside_the_balancer_fails(
    balancer: ALBEmulator, deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    handle: Any = balancer.function.handle
    monkeypatch.setattr(balancer, "function", SimpleNamespace(handle=partial(refused, handle)))
    with function_url(deployed, deployed.plain) as made:
        with pytest.raises(AssertionError, match="there are 1 function URLs"):
            run("function_url", deployed)
        made.config["AuthType"] = "NONE"
        with pytest.raises(AssertionError, match="everybody may ask http://"):
            run("function_url", deployed)


def test_public_object_fails(deployed: Deployed) -> None:
    bucket = {"Bucket": deployed.outputs["BucketName"]}
    client("s3").put_object_acl(**bucket, Key="assets/talos/vmlinuz", ACL="public-read")
    with pytest.raises(AssertionError, match="vmlinuz gave 200 'kernel': somebody may read the bucket"):
        run("bucket", deployed)
    blocked = client("s3").get_public_access_block(**bucket)["PublicAccessBlockConfiguration"]
    client("s3").put_public_access_block(
        **bucket, PublicAccessBlockConfiguration=blocked | {"BlockPublicPolicy": False}
    )
    with pytest.raises(AssertionError, match="the bucket may be made public"):
        run("bucket", deployed)


@pytest.mark.parametrize(
    ("action", "said"),
    [("dynamodb:GetItem", "dynamodb:GetItem table I is allowed"), ("dynamodb:Scan", "dynamodb:Scan table is allowed")],
)
def test_wider_role_fails(action: str, said: str, deployed: Deployed) -> None:
    role = {"RoleName": deployed.resources["BootApiRole"], "PolicyName": "wider"}
    statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
    client("iam").put_role_policy(
        **role, PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    )
    with pytest.raises(AssertionError, match=said):
        test_account.test_roles("BootApiRole", deployed)
    client("iam").delete_role_policy(**role)


def test_narrower_role_fails(deployed: Deployed) -> None:
    client("iam").delete_role_policy(RoleName=deployed.resources["ScheduleRole"], PolicyName="schedule")
    with pytest.raises(AssertionError, match="ScheduleRole: lambda:InvokeFunction function/AssetSync is denied"):
        test_account.test_roles("ScheduleRole", deployed)


def test_schedule_that_never_ran_or_gave_up_fails(deployed: Deployed) -> None:
    with pytest.raises(AssertionError, match="no sync has run for a day"):
        run("schedule", deployed)
    ship("asset_sync", '{"message": "synced"}')
    run("schedule", deployed)
    client("sqs").send_message(QueueUrl=deployed.resources["HistoryDeadLetters"], MessageBody="{}")
    with pytest.raises(AssertionError, match=r"1 events in .*HistoryDeadLetters"):
        run("schedule", deployed)


def test_lines_without_a_history_fail(deployed: Deployed) -> None:
    deployed.get("/metadata?mac=52-54-00-00-00-01")
    with pytest.raises(AssertionError, match="there is no history"):
        run("history", deployed)
    client("dynamodb").put_item(
        TableName=deployed.outputs["HistoryTableName"], Item={ITEM_KEY: {"S": "x"}, "sk": {"S": "x"}}
    )
    run("history", deployed)


def test_alarm_that_is_not_evaluated_fails(deployed: Deployed) -> None:
    deployed.types["BootsFail"], deployed.resources["BootsFail"] = "AWS::CloudWatch::Alarm", "fails"
    client("cloudwatch").put_metric_alarm(
        AlarmName="fails",
        ComparisonOperator="GreaterThanThreshold",
        EvaluationPeriods=1,
        Threshold=1,
        MetricName="m",
        Namespace="n",
        Period=60,
        Statistic="Sum",
    )
    for state in ("OK", "INSUFFICIENT_DATA"):
        client("cloudwatch").set_alarm_state(AlarmName="fails", StateValue=state, StateReason="test")
        if state == "OK":
            run("alarms", deployed)
    with pytest.raises(AssertionError, match="not evaluated: wait ten minutes"):
        run("alarms", deployed)


def test_make_runs_the_checks_it_is_told(deployed: Deployed) -> None:
    made = subprocess.run(
        ["make", "-s", "test-aws", f"STACK={NAME}", f"REGION={REGION}", "ONLY=addresses or head"],
        cwd=PROJECT,
        env=os.environ.copy(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (0, True) == (made.returncode, "2 passed, " in made.stdout), made.stdout[-3000:] + made.stderr[-3000:]


def test_no_other_run_collects_them() -> None:
    others = [f"--ignore={each}" for each in (PROJECT / "tests").iterdir() if each.is_dir() and each.name != "aws"]
    collected = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "tests", *others],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "no tests collected" in collected.stdout, collected.stdout
