"""CloudWatch metrics of image sources."""

import io
import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from asset_sync.handler import job_of
from lambda_matchbox.aws.table_and_bucket import create_table
from lambda_matchbox.image_sync.job import SyncFailedError, SyncJob
from lambda_matchbox.image_sync.metrics import (
    AGE,
    FAILED,
    NEVER,
    SECONDS,
    SERVICE,
    SUCCEEDED,
    SourceMetrics,
    SyncMetrics,
)
from lambda_matchbox.oci.distribution.docker_config import no_logins
from lambda_matchbox.oci.distribution.registry import Registry
from lambda_matchbox.oci.image_reference import ImageReference
from lambda_matchbox.releases.sources import Source
from lambda_matchbox.web.function_log import FunctionLog
from tests.rigs.service import Service
from tests.rigs.stores import new_stores
from tests.support.memory_releases import MemoryReleases, MemoryReleaseStore, memory_stores
from tests.support.registry_serving import faulty_registry
from tests.unit.image_sync.sync_subject import NEW, NOON, TAG
from tests.unit.oci.distribution.fast_retries import FAST_RETRIES
from tests.unit.web.metric_lines import Metric, metrics_of, open_log

pytestmark = pytest.mark.system

NAMESPACE = "matchbox/test"
HOUR = 3600


class Job:
    """A job over releases in memory at noon, and the metrics of its last run, without seconds."""

    def __init__(self, host: str, registry: Registry) -> None:
        self.releases = MemoryReleases()
        self.sources: dict[str, Source] = {}
        self.refused: list[str] = []
        self.log = io.StringIO()
        self._host = host
        self._registry = registry

    def add(self, source_id: str, *, there: bool = True, checked: int | None = None, **fields: Any) -> None:
        """A source whose image the registry has or lacks, last up to date that many seconds ago."""
        image = ImageReference(self._host, "good" if there else "absent", TAG, "")
        self.sources[source_id] = Source(source_id, image, source_id, **{"interval": HOUR} | fields)
        if checked is not None:
            self.releases.checks[source_id] = NOON - checked

    def run(self, only: str | None = None) -> list[SourceMetrics]:
        published: list[SourceMetrics] = []
        job = SyncJob(
            memory_stores(self.releases, self.sources, self.refused),
            self._registry,
            FunctionLog("INFO", "test", self.log),
            publish=published.append,
            clock=lambda: NOON,
        )
        try:
            job.run(only)
        except SyncFailedError:
            assert [metrics for metrics in published if metrics.failed]
        assert [metrics.succeeded is None for metrics in published if metrics.source] == [
            metrics.seconds is None for metrics in published if metrics.source
        ]
        # Sources take turns at being first.
        order = list(self.sources)
        published.sort(key=lambda metrics: order.index(metrics.source) if metrics.source else -1)
        return [metrics._replace(seconds=None) for metrics in published]


@contextmanager
def new_job() -> Iterator[Job]:
    with faulty_registry() as faulty, closing(Registry(no_logins, retry_policy=FAST_RETRIES)) as registry:
        faulty.add("good", TAG, NEW)
        yield Job(faulty.host, registry)


@pytest.fixture
def job() -> Iterator[Job]:
    with new_job() as made:
        yield made


def test_age_is_reset_by_success_only(job: Job) -> None:
    job.add("good", checked=5 * HOUR)
    job.add("failing", there=False, checked=5 * HOUR)
    job.add("never", there=False)
    assert [
        SourceMetrics("good", age=0.0, succeeded=1, failed=0),
        SourceMetrics("failing", age=5.0, succeeded=0, failed=1),
        SourceMetrics("never", age=NEVER, succeeded=0, failed=1),
    ] == job.run()


def test_age_is_published_in_each_run(job: Job) -> None:
    """So that silence means that nothing runs."""
    job.add("good", checked=HOUR // 2)
    assert [SourceMetrics("good", age=0.5)] == job.run()


def test_check_of_the_future_counts_as_none(job: Job) -> None:
    """A clock that was ahead once would stop the syncs until then, and the alarm on their age."""
    job.add("good", checked=-24 * HOUR)
    job.add("failing", there=False, checked=-1)
    assert [
        SourceMetrics("good", age=0.0, succeeded=1, failed=0),
        SourceMetrics("failing", age=NEVER, succeeded=0, failed=1),
    ] == job.run()
    assert NOON == job.releases.checks["good"]


def test_requested_run_publishes_all_ages(job: Job) -> None:
    job.add("one", checked=HOUR // 2)
    job.add("other", checked=3 * HOUR)
    assert [SourceMetrics("one", age=0.0, succeeded=1, failed=0), SourceMetrics("other", age=3.0)] == job.run("one")


def test_pointer_counts_as_it_is_in_the_turn_of_its_source(job: Job) -> None:
    """Not as it was when the run began."""
    job.add("one")
    job.add("two")
    job.run()
    job.releases.checks.clear()

    def hold_the_other(metrics: SourceMetrics) -> None:
        for source_id, pointer in job.releases.served.items():
            if source_id != metrics.source:
                job.releases.served[source_id] = pointer._replace(held=True)

    stores, log = memory_stores(job.releases, job.sources), FunctionLog("INFO", "test", job.log)
    report = SyncJob(stores, job._registry, log, publish=hold_the_other, clock=lambda: NOON).run(None)
    assert (1, 1) == (len(report.unchanged), len(report.held))


def test_busy_source_neither_succeeds_nor_fails(job: Job) -> None:
    job.add("busy", checked=2 * HOUR)
    job.add("new")
    with MemoryReleaseStore(job.releases, "busy").lease(), MemoryReleaseStore(job.releases, "new").lease():
        assert [SourceMetrics("busy", age=2.0), SourceMetrics("new")] == job.run()


@pytest.mark.parametrize(
    ("fields", "age"), [({"interval": None}, None), ({"keep": "all"}, 2.0)], ids=["before", "within"]
)
def test_unexpected_error_is_a_failed_sync_of_its_source_alone(
    job: Job, fields: dict[str, object], age: float | None
) -> None:
    """Before the sync or within: fields that no document can have."""
    job.add("broken", checked=2 * HOUR, **fields)
    for number in range(4):
        job.add(f"good-{number}")
    broken, *good = job.run()
    assert SourceMetrics("broken", age, succeeded=0, failed=1) == broken
    assert [SourceMetrics(f"good-{number}", 0.0, 1, 0) for number in range(4)] == good
    (line,) = (line for line in map(json.loads, job.log.getvalue().splitlines()) if line["message"] == "sync failed")
    assert "broken" == line["source"]
    assert line["reason"].startswith("broken: TypeError: ")
    assert "Traceback" in line["exception"]


def test_no_sources_are_not_overdue(job: Job) -> None:
    assert [SourceMetrics(age=0.0)] == job.run()
    job.refused.append("source 'bad': no image")
    assert [SourceMetrics(failed=1)] == job.run()


def test_metrics_are_published_in_total(capsys: pytest.CaptureFixture[str]) -> None:
    publish = SyncMetrics(NAMESPACE).publish
    publish(SourceMetrics("talos-arm64", 0.0, 1, 0, 2.34567))
    publish(SourceMetrics("talos-arm64", 0.5))
    publish(SourceMetrics(failed=2))
    publish(SourceMetrics("talos-amd64"))
    everywhere = (("service", "asset_sync"),)
    whole = [(AGE, "None", 0.0), (SUCCEEDED, "Count", 1.0), (FAILED, "Count", 0.0), (SECONDS, "Seconds", 2.346)]
    assert [
        *(Metric(NAMESPACE, everywhere, name, unit, (value,)) for name, unit, value in whole),
        Metric(NAMESPACE, everywhere, AGE, "None", (0.5,)),
        Metric(NAMESPACE, everywhere, FAILED, "Count", (2.0,)),
    ] == metrics_of(capsys.readouterr().out)


def test_namespace_enables_metrics(
    moto_server: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stores = new_stores(moto_server, moto_server)
    with closing(moto_server.client("dynamodb")) as dynamodb:
        create_table(dynamodb, stores.name)
    environment = stores.environment() | {"MATCHBOX_LOG_LEVEL": "info"}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    job_of(environment, tmp_path).run(None)
    open_log(SERVICE)
    assert "" == capsys.readouterr().out
    job_of(environment | {"POWERTOOLS_METRICS_NAMESPACE": NAMESPACE}, tmp_path).run(None)
    (metric,) = metrics_of(capsys.readouterr().out)
    assert (NAMESPACE, AGE, (0.0,)) == (metric.namespace, metric.name, metric.values)
