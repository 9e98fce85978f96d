"""`matchboxctl releases` for programs, in either mode."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.support.faulty_registry import FaultyRegistry
from tests.support.registry_serving import faulty_registry
from tests.support.resource_commands import ResourceCommands
from tests.unit.image_sync.sync_subject import TAG, sha256, talos

pytestmark = pytest.mark.system

DIGESTS = {"KERNEL_DIGEST": f"sha256:{sha256(b'kernel')}", "INITRAMFS_DIGEST": f"sha256:{sha256(b'initramfs')}"}


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyRegistry]:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    with faulty_registry() as registry:
        yield registry


def synced(commands: ResourceCommands, registry: FaultyRegistry, source_id: str, version: str) -> None:
    registry.add("boot", TAG, talos(b"kernel", version=version))
    document = {"id": source_id, "image": f"{registry.host}/boot:{TAG}", "assets": "talos"}
    commands.ok("source", "create", "-f", commands.file("source", json.dumps(document)))
    assert 0 == commands.run("sync", source_id).code


def test_config_map_has_what_flux_substitutes(commands: ResourceCommands, registry: FaultyRegistry) -> None:
    synced(commands, registry, "talos-arm64", "v1.13.0")
    assert {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "talos-arm64", "labels": {"reconcile.fluxcd.io/watch": "Enabled"}},
        "data": {"TALOS_VERSION": "v1.13.0", **DIGESTS},
    } == yaml.safe_load(commands.ok("releases", "talos-arm64", "-o", "configmap"))
    synced(commands, registry, "talos-arm64", "")
    assert DIGESTS == yaml.safe_load(commands.ok("releases", "talos-arm64", "-o", "configmap"))["data"]


@pytest.mark.parametrize("version", ["1.0", "1e3", "0x1"])
def test_version_of_digits_is_a_string(commands: ResourceCommands, registry: FaultyRegistry, version: str) -> None:
    synced(commands, registry, "talos-arm64", version)
    data = yaml.safe_load(commands.ok("releases", "talos-arm64", "-o", "configmap"))["data"]
    assert version == data["TALOS_VERSION"]


@pytest.mark.parametrize("source_id", ["Talos", "talos_arm64", "talos-", "a..b"])
def test_id_that_is_no_name_of_a_config_map_is_refused(
    commands: ResourceCommands, registry: FaultyRegistry, source_id: str
) -> None:
    synced(commands, registry, source_id, "v1.13.0")
    ended = commands.run("releases", source_id, "-o", "configmap")
    assert (2, "") == (ended.code, ended.out)
    assert f"'{source_id}' cannot be the name of a ConfigMap: use --output env, and `kubectl create" in ended.err
