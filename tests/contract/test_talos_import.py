"""`matchboxctl talos import` does the same in a data directory, and in table, bucket and Parameter Store."""

import json

import pytest

from matchboxctl.talos import importing
from tests.contract.talos_cluster import CP_1, W_1, Talos
from tests.support.talos_files import SECRETS, nodes_file, role_file

SECRET_NAMES = [
    "talos/demo/cluster",
    *(f"talos/demo/certs/{part}" for part in ("os", "k8s", "k8saggregator", "etcd", "k8sserviceaccount")),
]
DOCUMENTS = [
    ("template", "demo-controlplane.yaml"),
    ("template", "demo-worker.yaml"),
    ("profile", "demo-controlplane"),
    ("profile", "demo-worker"),
    ("group", "demo-cp-1"),
    ("group", "demo-w-1"),
]


def test_import_stores_secrets_and_documents_without_any(talos: Talos) -> None:
    created = {key: ("created", []) for key in [*(("secret", name) for name in SECRET_NAMES), *DOCUMENTS]}
    assert created == talos.changes()
    assert sorted(SECRET_NAMES) == [one["name"] for one in json.loads(talos.listed()[0])]
    documents = "".join(talos.listed()[2:]) + "".join(
        talos.got("ignition", f"demo-{role}.yaml")["config"] for role in ("controlplane", "worker")
    )
    assert not [secret for secret in SECRETS if secret in documents]
    group = talos.got("group", "demo-cp-1")
    assert {"mac": "52:54:00:00:00:01"} == group["selector"]
    assert {"hostname": "cp-1", "disk": "/dev/nvme0n1"} == group["metadata"]
    assert {"once": True, "token": True} == group["boot"]
    assert ["10.0.0.21/24"] == talos.got("group", "demo-w-1")["metadata"]["addresses"]
    profile = talos.got("profile", "demo-worker")
    assert "demo-worker.yaml" == profile["ignition_id"]
    assert "/assets/talos/vmlinuz" == profile["boot"]["kernel"]
    assert "talos.config=${base}ignition?uuid=${uuid}&mac=${mac:hexhyp}&token=${token}" in profile["boot"]["args"]


def test_dry_run_shows_the_same_and_writes_nothing(talos: Talos) -> None:
    before = talos.listed()
    shown = talos.changes("--dry-run")
    assert before == talos.listed()
    assert shown == talos.changes()


def test_second_import_names_only_what_differs(talos: Talos) -> None:
    talos.changes()
    assert {} == talos.changes()
    talos.controlplane = talos.controlplane.replace("kube-apiserver:v1.34.1", "kube-apiserver:v1.35.0")
    talos.nodes = nodes_file(
        CP_1 | {"disk": "/dev/sdb"}, W_1, W_1 | {"mac": "52-54-00-00-00-03", "hostname": "w-2", "address": ""}
    )
    assert {
        ("template", "demo-controlplane.yaml"): ("changed", ["cluster.apiServer.image"]),
        ("group", "demo-cp-1"): ("changed", ["metadata.disk"]),
        ("group", "demo-w-2"): ("created", []),
    } == talos.changes()
    table = talos.commands.ok(*talos.arguments())
    assert "cluster demo: 0 created, 0 changed, 13 unchanged\n" == table


def test_an_operators_own_changes_stay(local_talos: Talos) -> None:
    local_talos.changes("--assets", "talos/arm64")
    profile = local_talos.got("profile", "demo-worker")
    profile["boot"]["args"].append("console=ttyAMA0")
    group = local_talos.got("group", "demo-w-1")
    group["metadata"]["rack"] = "r1"
    group["boot"]["approve"] = True
    group["selector"]["arch"] = "arm64"
    local_talos.commands.ok("profile", "create", "-f", local_talos.commands.file("profile.json", json.dumps(profile)))
    local_talos.commands.run("group", "create", "-f", local_talos.commands.file("group.json", json.dumps(group)))
    assert {} == local_talos.changes()
    assert {
        ("profile", f"demo-{role}"): ("changed", ["boot.kernel", "boot.initrd"]) for role in ("controlplane", "worker")
    } == local_talos.changes("--assets", "talos/amd64")


def test_node_keeps_its_group_when_its_name_or_its_machine_changes(local_talos: Talos) -> None:
    local_talos.changes()
    local_talos.nodes = nodes_file(CP_1 | {"hostname": "cp-2"}, W_1 | {"mac": "52:54:00:00:00:09"})
    assert {
        ("group", "demo-cp-1"): ("changed", ["name", "metadata.hostname"]),
        ("group", "demo-w-1"): ("changed", ["selector.mac"]),
    } == local_talos.changes()


def test_group_that_its_operator_named_and_selects_by_more_is_its_machines(local_talos: Talos) -> None:
    local_talos.changes()
    group = local_talos.got("group", "demo-w-1")
    group = {**group, "id": "mine", "selector": {**group["selector"], "arch": "arm64"}}
    local_talos.commands.run("group", "create", "-f", local_talos.commands.file("group.json", json.dumps(group)))
    local_talos.commands.ok("group", "delete", "demo-w-1")
    local_talos.nodes = nodes_file(CP_1, W_1 | {"uuid": "11111111-2222-4333-8444-555555555555"})
    assert {("group", "mine"): ("changed", ["selector.uuid"])} == local_talos.changes()


def test_secrets_that_are_found_by_their_looks_are_named(local_talos: Talos) -> None:
    local_talos.changes()
    local_talos.worker += """---
apiVersion: v1alpha1
kind: RegistryAuthConfig
name: ghcr.io
username: me
password: some-password
"""
    created = local_talos.changes()
    assert ("created", ["RegistryAuthConfig-ghcr-io-password"]) == created[("secret", "talos/demo/other")]
    assert "some-password" not in local_talos.got("ignition", "demo-worker.yaml")["config"]
    local_talos.worker = local_talos.worker.replace("some-password", "new-password")
    changed = ("changed", ["RegistryAuthConfig-ghcr-io-password"])
    assert {("secret", "talos/demo/other"): changed} == local_talos.changes()


def test_nodes_that_are_gone_are_named_and_deleted_only_with_prune(talos: Talos) -> None:
    talos.changes()
    talos.nodes = nodes_file(CP_1)
    gone = ("group", "demo-w-1")
    assert "gone" == talos.changes()[gone][0]
    assert "gone" == talos.changes()[gone][0]
    assert "deleted" == talos.changes("--prune", "--dry-run")[gone][0]
    assert {gone: ("deleted", [])} == talos.changes("--prune")
    assert {} == talos.changes("--prune")


def test_interrupted_import_is_completed_by_the_same_command(
    local_talos: Talos, monkeypatch: pytest.MonkeyPatch
) -> None:
    progress = importing.Progress

    class Interrupted(progress):  # type: ignore[misc, valid-type]
        def add(self, count: int) -> None:
            if self.done == 7:
                raise KeyboardInterrupt
            super().add(count)

    monkeypatch.setattr(importing, "Progress", Interrupted)
    ended = local_talos.commands.run(*local_talos.arguments())
    assert 130 == ended.code
    assert "8 of 12 changes were written; the same command writes the rest" in ended.err
    monkeypatch.undo()
    for name, value in local_talos.commands.environment.items():
        monkeypatch.setenv(name, value)
    assert set(DOCUMENTS[2:]) == set(local_talos.changes())


def test_other_secrets_replace_those_of_a_cluster_only_if_that_is_said(talos: Talos) -> None:
    talos.changes()
    other = {"token": "aaaaaa.aaaaaaaaaaaaaaaa"}
    talos.controlplane, talos.worker = role_file("controlplane", **other), role_file("worker", **other)
    error = talos.refused()
    assert "cluster demo has other secrets (cluster trustdinfo.token)" in error
    assert ("changed", ["trustdinfo.token"]) == talos.changes("--replace-secrets")[("secret", "talos/demo/cluster")]
