"""The metrics of the alarm and the dashboard."""

import json
import re

from lambda_matchbox.image_sync import metrics as sync
from lambda_matchbox.web import metrics as requests
from tests.stack.resolution import Stack


def searches(stack: Stack) -> list[tuple[set[str], str]]:
    """The dimensions and the metric of each search of the dashboard; the namespace stands among the dimensions."""
    body = json.loads(stack.properties("Dashboard")["DashboardBody"])
    text = json.dumps(body).replace('\\"', '"')
    found = re.findall(r"""SEARCH\('\{([^}]+)\} MetricName="(\w+)\"""", text)
    return [(set(schema.replace('"', "").split(",")), metric) for schema, metric in found]


def test_functions_publish_in_the_stacks_namespace(with_key: Stack) -> None:
    functions = ("BootApi", "SignedApi", "AssetSync")
    names = [with_key.environment(name)["POWERTOOLS_METRICS_NAMESPACE"] for name in functions]
    assert ["matchbox/matchbox"] * 3 == names


def test_age_alarm_watches_the_syncs_metric(plain: Stack) -> None:
    alarm = plain.properties("SyncOld")
    assert plain.environment("AssetSync")["POWERTOOLS_METRICS_NAMESPACE"] == alarm["Namespace"]
    assert (sync.AGE, [{"Name": "service", "Value": sync.SERVICE}]) == (alarm["MetricName"], alarm["Dimensions"])


def test_dashboard_searches_the_published_dimensions(plain: Stack) -> None:
    namespace = plain.environment("BootApi")["POWERTOOLS_METRICS_NAMESPACE"]
    assert [
        ({namespace, "service", requests.ROUTE, requests.STATUS}, requests.REQUESTS),
        ({namespace, "service", sync.SOURCE}, sync.AGE),
    ] == searches(plain)
