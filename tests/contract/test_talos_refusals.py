"""What `matchboxctl talos import` refuses, and that it writes nothing then."""

import json

import pytest

from tests.contract.secret_commands import PARAMETER_STORE
from tests.contract.talos_cluster import CP_1, W_1, Talos
from tests.support.talos_files import KEY, SECRETS, VALUES, nodes_file, role_file


def test_all_mistakes_are_named_at_once(local_talos: Talos) -> None:
    key = "LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0tCg=="
    local_talos.worker = role_file("worker", k8s_key=key, os_crt="<cluster-ca-certificate>").replace(
        "kubelet:", "kubelt:", 1
    )
    local_talos.nodes = nodes_file(CP_1, W_1 | {"mac": "52-54-00-00-00-0x"}, W_1 | {"mac": CP_1["mac"]})
    errors = local_talos.refused().splitlines()
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


def test_key_that_a_later_talos_may_know_is_named_and_imported(local_talos: Talos) -> None:
    local_talos.worker = local_talos.worker.replace("machine:\n", "machine:\n    later: {a: b}\n", 1)
    ended = local_talos.commands.run(*local_talos.arguments())
    assert (0, "matchboxctl: worker.yaml: line 5: Talos 1.12 knows no key machine.later\n") == (ended.code, ended.err)
    assert "later: {a: b}" in local_talos.got("ignition", "demo-worker.yaml")["config"]


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        ("debug: false", f"debug: false # once {VALUES['machine-token']}", 2),
        ("    nodeLabels:", f"    sysctls:\n        x.y: ?{KEY['account']}\n    nodeLabels:", 25),
    ],
)
def test_secret_in_a_comment_or_another_value_is_named(local_talos: Talos, before: str, after: str, line: int) -> None:
    local_talos.worker = local_talos.worker.replace(before, after)
    error = " ".join(local_talos.refused().split())
    assert f"worker.yaml: line {line} has the value of a secret, " in error
    assert not [secret for secret in SECRETS if secret in error]


def test_files_of_different_clusters_are_refused(local_talos: Talos) -> None:
    local_talos.worker = role_file("worker", id="b3RoZXItaWQtYWFhYWFhYWFhYWFhYWFhYWFhYWFhYQ==")
    error = local_talos.refused()
    assert "worker.yaml: line 27: cluster.id is not that of controlplane.yaml: line 27: cluster.id" in error
    assert VALUES["cluster-id"] not in error


def test_machine_of_another_group_is_refused(local_talos: Talos) -> None:
    group = {"id": "other", "profile": "p", "selector": {"mac": ["52:54:00:00:00:02", "52:54:00:00:00:07"]}}
    local_talos.commands.run("group", "create", "-f", local_talos.commands.file("group.json", json.dumps(group)))
    assert "nodes.csv: line 3: mac 52:54:00:00:00:02 is in group other of profile p" in local_talos.refused()


def test_no_group_of_another_node_is_taken(local_talos: Talos) -> None:
    local_talos.changes()
    # The worker is called otherwise, and another has its name now.
    third = W_1 | {"mac": "52:54:00:00:00:03", "address": ""}
    local_talos.nodes = nodes_file(CP_1, W_1 | {"hostname": "w-2"}, third)
    assert {
        ("group", "demo-w-1"): ("changed", ["name", "metadata.hostname"]),
        ("group", "demo-w-1-52-54-00-00-00-03"): ("created", []),
    } == local_talos.changes()
    assert {} == local_talos.changes()
    other = {"id": "demo-w-4", "profile": "p", "selector": {"os": "x"}}
    local_talos.commands.run("group", "create", "-f", local_talos.commands.file("group.json", json.dumps(other)))
    local_talos.nodes += "52:54:00:00:00:04,w-4,worker,,\n"
    assert {("group", "demo-w-4-52-54-00-00-00-04"): ("created", [])} == local_talos.changes()


@pytest.mark.parametrize(("kind", "name"), [("groups", "demo-w-1"), ("profiles", "demo-worker")])
def test_document_that_was_edited_wrongly_is_not_replaced(local_talos: Talos, kind: str, name: str) -> None:
    local_talos.changes()
    assert local_talos.commands.data is not None
    file = local_talos.commands.data / kind / f"{name}.json"
    file.write_text(edited := file.read_text().replace(",", ",,"))
    ended = local_talos.commands.run(*local_talos.arguments())
    assert (1, "") == ended[:2]
    assert "correct it, or delete it to have a new one" in " ".join(ended.err.split())
    assert edited == file.read_text()


@pytest.mark.parametrize("secret_store", [PARAMETER_STORE], indirect=True)
def test_nothing_is_written_if_the_store_would_refuse_a_secret(talos: Talos) -> None:
    talos.worker += f"---\napiVersion: v1alpha1\nkind: RegistryAuthConfig\nname: ghcr.io\npassword: {'x' * 8192}\n"
    assert "secret 'talos/demo/other' has 8,2" in talos.refused()


def test_secret_that_cannot_be_read_is_named(local_talos: Talos) -> None:
    local_talos.changes()
    local_talos.commands.ok("secret", "set", "talos/demo/cluster", "-f", "-", stdin=b"- &a x\n- *a\n")
    assert "a secret of cluster demo is no document (line 2: not YAML: aliases" in local_talos.refused()
