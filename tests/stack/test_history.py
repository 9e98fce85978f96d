"""The history of machines: its table, the lines that are handed to its function, and what becomes of what fails."""

import json
import re
from collections.abc import Mapping
from typing import get_args

import pytest

from boot_history.handler import events_in
from lambda_matchbox.aws import history
from lambda_matchbox.machines.state import StateName
from tests.stack.filter_patterns import matches
from tests.stack.resolution import Stack, stacks
from tests.support.log_subscription import packed
from tools.template_translation import PROJECT, Deployment

WORDS = {"filter", "fields", "stats", "sort", "limit", "as", "by", "and", "desc"}
_OPERATING = (PROJECT / "docs" / "operating.md").read_text()
LOGGED = set(re.findall(r"`(\w+)`", _OPERATING.partition("| field | present |")[2].partition("\n\n")[0]))
"""The fields that the page on the log has, which a test of that page compares with lines."""

SUBSCRIPTIONS = {"BootApiSubscription": "BootApiLog", "SignedApiSubscription": "SignedApiLog"}
COMMON = {"message": "request", "method": "GET", "status": 200, "client": "10.0.0.5", "user_agent": "iPXE/1.21.1"}


def test_table_has_the_keys_and_indexes_of_its_store(plain: Stack) -> None:
    names = (history.KEY, history.SORT_KEY, history.PLACE, *history.INDEXES)
    assert {
        "AttributeDefinitions": [{"AttributeName": each, "AttributeType": "S"} for each in names],
        "KeySchema": _key_schema(history.KEY, history.SORT_KEY),
        "GlobalSecondaryIndexes": [
            {"IndexName": each, "KeySchema": _key_schema(each, history.PLACE), "Projection": {"ProjectionType": "ALL"}}
            for each in history.INDEXES
        ],
        "BillingMode": "PAY_PER_REQUEST",
        "TimeToLiveSpecification": {"AttributeName": history.EXPIRES, "Enabled": True},
    } == plain.properties("HistoryTable")


def _key_schema(first: str, second: str) -> list[dict[str, str]]:
    return [{"AttributeName": first, "KeyType": "HASH"}, {"AttributeName": second, "KeyType": "RANGE"}]


def test_history_ends_with_the_stack(plain: Stack) -> None:
    """It has personal data and decides nothing."""
    table = plain.resources["HistoryTable"]
    assert ("Delete", "Delete") == (table["DeletionPolicy"], table["UpdateReplacePolicy"])


def test_lines_of_both_functions_that_answer_machines_are_handed_over(full: Stack, plain: Stack) -> None:
    found = full.of_type("AWS::Logs::SubscriptionFilter")
    assert SUBSCRIPTIONS == {name: each["LogGroupName"].strip("<>") for name, each in found.items()}
    assert {"<BootHistory.Arn>"} == {each["DestinationArn"] for each in found.values()}
    assert 1 == len({each["FilterPattern"] for each in found.values()})
    # CloudWatch Logs tries the permission when the subscription is made.
    for name in found:
        [permission] = [
            each
            for each, its in full.of_type("AWS::Lambda::Permission").items()
            if its["SourceArn"] == f"<{SUBSCRIPTIONS[name]}.Arn>"
        ]
        assert permission == full.resources[name]["DependsOn"]
    assert ["BootApiSubscription"] == list(plain.of_type("AWS::Logs::SubscriptionFilter"))


def _handed_over(stack: Stack, fields: Mapping[str, object]) -> bool:
    pattern = stack.properties("BootApiSubscription")["FilterPattern"]
    assert len(pattern) <= 1024
    return matches(pattern, json.dumps(fields))


@pytest.mark.parametrize(
    "fields",
    [
        *({"route": "/ipxe", name: "x"} for name in ("mac", "uuid", "serial")),
        {"route": "/report", "mac": "52:54:00:12:34:56"},
        {"route": "/ignition.sig", "uuid": "4c4c4544-0038-4410-8052-b3c04f4b5931", "status": 403},
        {"route": "/assets/", "path": "/assets/vmlinuz"},
    ],
)
def test_line_with_a_machine_or_an_asset_is_handed_over(plain: Stack, fields: dict[str, object]) -> None:
    assert _handed_over(plain, COMMON | fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"route": "/boot.ipxe"},
        {"route": "/ipxe", "arch": "arm64"},
        {"route": "", "status": 404},
        {"message": "signing", "mac": "52:54:00:12:34:56"},
        {"_aws": {"CloudWatchMetrics": []}, "route": "/assets/", "message": ""},
    ],
)
def test_other_line_is_not_handed_over(plain: Stack, fields: dict[str, object]) -> None:
    """None of them would be an event."""
    line = COMMON | fields
    assert not _handed_over(plain, line)
    assert [] == list(events_in(packed([json.dumps(line)], 1)))


def test_what_fails_waits_in_a_queue_until_the_operator_enables_its_return(plain: Stack) -> None:
    """An event source mapping that is enabled asks the queue all the time, which costs."""
    function, letters = plain.properties("BootHistory"), plain.properties("HistoryDeadLetters")
    assert {"TargetArn": "<HistoryDeadLetters.Arn>"} == function["DeadLetterConfig"]
    assert {
        "EventSourceArn": "<HistoryDeadLetters.Arn>",
        "FunctionName": "<BootHistory>",
        "BatchSize": 1,
        "Enabled": False,
    } == plain.properties("HistoryRedrive")
    assert 14 * 24 * 3600 == letters["MessageRetentionPeriod"]
    # Lambda's guide asks for six times the timeout.
    assert 6 * function["Timeout"] == letters["VisibilityTimeout"]


def test_concurrency_is_reserved_on_demand() -> None:
    """Accounts with a low quota cannot reserve any."""
    made = stacks([Deployment(), Deployment({"HistoryConcurrency": "5"})])
    found = [stack.properties("BootHistory").get("ReservedConcurrentExecutions") for stack in made]
    assert [None, "5"] == found


def test_alarm_on_lines_that_could_not_be_written(plain: Stack) -> None:
    fails = plain.properties("HistoryFails")
    of_queue = [{"Name": "QueueName", "Value": "<HistoryDeadLetters.QueueName>"}]
    assert ("ApproximateNumberOfMessagesVisible", of_queue) == (fails["MetricName"], fails["Dimensions"])


def test_alarm_on_a_token_that_is_used_twice_watches_the_metric_of_both_logs(full: Stack, plain: Stack) -> None:
    """Which does not exist, and costs nothing, until it happens."""
    alarm = plain.properties("TokenUsedTwice")
    found = full.of_type("AWS::Logs::MetricFilter")
    assert {"<BootApiLog>", "<SignedApiLog>"} == {each["LogGroupName"] for each in found.values()}
    assert ["TokensUsedTwice"] == list(plain.of_type("AWS::Logs::MetricFilter"))
    assert 1 == len({each["FilterPattern"] for each in found.values()})
    made = {"MetricNamespace": alarm["Namespace"], "MetricName": alarm["MetricName"], "MetricValue": "1"}
    assert [[made], [made]] == [each["MetricTransformations"] for each in found.values()]
    assert ("Sum", 0, "GreaterThanThreshold") == (alarm["Statistic"], alarm["Threshold"], alarm["ComparisonOperator"])


def test_dashboard_shows_machines_by_state_and_those_that_wait(plain: Stack) -> None:
    """By queries of the log, which cost nothing while nobody looks."""
    widgets = json.loads(plain.properties("Dashboard")["DashboardBody"])["widgets"]
    queries = [each["properties"]["query"] for each in widgets if each["type"] == "log"][1:]
    assert [True, True] == [each.startswith("SOURCE '<BootApiLog>' | filter message = 'request'") for each in queries]
    assert "count(*) as machines by current" in queries[0]
    assert "filter current = 'waiting'" in queries[1]
    assert "waiting" in get_args(StateName)
    assert [set(), set()] == [_fields(each) - LOGGED for each in queries]


def _fields(query: str) -> set[str]:
    """The log's fields that a query names, without its own names, functions and words."""
    text = re.sub(r"'[^']*'", "", query)
    own = set(re.findall(r"as (\w+)", text)) | set(re.findall(r"(\w+)\(", text))
    return set(re.findall(r"(?<![\w@])[a-z_]+", text)) - own - WORDS
