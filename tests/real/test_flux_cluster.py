"""The example for Flux in the API server of a Kubernetes without nodes."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.real.source_commands import SourceCommands
from tests.rigs.failure import RigFailedError
from tests.rigs.flux import definitions
from tests.rigs.kubernetes import Kubernetes, kubernetes
from tests.rigs.oci_registry import oci_registry
from tests.support.paths import EXAMPLES
from tests.unit.image_sync.sync_subject import talos

# Building Kubernetes takes ten minutes.
pytestmark = [pytest.mark.real, pytest.mark.nightly]

EXAMPLE = EXAMPLES / "flux"


@pytest.fixture(scope="module")
def cluster() -> Iterator[Kubernetes]:
    """With the namespaces and the kinds that the example needs, and the example."""
    with kubernetes() as cluster:
        for namespace in ("matchbox", "flux-system"):
            cluster.kubectl("create", "namespace", namespace)
        for file in definitions():
            cluster.kubectl("apply", "--server-side", "--filename", file)
        cluster.kubectl("wait", "--for", "condition=established", "customresourcedefinitions", "--all")
        cluster.kubectl("apply", "--kustomize", EXAMPLE)
        yield cluster


def applied(cluster: Kubernetes, directory: Path, token: str) -> dict[str, str]:
    """What the job's last container makes of the ConfigMap in a directory."""
    job = yaml.safe_load(cluster.kubectl("get", "cronjob", "talos-release", "--namespace", "matchbox", "-o", "yaml"))
    [container] = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    cluster.kubectl(*(argument.replace("/release/", f"{directory}/") for argument in container["args"]), token=token)
    shown = cluster.kubectl("get", "configmap", "talos-arm64", "--namespace", "flux-system", "-o", "yaml")
    data: dict[str, str] = yaml.safe_load(shown)["data"]
    return data


def test_job_keeps_the_config_map_current(cluster: Kubernetes, tmp_path: Path) -> None:
    """With its service account's token: it makes the ConfigMap, changes it, and leaves out what a release lacks."""
    token = cluster.kubectl("create", "token", "talos-release", "--namespace", "matchbox").strip()
    commands = SourceCommands(tmp_path / "synced")
    file = tmp_path / "configmap.yaml"
    with oci_registry(tokens=False) as registry:
        for version in ("v1.12.0", "v1.13.0", ""):
            image = registry.push(talos(f"kernel of {version}".encode(), version=version), "team/boot", "stable")
            commands.add("talos-arm64", image)
            commands.run("sync")
            file.write_text(commands.run("releases", "talos-arm64", "--output", "configmap"))
            wanted = yaml.safe_load(file.read_text())["data"]
            assert version == wanted.get("TALOS_VERSION", "")
            assert wanted == applied(cluster, tmp_path, token)


@pytest.mark.parametrize(
    "forbidden",
    [
        ("get", "configmaps"),
        ("get", "configmap", "another"),
        ("create", "configmap", "another"),
        ("delete", "configmap", "talos-arm64"),
        ("get", "secrets"),
        ("patch", "kustomization", "talos-images", "--type", "merge", "--patch", "{}"),
    ],
    ids=" ".join,
)
def test_job_may_do_nothing_else(cluster: Kubernetes, forbidden: tuple[str, ...]) -> None:
    token = cluster.kubectl("create", "token", "talos-release", "--namespace", "matchbox").strip()
    with pytest.raises(RigFailedError, match=r"(?i)forbidden"):
        cluster.kubectl(*forbidden, "--namespace", "flux-system", token=token)
