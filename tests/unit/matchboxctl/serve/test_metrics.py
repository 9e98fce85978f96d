"""`serve --metrics-address`, as Prometheus and the example dashboard see it."""

import json
import re
import socket
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from lambda_matchbox.machines.events import Event
from lambda_matchbox.machines.history_stores import History
from lambda_matchbox.releases.pointers import Pointer, Release
from matchboxctl.directory.history_file import DirectoryHistory
from matchboxctl.directory.releases import DirectoryReleaseStore
from tests.support.paths import EXAMPLES
from tests.support.serving import LIMIT, Serve, refused_start, started

pytestmark = pytest.mark.system

LOCAL = ("--address", "127.0.0.1:0", "--metrics-address", "127.0.0.1:0")
DIGEST = "sha256:" + "d" * 64
REQUESTS, DURATION = "matchbox_requests_total", "matchbox_request_duration_seconds"
MACHINES, AGE, RELEASE = "matchbox_machines", "matchbox_sync_age_seconds", "matchbox_release_info"
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with three machines of two states, a source with a release, and one that was never synced."""
    root = tmp_path_factory.mktemp("data")
    (root / "sources").mkdir()
    for name in ("synced", "new"):
        source = {"image": f"registry.example/{name}:latest", "assets": name}
        (root / "sources" / f"{name}.json").write_text(json.dumps(source))
    store = DirectoryReleaseStore(root / "releases", "synced")
    store.move(None, Pointer("synced", DIGEST, held=False, releases=(Release(DIGEST, "place", 1),)))
    store.note_checked(int(time.time()) - 7200)
    now = time.time_ns() // 1_000_000
    with closing(DirectoryHistory(root)) as history:
        History(history).add(
            [
                Event(now, "request", "/ipxe", "52:54:00:00:00:01", state="waiting"),
                Event(now, "request", "/ipxe", "52:54:00:00:00:02", uuid="4c4c4544-0038-4410-8052-b3c04f4b5931"),
                Event(now, "request", "/ipxe", "52:54:00:00:00:03", state="waiting"),
            ]
        )
    return root


@pytest.fixture(scope="module")
def server(data: Path) -> Iterator[Serve]:
    with started(*LOCAL, "--data-path", str(data), "--processes", "2") as running:
        yield running
        # Killed, it would leave its files.
        running.end()


def address(server: Serve) -> str:
    (line,) = (line for line in server.startup_banner if line.startswith("metrics at "))
    return line.removeprefix("metrics at ")


def scraped(server: Serve) -> Samples:
    with urllib.request.urlopen(address(server), timeout=LIMIT) as response:
        families = [*text_string_to_metric_families(response.read().decode())]
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value for each in families for sample in each.samples
    }


def of(samples: Samples, name: str, **labels: str) -> float:
    return samples[name, frozenset(labels.items())]


def test_requests_of_both_processes_are_counted_by_route_and_status(server: Serve) -> None:
    before = scraped(server)
    for number in range(40):
        # Each on a connection of its own, which either process accepts.
        assert 404 == server.get(f"/ipxe?mac=52:54:00:00:01:{number:02x}").status
        assert 404 == server.get(f"/none/{number}").status
    after = scraped(server)
    assert 40 == of(after, REQUESTS, route="/ipxe", status="404") == of(after, f"{DURATION}_count", route="/ipxe")
    assert 40 == of(after, f"{DURATION}_bucket", route="/ipxe", le="+Inf")
    assert of(after, f"{DURATION}_sum", route="/ipxe") > 0
    assert 40 == of(after, REQUESTS, route="none", status="404")
    # None has a path or a query.
    new = {dict(labels)["route"] for name, labels in after.keys() - before.keys() if name == REQUESTS}
    assert {"/ipxe", "none"} == new


def test_machines_are_counted_by_state(server: Serve) -> None:
    samples = scraped(server)
    assert 2 == of(samples, MACHINES, state="waiting")
    assert of(samples, MACHINES, state="unknown") >= 1


def test_syncs_have_an_age_and_sources_a_release(server: Serve) -> None:
    samples = scraped(server)
    assert of(samples, AGE, source="synced") >= 7200
    assert float("inf") == of(samples, AGE, source="new")
    assert {frozenset({"source": "synced", "release": DIGEST}.items())} == {
        labels for name, labels in samples if name == RELEASE
    }


def test_the_example_dashboard_asks_for_what_is_exported(server: Serve) -> None:
    server.get("/")
    labels_of: dict[str, set[str]] = {}
    for name, labels in scraped(server):
        labels_of.setdefault(name, {"instance"}).update(dict(labels))
    dashboard = json.loads((EXAMPLES / "grafana" / "matchbox.json").read_text())
    targets: list[dict[str, Any]] = [target for panel in dashboard["panels"] for target in panel["targets"]]
    asked = set()
    for target in targets:
        (name,) = re.findall(r"\bmatchbox_\w+", target["expr"])
        (grouped,) = re.findall(r" by \((.*?)\)", target["expr"])
        assert {*grouped.split(", "), *re.findall(r"{{(\w+)}}", target["legendFormat"])} <= labels_of[name]
        asked.add(name)
    assert {REQUESTS, f"{DURATION}_bucket", MACHINES, AGE, RELEASE} == asked


def test_metrics_and_their_files_end_with_serve(tmp_path: Path) -> None:
    def files() -> list[Path]:
        parents = (Path("/dev/shm"), Path("/tmp"))
        return [file for parent in parents for file in parent.glob(f"matchboxctl-{running.pid}-*/*.db")]

    with started(*LOCAL, "--data-path", str(tmp_path), "--processes", "2", "--history-days", "0") as running:
        assert files()
        assert not any(name == MACHINES for name, _ in scraped(running))
        running.end()
        assert [] == files()
        with pytest.raises(OSError, match="refused"):
            scraped(running)


def test_port_in_use_is_named_before_serving(tmp_path: Path) -> None:
    flags = ("--address", "127.0.0.1:0", "--data-path", str(tmp_path))
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = f"127.0.0.1:{other.getsockname()[1]}"
        assert f"cannot listen on {taken}: " in refused_start(*flags, "--metrics-address", taken)
