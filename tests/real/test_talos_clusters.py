"""Clusters that Talos' own `gen config` makes: imported, served, and put together again."""

import base64
import json
import os
import re
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from matchboxctl.talos.machine_config import MachineConfig, values_in
from matchboxctl.talos.rules import problems, unknown_names
from tests.rigs.talos_machinery import gen_config, gen_secrets, patched, refusal, talosctl
from tests.support.commands import Commands
from tests.support.serving import Serve, started
from tests.support.talos_files import nodes_file

pytestmark = pytest.mark.real

nightly = pytest.mark.nightly

VERSIONS = ["v1.10", "v1.11", "v1.12"]
ROLES = ("controlplane", "worker")
MACS = {"controlplane": "52:54:00:00:00:01", "worker": "52:54:00:00:00:02"}
UUIDS = {"controlplane": "11111111-2222-4333-8444-555555555551", "worker": "11111111-2222-4333-8444-555555555552"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A directory with what Talos makes for a cluster of a version."""

    @cache
    def made(version: str) -> Path:
        directory = tmp_path_factory.mktemp("made")
        gen_secrets(directory / "secrets.yaml", version)
        gen_config(directory / "secrets.yaml", directory, version)
        return directory

    return made


class Cluster:
    """The files that Talos made of a cluster, and a data directory into which they are imported."""

    def __init__(self, made: Path, directory: Path, run: Commands) -> None:
        self.files = directory / "files"
        self.data = directory / "data"
        shutil.copytree(made, self.files)
        self.data.mkdir()
        self.secrets = self.files / "secrets.yaml"
        self._run = run

    def file(self, role: str) -> Path:
        return self.files / f"{role}.yaml"

    def run(self, *arguments: object) -> str:
        ended = self._run("talos", *arguments, "--data-path", self.data)
        assert (0, "") == (ended.code, ended.err)
        return ended.out

    def add_nodes(self, nodes: str, name: str = "nodes.csv") -> list[dict[str, Any]]:
        """Import the files with these nodes; returns the changes."""
        (self.files / name).write_text(nodes)
        given = [*map(self.file, ROLES), self.secrets, "--nodes", self.files / name, "--cluster", "demo"]
        found: list[dict[str, Any]] = json.loads(self.run("import", *given, "-o", "json"))["changes"]
        return found

    def served(self) -> dict[str, str]:
        """The configurations that the nodes fetch, as their boot scripts say, by role."""
        with started("--address", "127.0.0.1:0", "--data-path", str(self.data), "--log-level", "error") as serve:
            return {role: _fetched(serve, mac, UUIDS[role]) for role, mac in MACS.items()}


def _fetched(serve: Serve, mac: str, uuid: str) -> str:
    script = serve.get(f"/ipxe?uuid={uuid}&mac={mac}").body.decode()
    variables = dict(re.findall(r"^set (\S+) (\S+)$", script, re.MULTILINE))
    variables |= {"uuid": uuid, "mac:hexhyp": mac.replace(":", "-")}
    found = re.search(r"talos\.config=(\S+)", script)
    assert found is not None, script
    address = re.sub(r"\$\{([^}]+)\}", lambda name: variables[name[1]], found[1])
    reply = serve.get(address.removeprefix(f"http://127.0.0.1:{serve.port}"))
    assert 200 == reply.status, reply
    return reply.body.decode()


@pytest.fixture
def new(
    made: Callable[[str], Path], tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> Callable[[str], Cluster]:
    return lambda version: Cluster(made(version), tmp_path, Commands(capsysbinary))


@pytest.fixture(params=VERSIONS)
def cluster(request: pytest.FixtureRequest, new: Callable[[str], Cluster]) -> Cluster:
    return new(request.param)


def test_imported_cluster_is_served_as_it_was_made(cluster: Cluster, tmp_path: Path) -> None:
    cluster.add_nodes(nodes_file(*({"mac": mac, "role": role} for role, mac in MACS.items())))
    stored = "".join(
        file.read_text() for file in cluster.data.rglob("*") if file.is_file() and "secrets" not in file.parts
    )
    assert not [value for value in _values(yaml.safe_load(cluster.secrets.read_text())) if value in stored]
    for role, text in cluster.served().items():
        (tmp_path / "served.yaml").write_text(text)
        assert "" == refusal(tmp_path / "served.yaml")
        assert values_in(cluster.file(role).read_text()) == values_in(text)
        # The text too, but for the quotes of secrets.
        assert cluster.file(role).read_text() == re.sub(r': "([\w+/=.-]{20,})"', r": \1", text)


def _values(document: object) -> list[str]:
    if isinstance(document, dict):
        return [value for member in document.values() for value in _values(member)]
    return [str(document)]


PATCHES = """
machine:
    certSANs: [node.example, 10.0.0.11]
    nodeLabels: {rack: r1}
    install: {wipe: true, extraKernelArgs: [net.ifnames=0]}
    kubelet: {extraArgs: {v: "4"}}
    network: {nameservers: [10.0.0.2], interfaces: [{interface: eth0, vlans: [{vlanId: 13, dhcp: true}]}]}
    files: [{content: "{{ not a template }}", permissions: 0o644, path: /var/x, op: create}]
cluster: {network: {podSubnets: [10.1.0.0/16]}}
---
apiVersion: v1alpha1
kind: VolumeConfig
name: EPHEMERAL
provisioning: {maxSize: 10GiB}
"""


@pytest.mark.parametrize(
    "cluster", [pytest.param("v1.10", marks=nightly), pytest.param("v1.11", marks=nightly), "v1.12"], indirect=True
)
def test_patches_of_a_node_do_what_talos_does_with_them(cluster: Cluster, tmp_path: Path) -> None:
    worker = cluster.file("worker")
    worker.write_text(
        worker.read_text()
        .replace("certSANs: []", "certSANs:\n    - own.example # One.\n")
        .replace("            grubUseUKICmdline: true\n", "")
    )
    patch = PATCHES.replace(", extraKernelArgs: [net.ifnames=0]", "") if "grubUse" in worker.read_text() else PATCHES
    nodes = [
        {
            "mac": mac,
            "role": role,
            **({"patches": [*yaml.safe_load_all(patch.replace("0o644", "420"))]} if role == "worker" else {}),
        }
        for role, mac in MACS.items()
    ]
    cluster.add_nodes(json.dumps(nodes), "nodes.json")
    served = tmp_path / "served.yaml"
    served.write_text(cluster.served()["worker"])
    assert patched(worker, patch) == patched(served)


@pytest.mark.parametrize("cluster", [pytest.param("v1.10", marks=nightly), "v1.11", "v1.12"], indirect=True)
def test_values_of_nodes_are_valid(cluster: Cluster, tmp_path: Path) -> None:
    own = {"hostname": "n-1", "address": "10.0.0.11/24 fd00::11/64", "gateway": "10.0.0.1", "disk": "/dev/nvme0n1"}
    cluster.add_nodes(
        nodes_file(
            own | {"mac": MACS["controlplane"], "role": "controlplane", "machine.nodeLabels.rack": "r1"},
            {"mac": MACS["worker"], "role": "worker", "address": "10.0.0.12/24", "interface": "eth1"},
        )
    )
    served = cluster.served()
    for text in served.values():
        (tmp_path / "served.yaml").write_text(text)
        assert "" == refusal(tmp_path / "served.yaml")
    main, *others = values_in(served["controlplane"])
    assert "/dev/nvme0n1" == main["machine"]["install"]["disk"]
    kinds = {document["kind"]: document for document in others}
    if "HostnameConfig" in kinds:
        assert "n-1" == kinds["HostnameConfig"]["hostname"]
        assert [{"gateway": "10.0.0.1"}] == kinds["LinkConfig"]["routes"]
    else:
        network = main["machine"]["network"]
        assert "n-1" == network["hostname"]
        assert {"hardwareAddr": MACS["controlplane"]} == network["interfaces"][0]["deviceSelector"]


def test_secrets_of_matchboxctl_are_what_talosctl_takes(new: Callable[[str], Cluster]) -> None:
    cluster = new("v1.12")
    theirs = _forms(cluster.secrets)
    cluster.secrets.unlink()
    cluster.run("secrets", "--cluster", "demo", "--export", cluster.secrets)
    gen_config(cluster.secrets, cluster.files, "v1.12")
    for role in ROLES:
        assert "" == refusal(cluster.file(role))
    changes = cluster.add_nodes(nodes_file({"mac": MACS["worker"], "role": "worker"}))
    assert "secret" not in {change["kind"] for change in changes}
    assert theirs == _forms(cluster.secrets)


def _forms(file: Path) -> dict[str, object]:
    """Of each secret its length, or the labels of its PEM."""
    bundle = yaml.safe_load(file.read_text())
    certs = {
        f"{name}.{kind}": re.findall(rb"-----.*-----", base64.b64decode(text))
        for name, pair in bundle.pop("certs").items()
        for kind, text in pair.items()
    }
    return certs | {f"{name}.{key}": len(text) for name, texts in bundle.items() for key, text in texts.items()}


@pytest.mark.parametrize(
    ("role", "before", "after", "said"),
    [
        ("worker", "install:", "instal:", "machine.instal"),
        (
            "worker",
            "        defaultRuntimeSeccompProfileEnabled",
            "        registerWithTaints: [a]\n        defaultRuntimeSeccompProfileEnabled",
            "machine.kubelet.registerWithTaints",
        ),
        ("worker", 'key: ""', "key: LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0tCg==", "machine.ca"),
        ("worker", "crt: LS0t", "crt: <certificate>", "base64|placeholder <certificate>"),
        ("worker", "disk: /dev/sda", "{}", "install|YAML"),
        ("worker", "type: worker", "type: wroker", "wroker"),
        ("worker", "https://10.0.0.10:6443", "10.0.0.10", "endpoint"),
        ("controlplane", "        key: LS0t", "        kye: LS0t", "kye|machine.ca.key"),
    ],
)
def test_own_checks_refuse_what_talos_refuses(
    new: Callable[[str], Cluster], role: str, before: str, after: str, said: str
) -> None:
    file = new("v1.11").file(role)
    assert ("", []) == (refusal(file), [*problems(MachineConfig(file.read_text()))])
    wrong = re.sub(
        rf"{re.escape(before)}(?:\S*)" if before == "crt: LS0t" else re.escape(before), after, file.read_text(), count=1
    )
    assert wrong != file.read_text()
    file.write_text(wrong)
    try:
        config = MachineConfig(wrong)
        found = "\n".join([*problems(config), *unknown_names(config)])
    except ValueError as error:
        found = str(error)
    assert refusal(file)
    assert re.search(said, found), found


def test_verify_asks_talosctl_where_it_is_installed(
    new: Callable[[str], Cluster], monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    monkeypatch.setenv("PATH", f"{talosctl().parent}{os.pathsep}{os.environ['PATH']}")
    cluster = new("v1.12")
    cluster.add_nodes(nodes_file(*({"mac": mac, "role": role} for role, mac in MACS.items())))
    assert f"2 nodes verified by talosctl validate --mode metal ({talosctl()}): nothing found\n" == cluster.run(
        "verify"
    )
    template = cluster.data / "ignition/demo-worker.yaml"
    template.write_text(template.read_text().replace("kubePrism:", "kubePrisn:"))
    ended = Commands(capsysbinary)("talos", "verify", "--data-path", cluster.data)
    assert 1 == ended.code
    assert "unknown keys machine.features.kubePrisn" in ended.out
