"""The metrics of the alarm and the dashboard."""

import json

from lambda_matchbox.image_sync import metrics as sync
from lambda_matchbox.web import metrics as requests
from lambda_matchbox.web.access_log import SERVICE
from tests.stack.resolution import Stack


def test_functions_publish_in_the_stacks_namespace(with_key: Stack) -> None:
    functions = ("BootApi", "SignedApi", "AssetSync")
    names = [with_key.environment(name)["POWERTOOLS_METRICS_NAMESPACE"] for name in functions]
    assert ["matchbox/matchbox"] * 3 == names


def test_age_alarm_watches_the_syncs_metric(plain: Stack) -> None:
    alarm = plain.properties("SyncOld")
    assert plain.environment("AssetSync")["POWERTOOLS_METRICS_NAMESPACE"] == alarm["Namespace"]
    assert (sync.AGE, [{"Name": "service", "Value": sync.SERVICE}]) == (alarm["MetricName"], alarm["Dimensions"])


def test_failing_boots_alarm_watches_the_requests_metric(plain: Stack) -> None:
    alarm = plain.properties("BootsFail")
    assert plain.environment("BootApi")["POWERTOOLS_METRICS_NAMESPACE"] == alarm["Namespace"]
    assert (requests.SERVER_ERRORS, [{"Name": "service", "Value": SERVICE}]) == (
        alarm["MetricName"],
        alarm["Dimensions"],
    )


def test_dashboard_shows_the_published_metrics(plain: Stack) -> None:
    """Each line names the namespace, the metric and its one dimension."""
    widgets = json.loads(plain.properties("Dashboard")["DashboardBody"])["widgets"]
    lines = [line for widget in widgets for line in widget["properties"].get("metrics", [])]
    assert [
        ["matchbox/matchbox", requests.SERVER_ERRORS, "service", SERVICE],
        ["matchbox/matchbox", requests.CLIENT_ERRORS, "service", SERVICE],
        ["matchbox/matchbox", sync.AGE, "service", sync.SERVICE],
    ] == [line[:4] for line in lines if line[0] == "matchbox/matchbox"]


def test_metrics_and_alarms_are_within_what_is_free(full: Stack) -> None:
    """CloudWatch charges for more than ten of each, and for an alarm by its metrics."""
    alarms = full.of_type("AWS::CloudWatch::Alarm").values()
    watched = [each for alarm in alarms for each in alarm.get("Metrics", [alarm])]
    assert 10 == len([each for each in watched if "MetricStat" in each or "MetricName" in each])
    filters = full.of_type("AWS::Logs::MetricFilter").values()
    filtered = {each["MetricTransformations"][0]["MetricName"] for each in filters}
    published = {requests.SERVER_ERRORS, requests.CLIENT_ERRORS, requests.MILLISECONDS}
    published |= {sync.AGE, sync.SUCCEEDED, sync.FAILED, sync.SECONDS}
    assert 8 == len(published | filtered)
