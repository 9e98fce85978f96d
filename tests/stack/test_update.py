"""Updates of a stack that the release before has made, with every option and behind a load balancer.

`release_before.json` has its resources' types and resolved properties, `created_once.json` the properties of which
CloudFormation's schemas say that another value replaces the resource. Layers and versions are replaced with each code.
"""

import json
from pathlib import Path

from tests.stack.conftest import BEHIND_BALANCER
from tests.stack.resolution import Stack

pytestmark = BEHIND_BALANCER

BEFORE = json.loads(Path(__file__).with_name("release_before.json").read_text())
CREATED_ONCE = json.loads(Path(__file__).with_name("created_once.json").read_text())
REPLACED = ("AWS::Lambda::LayerVersion", "AWS::Lambda::Version")
REMOVED = {"BootsSlow", "HistoryLate", "SyncGivenUp"}
CHANGED = {
    "AssetSync": {"Environment"},
    "AssetSyncRole": {"Policies"},
    "BootHistory": {"LoggingConfig"},
    "BootsFail": {"Dimensions", "MetricName", "Metrics", "Namespace", "Period", "Statistic", "Threshold"},
    "BootsThrottled": {"AlarmDescription", "Dimensions", "MetricName", "Metrics", "Namespace", "Period", "Statistic"},
    "Dashboard": {"DashboardBody"},
    "HistoryFails": {"Dimensions", "MetricName", "Metrics", "Namespace", "Period", "Statistic"},
    "Schedule": {"ScheduleExpression"},
    "ScheduleRole": {"Tags"},
    "SignaturesFail": {"AlarmDescription", "Dimensions", "MetricName", "Metrics", "Namespace", "Period", "Statistic"},
    "SyncOld": {"AlarmDescription", "EvaluationPeriods"},
}


def test_update_replaces_nothing(full: Stack) -> None:
    expected = {name: each for name, each in CREATED_ONCE.items() if name not in REMOVED}
    now = {name: full.resources[name] for name in expected}
    assert expected == {
        name: [each["Type"], {key: each["Properties"][key] for key in expected[name][1]}] for name, each in now.items()
    }


def test_update_changes_these_properties_only(full: Stack) -> None:
    """Alarms are folded, asset_sync may write copies, and the schedule is hourly."""
    now = {name: each for name, each in full.resources.items() if each["Type"] not in REPLACED}
    assert (REMOVED, set()) == (BEFORE.keys() - now.keys(), now.keys() - BEFORE.keys())
    changed = {}
    for name, (kind, before) in BEFORE.items():
        if name not in REMOVED:
            assert kind == now[name]["Type"]
            after = now[name].get("Properties", {})
            names = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
            changed |= {name: names} if names else {}
    assert changed == CHANGED
