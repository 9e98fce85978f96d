"""`matchboxctl talos verify` renders every node with its secrets."""

import json

import pytest

from tests.contract.talos_cluster import CP_1, W_1, Talos
from tests.support.talos_files import SECRETS, nodes_file


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
    local_talos: Talos, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("matchboxctl.talos.verify.talosctl", lambda: None)
    local_talos.nodes = nodes_file(CP_1, W_1 | {"address": ""})
    local_talos.changes()
    text = local_talos.got("ignition", "demo-worker.yaml")["config"]
    name = '{{printf "%s-%s" .request.query.mac .request.query.uuid | quote}}'
    text = text.replace("debug: false", f"debug: false # {name}")
    local_talos.commands.ok("ignition", "create", "-f", local_talos.commands.file("demo-worker.yaml", text))
    group = {**local_talos.got("group", "demo-w-1"), "selector": {"arch": "arm64"}}
    local_talos.commands.run("group", "create", "-f", local_talos.commands.file("group.json", json.dumps(group)))
    assert "2 nodes verified" in local_talos.commands.ok("talos", "verify")


def test_verify_masks_secrets_that_are_stored_in_base64(local_talos: Talos, monkeypatch: pytest.MonkeyPatch) -> None:
    value = "a {{ long }} value"
    local_talos.worker = local_talos.worker.replace("machine:\n", f"machine:\n    env: {{TOKEN: '{value}'}}\n", 1)
    local_talos.changes()
    monkeypatch.setattr("matchboxctl.talos.verify.talosctl", lambda: "talosctl")
    monkeypatch.setattr(
        "matchboxctl.talos.verify.refusal", lambda _, config: f"bad: {value}" if value.encode() in config else ""
    )
    ended = local_talos.commands.run("talos", "verify")
    assert (1, True) == (ended.code, "bad: ***" in ended.out)
