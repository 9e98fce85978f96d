"""The alarm and the dashboard look for metrics under the names by which the functions publish them."""

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


def test_one_namespace(with_key: Stack) -> None:
    """All functions publish in the stack's namespace."""
    functions = ("BootApi", "SignedApi", "AssetSync")
    names = [with_key.environment(name)["POWERTOOLS_METRICS_NAMESPACE"] for name in functions]
    assert ["matchbox/matchbox"] * 3 == names


def test_the_alarm_on_age(plain: Stack) -> None:
    """It looks at the age over all sources, in the namespace that asset_sync is given."""
    alarm = plain.properties("SyncOld")
    assert plain.environment("AssetSync")["POWERTOOLS_METRICS_NAMESPACE"] == alarm["Namespace"]
    assert (sync.AGE, [{"Name": "service", "Value": sync.SERVICE}]) == (alarm["MetricName"], alarm["Dimensions"])


def test_the_dashboard(plain: Stack) -> None:
    """Its searches have the dimensions of the functions' metrics."""
    namespace = plain.environment("BootApi")["POWERTOOLS_METRICS_NAMESPACE"]
    assert [
        ({namespace, "service", requests.ROUTE, requests.STATUS}, requests.REQUESTS),
        ({namespace, "service", sync.SOURCE}, sync.AGE),
    ] == searches(plain)
