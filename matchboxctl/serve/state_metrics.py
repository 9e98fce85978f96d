"""Prometheus metrics of what is stored: machines by state, the age of syncs, the releases that are served."""

import math
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily
from prometheus_client.registry import Collector

from lambda_matchbox.errors import MatchboxError
from lambda_matchbox.image_sync.sources import SourceStores
from matchboxctl.directory.history_file import DirectoryHistory
from matchboxctl.releases.source_stores import stores_in_directory, stores_in_table
from matchboxctl.releases.sync_ages import sync_ages
from matchboxctl.serve.backends import Directories
from matchboxctl.store.history import table_history
from matchboxctl.store.mode import StoreSettings

_CACHED_SECONDS = 10.0
# A count of the table's machines reads an index.
_COUNTED_SECONDS = 300.0


class StateMetrics(Collector):
    """The metrics that `parts` read, once in so many seconds at most.

    One that cannot be read is left out, and `warn` gets a line that says why.
    """

    def __init__(
        self, parts: Collection[Callable[[], Metric]], warn: Callable[[str], None], seconds: float = _CACHED_SECONDS
    ) -> None:
        self._parts = parts
        self._warn = warn
        self._seconds = seconds
        self._metrics: list[Metric] = []
        self._problems: set[str] = set()
        self._next_read = 0.0

    def collect(self) -> Iterable[Metric]:
        """The metrics."""
        if time.monotonic() >= self._next_read:
            self._read()
            self._next_read = time.monotonic() + self._seconds
        return self._metrics

    def _read(self) -> None:
        self._metrics, problems = [], set()
        for part in self._parts:
            try:
                self._metrics.append(part())
            except (MatchboxError, OSError) as error:
                problems.add(str(error))
        for problem in problems - self._problems:
            self._warn(f"metrics: {problem}")
        self._problems = problems


def state_metrics(
    source: Directories | StoreSettings, warn: Callable[[str], None], *, history: bool
) -> Sequence[StateMetrics]:
    """The metrics in either mode, those of machines if there is a history."""
    if isinstance(source, Directories):
        stores = stores_in_directory(source.data_path)
        machines = [StateMetrics([partial(_machines, partial(_in_directory, source.data_path))], warn)]
    else:
        stores = stores_in_table(source)
        history = history and bool(source.history_table)
        machines = [StateMetrics([partial(_machines, table_history(source).states)], warn, _COUNTED_SECONDS)]
    return [StateMetrics([partial(_syncs, stores), partial(_releases, stores)], warn), *(machines if history else [])]


def _machines(states: Callable[[], Mapping[str, int]]) -> Metric:
    metric = GaugeMetricFamily("matchbox_machines", "Machines in the history by state.", labels=["state"])
    for state, number in states().items():
        metric.add_metric([state], number)
    return metric


def _in_directory(data_path: Path) -> Mapping[str, int]:
    with closing(DirectoryHistory(data_path)) as history:
        return history.states()


def _syncs(stores: SourceStores) -> Metric:
    metric = GaugeMetricFamily(
        "matchbox_sync_age_seconds",
        "Seconds since an image source was last up to date; +Inf if it never was.",
        labels=["source"],
    )
    for source_id, checked, _ in sync_ages(stores).ages:
        metric.add_metric([source_id], math.inf if checked is None else max(time.time() - checked, 0))
    return metric


def _releases(stores: SourceStores) -> Metric:
    metric = InfoMetricFamily("matchbox_release", "The release of a source that is served.", labels=["source"])
    for source_id, pointer in sorted(stores.pointers().items()):
        metric.add_metric([source_id], {"release": pointer.current})
    return metric
