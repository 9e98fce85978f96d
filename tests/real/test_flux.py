"""The example for Flux and artefacts that Flux packs, with Flux's own code and schemas."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from tests.real.source_commands import SourceCommands, fetch
from tests.rigs.deployment_programs import kubernetes_findings, kustomized, restricted_findings
from tests.rigs.flux import flux_findings, push_artifact, substituted
from tests.rigs.install import on_path, run
from tests.rigs.oci_registry import oci_registry
from tests.support.paths import EXAMPLES
from tests.unit.image_sync.sync_subject import sha256

# Building Flux's modules takes a minute.
pytestmark = [pytest.mark.real, pytest.mark.nightly]

EXAMPLE = EXAMPLES / "flux"
KERNEL, INITRAMFS = b"kernel" * 100_000, b"initramfs" * 100_000
DIGESTS = {"KERNEL_DIGEST": f"sha256:{sha256(KERNEL)}", "INITRAMFS_DIGEST": f"sha256:{sha256(INITRAMFS)}"}

READ_ONLY = 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && shift && exec "$@"'


def documents(name: str) -> dict[str, Any]:
    """The objects of a file, by their kinds."""
    return {each["kind"]: each for each in yaml.safe_load_all((EXAMPLE / name).read_text())}


class Packed(NamedTuple):
    """A source whose image Flux has packed and pushed: what its directory commands print, and the artefact's digest."""

    commands: SourceCommands
    digest: str

    def config_map(self) -> Any:
        return yaml.safe_load(self.commands.run("releases", "talos-arm64", "--output", "configmap"))


@pytest.fixture(scope="module", params=["", "talos/arm64"], ids=["root", "talos"])
def packed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Packed]:
    """With the files at the artefact's root, or below it."""
    directory = tmp_path_factory.mktemp("packed")
    files = directory / request.param
    files.mkdir(parents=True, exist_ok=True)
    (files / "vmlinuz").write_bytes(KERNEL)
    (files / "initramfs.xz").write_bytes(INITRAMFS)
    # Flux's client of registries asks no token server at a loopback address.
    with oci_registry(tokens=False) as registry:
        image = f"{registry.host}/team/boot:stable"
        pushed = push_artifact(image, directory, "v1.13.0")
        commands = SourceCommands(tmp_path_factory.mktemp("synced"))
        commands.add("talos-arm64", image)
        commands.run("sync")
        yield Packed(commands, pushed.partition("@")[2])


def test_artefact_that_flux_packs_is_a_release(packed: Packed) -> None:
    assert f"talos-arm64: up to date: {packed.digest}\n" == packed.commands.run("sync")
    with packed.commands.serve() as serve:
        assert KERNEL == fetch(serve, "/assets/talos-arm64/vmlinuz")
        assert INITRAMFS == fetch(serve, "/assets/talos-arm64/initramfs.xz")
        serve.end()


def test_example_is_by_the_schemas_of_flux_and_kubernetes(tmp_path: Path) -> None:
    objects = list(yaml.safe_load_all(kustomized(EXAMPLE)))
    by_flux = [each for each in objects if ".fluxcd.io/" in each["apiVersion"]]
    assert ["Kustomization", "OCIRepository"] == sorted(each["kind"] for each in by_flux)
    assert [] == [finding for each in by_flux for finding in flux_findings(each)]
    others = tmp_path / "others.yaml"
    others.write_text(yaml.safe_dump_all(each for each in objects if each not in by_flux))
    assert [] == kubernetes_findings(others)
    pod = documents("release.yaml")["CronJob"]["spec"]["jobTemplate"]["spec"]["template"]
    assert "" == restricted_findings({"spec": {"template": pod}})


def test_an_unknown_field_would_be_found() -> None:
    kustomization = documents("images.yaml")["Kustomization"]
    kustomization["spec"]["postbuild"] = {}
    [found] = flux_findings(kustomization)
    assert "('postbuild' was unexpected)" in found


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts")
def test_job_writes_the_config_map_that_it_may_write(packed: Packed, tmp_path: Path) -> None:
    """By its own script, from a data directory that it cannot write to."""
    objects = documents("release.yaml")
    [container] = objects["CronJob"]["spec"]["jobTemplate"]["spec"]["template"]["spec"]["initContainers"]
    [script] = container["args"]
    command = [*container["command"], script.replace("/release/", f"{tmp_path}/")]
    inside = [on_path("unshare", "util-linux"), "--mount", "sh", "-c", READ_ONLY, "sh", packed.commands.data]
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    run([*inside, *command], environment={"PATH": path, "MATCHBOX_DATA_PATH": str(packed.commands.data)})
    assert packed.config_map() == (made := yaml.safe_load((tmp_path / "configmap.yaml").read_text()))
    [rule] = objects["Role"]["rules"]
    assert [made["metadata"]["name"]] == rule["resourceNames"]


def test_flux_substitutes_what_the_command_prints(packed: Packed) -> None:
    """Into the example's own manifest, which is applied in Flux's namespace."""
    config_map = packed.config_map()
    assert {"TALOS_VERSION": "v1.13.0", **DIGESTS} == config_map["data"]
    kustomization = documents("images.yaml")["Kustomization"]
    [wanted] = kustomization["spec"]["postBuild"]["substituteFrom"]
    assert wanted == {"kind": config_map["kind"], "name": config_map["metadata"]["name"]}
    config_map["metadata"]["namespace"] = kustomization["metadata"]["namespace"]
    manifest = yaml.safe_load((EXAMPLE / "manifests" / "talos.yaml").read_text())
    assert {
        "version": "v1.13.0",
        "kernel": DIGESTS["KERNEL_DIGEST"],
        "initramfs": DIGESTS["INITRAMFS_DIGEST"],
    } == substituted(kustomization, [config_map], manifest)["data"]
