"""What `matchboxctl cost` knows of the template."""

import re
from typing import Any

from matchboxctl.cost import facts
from tests.stack.resolution import Stack


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


def test_logs_and_histories_are_kept_for_the_month_that_is_billed(plain: Stack) -> None:
    kept = {str(each["RetentionInDays"]) for each in plain.of_type("AWS::Logs::LogGroup").values()}
    assert {str(facts.DAYS)} == kept | {plain.environment("BootHistory")["MATCHBOX_HISTORY_DAYS"]}


def test_lambda_logs_nothing_of_calls_that_write_histories(plain: Stack) -> None:
    levels = [plain.properties(name)["LoggingConfig"].get("SystemLogLevel") for name in ("BootApi", "BootHistory")]
    assert [None, "WARN"] == levels
