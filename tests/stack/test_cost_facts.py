"""What `matchboxctl cost` knows of the template."""

import re
from typing import Any

import pytest

from lambda_matchbox.image_sync import metrics as sync
from lambda_matchbox.web import metrics as requests
from matchboxctl.cost import facts
from tests.stack.conftest import CLOUDFRONT
from tests.stack.resolution import Stack, stacks
from tools.template_translation import Deployment

ENDPOINT = {"S3EndpointId": "vpce-0123456789abcdef0"}


@pytest.fixture(scope="module")
def doors() -> list[Stack]:
    """Stacks with CloudFront and with a balancer, both with an endpoint of S3."""
    return stacks([Deployment(CLOUDFRONT | ENDPOINT), Deployment(ENDPOINT)])


def metrics_of(alarm: dict[str, Any]) -> int:
    return sum("MetricStat" in one for one in alarm.get("Metrics", ())) or 1


def test_functions_have_the_memory_that_is_billed(plain: Stack) -> None:
    sizes = [plain.properties(name)["MemorySize"] / 1024 for name in ("BootApi", "BootHistory", "AssetSync")]
    assert [facts.MEMORY, facts.HISTORY_MEMORY, facts.SYNC_MEMORY] == sizes


def test_alarms_and_dashboards_are_those_that_are_billed(plain: Stack) -> None:
    alarms = plain.of_type("AWS::CloudWatch::Alarm").values()
    assert facts.ALARM_METRICS == sum(metrics_of(each) for each in alarms)
    assert facts.DASHBOARDS == len(plain.of_type("AWS::CloudWatch::Dashboard"))


def test_schedule_runs_as_often_as_is_billed(plain: Stack) -> None:
    rate = re.fullmatch(r"rate\((\d+) (minute|hour)s?\)", plain.properties("Schedule")["ScheduleExpression"])
    assert rate is not None
    assert facts.SYNCS_AN_HOUR == {"minute": 60, "hour": 1}[rate[2]] / int(rate[1])


def test_metrics_are_those_that_are_billed(full: Stack) -> None:
    filters = full.of_type("AWS::Logs::MetricFilter").values()
    names = {each["MetricTransformations"][0]["MetricName"] for each in filters}
    names |= {requests.SERVER_ERRORS, requests.CLIENT_ERRORS, requests.MILLISECONDS}
    assert facts.METRICS == len(names | {sync.AGE, sync.SUCCEEDED, sync.FAILED, sync.SECONDS})


def test_history_expects_requests_for_assets_where_the_function_gets_them(doors: list[Stack]) -> None:
    assert ["false", None] == [each.environment("BootHistory").get("MATCHBOX_HISTORY_ASSETS") for each in doors]


def test_machines_in_the_region_read_the_bucket_without_either_door(doors: list[Stack]) -> None:
    statements = [each.properties("BucketPolicy")["PolicyDocument"]["Statement"] for each in doors]
    found = [[one for one in each if one["Sid"] == "ReadsWithoutSignature"] for each in statements]
    assert [[["<Bucket.Arn>/assets/*", "<Bucket.Arn>/releases/*"]]] * 2 == [
        [one["Resource"] for one in each] for each in found
    ]
    condition = {"StringEquals": {"aws:SourceVpce": ENDPOINT["S3EndpointId"]}}
    assert [condition] * 2 == [one["Condition"] for each in found for one in each]


def test_logs_and_histories_are_kept_for_the_month_that_is_billed(plain: Stack) -> None:
    kept = {str(each["RetentionInDays"]) for each in plain.of_type("AWS::Logs::LogGroup").values()}
    assert {str(facts.DAYS)} == kept | {plain.environment("BootHistory")["MATCHBOX_HISTORY_DAYS"]}


def test_lambda_logs_nothing_of_calls_that_write_histories(plain: Stack) -> None:
    levels = [plain.properties(name)["LoggingConfig"].get("SystemLogLevel") for name in ("BootApi", "BootHistory")]
    assert [None, "WARN"] == levels
