"""`matchboxctl talos secrets` makes the secrets of a cluster once."""

import json

import pytest
import yaml

from tests.contract.talos_cluster import Talos


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


def test_secrets_of_a_file_are_stored_and_never_overwritten(local_talos: Talos) -> None:
    local_talos.commands.run(
        "talos", "secrets", "--cluster", "one", "--export", str(local_talos.commands.files / "one.yaml")
    )
    local_talos.commands.run(
        "talos", "secrets", "--cluster", "two", "--export", str(local_talos.commands.files / "two.yaml")
    )
    one, two = (str(local_talos.commands.files / name) for name in ("one.yaml", "two.yaml"))
    assert 0 == local_talos.commands.run("talos", "secrets", "--cluster", "demo", "-f", one).code
    again = local_talos.commands.run("talos", "secrets", "--cluster", "demo", "-f", one, "-o", "json")
    assert {"kept"} == {each["change"] for each in json.loads(again.out)}
    before = local_talos.listed()
    refused = local_talos.commands.run("talos", "secrets", "--cluster", "demo", "-f", two)
    assert (1, True) == (refused.code, "cluster demo has other secrets" in refused.err)
    assert before == local_talos.listed()
