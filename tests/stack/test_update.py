"""Updates of stacks that the release before has made behind a load balancer, with the fewest parameters and with all.

Layers and versions are replaced with each code.
"""

from typing import Any

import pytest

from tests.stack.conftest import stacks_behind
from tests.stack.release_before import before, resources
from tests.stack.replacement import created_once

ADDED = {"Budget"}
"""To stacks without AlarmEmail, whose table waits for it."""

REMOVED = {"BootsSlow", "HistoryLate", "SyncGivenUp"}
CHANGED = {
    "AssetSync": {"Environment"},
    "AssetSyncRole": {"Policies"},
    "BootApiAliaslive": {"FunctionVersion"},
    "BootHistory": {"Layers", "LoggingConfig"},
    "BootsFail": {"Dimensions", "MetricName", "Metrics", "Namespace", "Period", "Statistic", "Threshold"},
    "BootsThrottled": {"AlarmDescription", "Dimensions", "MetricName", "Metrics", "Namespace", "Period", "Statistic"},
    "Dashboard": {"DashboardBody"},
    # Of no release yet: CloudFormation would add or delete one index in an update.
    "HistoryTable": {"AttributeDefinitions", "GlobalSecondaryIndexes"},
    "HistoryFails": {"Dimensions", "MetricName", "Metrics", "Namespace", "Period", "Statistic"},
    "Schedule": {"ScheduleExpression"},
    "ScheduleRole": {"Tags"},
    "SignedApiAliaslive": {"FunctionVersion"},
    "SignaturesFail": {"AlarmDescription", "Dimensions", "MetricName", "Metrics", "Namespace", "Period", "Statistic"},
    "SyncOld": {"AlarmDescription", "EvaluationPeriods"},
}


@pytest.fixture(params=["plain", "full"])
def update(request: pytest.FixtureRequest) -> tuple[dict[str, Any], dict[str, Any]]:
    """The resources before and after."""
    former = dict(zip(("plain", "full"), before(), strict=True))
    return former[request.param], resources(getattr(stacks_behind("alb"), request.param))


def test_update_replaces_nothing(update: tuple[dict[str, Any], dict[str, Any]]) -> None:
    former, now = update
    kept = former.keys() & now.keys()
    assert {"Table", "HistoryTable", "Bucket", "LoadBalancer", "BootApi"} <= kept
    assert {name: created_once(former[name]) for name in kept} == {name: created_once(now[name]) for name in kept}


def test_update_changes_these_properties_only(update: tuple[dict[str, Any], dict[str, Any]]) -> None:
    """Alarms are folded, asset_sync may write copies, and the schedule is hourly."""
    former, now = update
    assert (REMOVED & former.keys(), ADDED - former.keys()) == (former.keys() - now.keys(), now.keys() - former.keys())
    changed = {}
    for name in former.keys() & now.keys():
        old, new = former[name]["Properties"], now[name]["Properties"]
        if names := {key for key in old.keys() | new.keys() if old.get(key) != new.get(key)}:
            changed[name] = names
    expected = CHANGED | ({"Table": {"Tags"}} if ADDED - former.keys() else {})
    assert {name: names for name, names in expected.items() if name in former} == changed
