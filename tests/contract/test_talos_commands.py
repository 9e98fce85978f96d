"""`matchboxctl talos` does the same in a data directory, and in table, bucket and Parameter Store."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from matchboxctl.talos import importing
from tests.contract.secret_commands import PARAMETER_STORE, secret_commands
from tests.support.resource_commands import ResourceCommands
from tests.support.talos_files import HOSTNAME_CONFIG, KEY, SECRETS, VALUES, nodes_file, role_file

CP_1 = {"mac": "52:54:00:00:00:01", "hostname": "cp-1", "role": "controlplane", "disk": "/dev/nvme0n1"}
W_1 = {"mac": "52-54-00-00-00-02", "hostname": "w-1", "role": "worker", "address": "10.0.0.21/24"}
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


class Talos:
    """A cluster of two nodes, whose files lie beside the store."""

    def __init__(self, commands: ResourceCommands) -> None:
        self.commands = commands
        self.controlplane = role_file("controlplane", documents=HOSTNAME_CONFIG)
        self.worker = role_file("worker", documents=HOSTNAME_CONFIG)
        self.nodes = nodes_file(CP_1, W_1)

    def arguments(self, *more: str) -> tuple[str, ...]:
        files = ("controlplane.yaml", self.controlplane), ("worker.yaml", self.worker)
        written = [self.commands.file(name, text) for name, text in files]
        nodes = self.commands.file("nodes.csv", self.nodes)
        return ("talos", "import", *written, "--nodes", nodes, "--cluster", "demo", *more)

    def changes(self, *more: str) -> dict[tuple[str, str], tuple[str, list[str]]]:
        """What an import changes, by kind and name."""
        found = json.loads(self.commands.ok(*self.arguments("-o", "json", *more)))
        return {(one["kind"], one["name"]): (one["change"], one["what"]) for one in found["changes"]}

    def refused(self, *more: str) -> str:
        """The error of an import that writes nothing."""
        before = self.listed()
        ended = self.commands.run(*self.arguments(*more))
        assert (1, "") == ended[:2]
        assert before == self.listed()
        return ended.err

    def listed(self) -> list[str]:
        return [self.commands.ok(kind, "list", "-o", "json") for kind in ("secret", "ignition", "profile", "group")]

    def got(self, kind: str, name: str) -> Any:
        return json.loads(self.commands.ok(kind, "get", name, "-o", "json"))


@pytest.fixture
def talos(secret_store: ResourceCommands) -> Talos:
    return Talos(secret_store)


@pytest.fixture
def in_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]) -> Talos:
    """The same in a data directory alone, for what no store does otherwise."""
    return Talos(secret_commands(tmp_path / "files", monkeypatch, capsysbinary))


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


def test_an_operators_own_changes_stay(in_directory: Talos) -> None:
    in_directory.changes("--assets", "talos/arm64")
    profile = in_directory.got("profile", "demo-worker")
    profile["boot"]["args"].append("console=ttyAMA0")
    group = in_directory.got("group", "demo-w-1")
    group["metadata"]["rack"] = "r1"
    group["boot"]["approve"] = True
    group["selector"]["arch"] = "arm64"
    in_directory.commands.ok("profile", "create", "-f", in_directory.commands.file("profile.json", json.dumps(profile)))
    in_directory.commands.run("group", "create", "-f", in_directory.commands.file("group.json", json.dumps(group)))
    assert {} == in_directory.changes()
    assert {
        ("profile", f"demo-{role}"): ("changed", ["boot.kernel", "boot.initrd"]) for role in ("controlplane", "worker")
    } == in_directory.changes("--assets", "talos/amd64")


def test_node_keeps_its_group_when_its_name_or_its_machine_changes(in_directory: Talos) -> None:
    in_directory.changes()
    in_directory.nodes = nodes_file(CP_1 | {"hostname": "cp-2"}, W_1 | {"mac": "52:54:00:00:00:09"})
    assert {
        ("group", "demo-cp-1"): ("changed", ["name", "metadata.hostname"]),
        ("group", "demo-w-1"): ("changed", ["selector.mac"]),
    } == in_directory.changes()


def test_group_that_its_operator_named_and_selects_by_more_is_its_machines(in_directory: Talos) -> None:
    in_directory.changes()
    group = in_directory.got("group", "demo-w-1")
    group = {**group, "id": "mine", "selector": {**group["selector"], "arch": "arm64"}}
    in_directory.commands.run("group", "create", "-f", in_directory.commands.file("group.json", json.dumps(group)))
    in_directory.commands.ok("group", "delete", "demo-w-1")
    in_directory.nodes = nodes_file(CP_1, W_1 | {"uuid": "11111111-2222-4333-8444-555555555555"})
    assert {("group", "mine"): ("changed", ["selector.uuid"])} == in_directory.changes()


@pytest.mark.parametrize(("kind", "name"), [("groups", "demo-w-1"), ("profiles", "demo-worker")])
def test_document_that_was_edited_wrongly_is_not_replaced(in_directory: Talos, kind: str, name: str) -> None:
    in_directory.changes()
    assert in_directory.commands.data is not None
    file = in_directory.commands.data / kind / f"{name}.json"
    file.write_text(edited := file.read_text().replace(",", ",,"))
    ended = in_directory.commands.run(*in_directory.arguments())
    assert (1, "") == ended[:2]
    assert "correct it, or delete it to have a new one" in " ".join(ended.err.split())
    assert edited == file.read_text()


def test_secrets_that_are_found_by_their_looks_are_named(in_directory: Talos) -> None:
    in_directory.changes()
    in_directory.worker += """---
apiVersion: v1alpha1
kind: RegistryAuthConfig
name: ghcr.io
username: me
password: some-password
"""
    created = in_directory.changes()
    assert ("created", ["RegistryAuthConfig-ghcr-io-password"]) == created[("secret", "talos/demo/other")]
    assert "some-password" not in in_directory.got("ignition", "demo-worker.yaml")["config"]
    in_directory.worker = in_directory.worker.replace("some-password", "new-password")
    changed = ("changed", ["RegistryAuthConfig-ghcr-io-password"])
    assert {("secret", "talos/demo/other"): changed} == in_directory.changes()


@pytest.mark.parametrize("secret_store", [PARAMETER_STORE], indirect=True)
def test_nothing_is_written_if_the_store_would_refuse_a_secret(talos: Talos) -> None:
    talos.worker += f"---\napiVersion: v1alpha1\nkind: RegistryAuthConfig\nname: ghcr.io\npassword: {'x' * 8192}\n"
    assert "secret 'talos/demo/other' has 8,2" in talos.refused()


def test_no_group_of_another_node_is_taken(in_directory: Talos) -> None:
    in_directory.changes()
    # The worker is called otherwise, and another has its name now.
    third = W_1 | {"mac": "52:54:00:00:00:03", "address": ""}
    in_directory.nodes = nodes_file(CP_1, W_1 | {"hostname": "w-2"}, third)
    assert {
        ("group", "demo-w-1"): ("changed", ["name", "metadata.hostname"]),
        ("group", "demo-w-1-52-54-00-00-00-03"): ("created", []),
    } == in_directory.changes()
    assert {} == in_directory.changes()
    other = {"id": "demo-w-4", "profile": "p", "selector": {"os": "x"}}
    in_directory.commands.run("group", "create", "-f", in_directory.commands.file("group.json", json.dumps(other)))
    in_directory.nodes += "52:54:00:00:00:04,w-4,worker,,\n"
    assert {("group", "demo-w-4-52-54-00-00-00-04"): ("created", [])} == in_directory.changes()


def test_secret_that_cannot_be_read_is_named(in_directory: Talos) -> None:
    in_directory.changes()
    in_directory.commands.ok("secret", "set", "talos/demo/cluster", "-f", "-", stdin=b"- &a x\n- *a\n")
    assert "a secret of cluster demo is no document (line 2: not YAML: aliases" in in_directory.refused()


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
    in_directory: Talos, monkeypatch: pytest.MonkeyPatch
) -> None:
    progress = importing.Progress

    class Interrupted(progress):  # type: ignore[misc, valid-type]
        def add(self, count: int) -> None:
            if self.done == 7:
                raise KeyboardInterrupt
            super().add(count)

    monkeypatch.setattr(importing, "Progress", Interrupted)
    ended = in_directory.commands.run(*in_directory.arguments())
    assert 130 == ended.code
    assert "8 of 12 changes were written; the same command writes the rest" in ended.err
    monkeypatch.undo()
    for name, value in in_directory.commands.environment.items():
        monkeypatch.setenv(name, value)
    assert set(DOCUMENTS[2:]) == set(in_directory.changes())


def test_other_secrets_replace_those_of_a_cluster_only_if_that_is_said(talos: Talos) -> None:
    talos.changes()
    other = {"token": "aaaaaa.aaaaaaaaaaaaaaaa"}
    talos.controlplane, talos.worker = role_file("controlplane", **other), role_file("worker", **other)
    error = talos.refused()
    assert "cluster demo has other secrets (cluster trustdinfo.token)" in error
    assert ("changed", ["trustdinfo.token"]) == talos.changes("--replace-secrets")[("secret", "talos/demo/cluster")]


def test_all_mistakes_are_named_at_once(in_directory: Talos) -> None:
    key = "LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0tCg=="
    in_directory.worker = role_file("worker", k8s_key=key, os_crt="<cluster-ca-certificate>").replace(
        "kubelet:", "kubelt:", 1
    )
    in_directory.nodes = nodes_file(CP_1, W_1 | {"mac": "52-54-00-00-00-0x"}, W_1 | {"mac": CP_1["mac"]})
    errors = in_directory.refused().splitlines()
    for part in (
        "nodes.csv: line 3: invalid MAC address '52-54-00-00-00-0x'",
        "nodes.csv: line 4: MAC address 52:54:00:00:00:01 is that of line 2",
        "nodes.csv: line 4: address 10.0.0.21 is that of line 3",
        "nodes.csv: line 4: host name w-1 is that of line 3",
        "worker.yaml: line 8: placeholder <cluster-ca-certificate> is left",
        "worker.yaml: line 13: Talos 1.12 knows no key machine.kubelt; did you mean 'kubelet'?",
        "worker.yaml: line 38: a worker must not have cluster.ca.key",
    ):
        assert [line for line in errors if part in line], (part, errors)
    assert errors[-1].endswith("problems, see above: nothing was written")


def test_key_that_a_later_talos_may_know_is_named_and_imported(in_directory: Talos) -> None:
    in_directory.worker = in_directory.worker.replace("machine:\n", "machine:\n    later: {a: b}\n", 1)
    ended = in_directory.commands.run(*in_directory.arguments())
    assert (0, "matchboxctl: worker.yaml: line 5: Talos 1.12 knows no key machine.later\n") == (ended.code, ended.err)
    assert "later: {a: b}" in in_directory.got("ignition", "demo-worker.yaml")["config"]


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        ("debug: false", f"debug: false # once {VALUES['machine-token']}", 2),
        ("    nodeLabels:", f"    sysctls:\n        x.y: ?{KEY['account']}\n    nodeLabels:", 25),
    ],
)
def test_secret_in_a_comment_or_another_value_is_named(in_directory: Talos, before: str, after: str, line: int) -> None:
    in_directory.worker = in_directory.worker.replace(before, after)
    error = " ".join(in_directory.refused().split())
    assert f"worker.yaml: line {line} has the value of a secret, " in error
    assert not [secret for secret in SECRETS if secret in error]


def test_files_of_different_clusters_are_refused(in_directory: Talos) -> None:
    in_directory.worker = role_file("worker", id="b3RoZXItaWQtYWFhYWFhYWFhYWFhYWFhYWFhYWFhYQ==")
    error = in_directory.refused()
    assert "worker.yaml: line 27: cluster.id is not that of controlplane.yaml: line 27: cluster.id" in error
    assert VALUES["cluster-id"] not in error


def test_machine_of_another_group_is_refused(in_directory: Talos) -> None:
    group = {"id": "other", "profile": "p", "selector": {"mac": ["52:54:00:00:00:02", "52:54:00:00:00:07"]}}
    in_directory.commands.run("group", "create", "-f", in_directory.commands.file("group.json", json.dumps(group)))
    assert "nodes.csv: line 3: mac 52:54:00:00:00:02 is in group other of profile p" in in_directory.refused()


def test_secrets_are_made_once_and_exported_as_talosctl_writes_them(talos: Talos) -> None:
    pytest.importorskip("cryptography")
    run, file = talos.commands.run, talos.commands.files / "secrets.yaml"
    made = run("talos", "secrets", "--cluster", "demo", "--export", str(file))
    assert 0 == made.code
    assert 6 == made.out.count("created")
    assert 0o600 == file.stat().st_mode & 0o777
    bundle = yaml.safe_load(file.read_text())
    assert {"cluster", "secrets", "trustdinfo", "certs"} == set(bundle)
    before = talos.listed()
    again = run("talos", "secrets", "--cluster", "demo", "-o", "json")
    assert {"kept"} == {one["change"] for one in json.loads(again.out)}
    assert before == talos.listed()
    exists = run("talos", "secrets", "--cluster", "demo", "--export", str(file))
    assert (1, True) == (exists.code, "cannot be written: File exists" in exists.err)


def test_secrets_of_a_file_are_stored_and_never_overwritten(in_directory: Talos) -> None:
    in_directory.commands.run(
        "talos", "secrets", "--cluster", "one", "--export", str(in_directory.commands.files / "one.yaml")
    )
    in_directory.commands.run(
        "talos", "secrets", "--cluster", "two", "--export", str(in_directory.commands.files / "two.yaml")
    )
    one, two = (str(in_directory.commands.files / name) for name in ("one.yaml", "two.yaml"))
    assert 0 == in_directory.commands.run("talos", "secrets", "--cluster", "demo", "-f", one).code
    again = in_directory.commands.run("talos", "secrets", "--cluster", "demo", "-f", one, "-o", "json")
    assert {"kept"} == {each["change"] for each in json.loads(again.out)}
    before = in_directory.listed()
    refused = in_directory.commands.run("talos", "secrets", "--cluster", "demo", "-f", two)
    assert (1, True) == (refused.code, "cluster demo has other secrets" in refused.err)
    assert before == in_directory.listed()


def test_verify_renders_every_node(talos: Talos, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("matchboxctl.talos.verify.talosctl", lambda: None)
    nobody = talos.commands.run("talos", "verify")
    assert (4, True) == (nobody.code, "no group has nodes of Talos" in nobody.err)
    talos.changes()
    own = "2 nodes verified by own checks, as talosctl is not on PATH"
    assert f"{own}: nothing found\n" == talos.commands.ok("talos", "verify", "--cluster", "demo")
    name = "demo-worker.yaml"
    text = talos.got("ignition", name)["config"].replace("type: worker", "type: controlplane")
    talos.commands.run("ignition", "create", "-f", talos.commands.file(name, text))
    talos.commands.run("secret", "delete", "talos/demo/certs/etcd", "--yes")
    wrong = talos.commands.run("talos", "verify", "-o", "json")
    assert 1 == wrong.code
    found = {one["group"]: one["problems"] for one in json.loads(wrong.out)["nodes"]}
    assert ["template 'demo-controlplane.yaml', line 49: secret: there is no secret 'talos/demo/certs/etcd'"] == found[
        "demo-cp-1"
    ]
    assert "machine.ca.key is missing" in found["demo-w-1"]
    assert not [secret for secret in SECRETS if secret in wrong.out + wrong.err]


def test_verify_renders_templates_that_use_what_machines_say_of_themselves(
    in_directory: Talos, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("matchboxctl.talos.verify.talosctl", lambda: None)
    in_directory.nodes = nodes_file(CP_1, W_1 | {"address": ""})
    in_directory.changes()
    text = in_directory.got("ignition", "demo-worker.yaml")["config"]
    name = '{{printf "%s-%s" .request.query.mac .request.query.uuid | quote}}'
    text = text.replace("debug: false", f"debug: false # {name}")
    in_directory.commands.ok("ignition", "create", "-f", in_directory.commands.file("demo-worker.yaml", text))
    group = {**in_directory.got("group", "demo-w-1"), "selector": {"arch": "arm64"}}
    in_directory.commands.run("group", "create", "-f", in_directory.commands.file("group.json", json.dumps(group)))
    assert "2 nodes verified" in in_directory.commands.ok("talos", "verify")


def test_verify_masks_secrets_that_are_stored_in_base64(in_directory: Talos, monkeypatch: pytest.MonkeyPatch) -> None:
    value = "a {{ long }} value"
    in_directory.worker = in_directory.worker.replace("machine:\n", f"machine:\n    env: {{TOKEN: '{value}'}}\n", 1)
    in_directory.changes()
    monkeypatch.setattr("matchboxctl.talos.verify.talosctl", lambda: "talosctl")
    monkeypatch.setattr(
        "matchboxctl.talos.verify.refusal", lambda _, config: f"bad: {value}" if value.encode() in config else ""
    )
    ended = in_directory.commands.run("talos", "verify")
    assert (1, True) == (ended.code, "bad: ***" in ended.out)
