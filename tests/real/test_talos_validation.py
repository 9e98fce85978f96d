"""Talos' own validation of what is rendered for its machines, as `matchboxctl validate` asks it."""

import base64
import os
from pathlib import Path

import pytest

from tests.rigs.talos_machinery import talosctl
from tests.unit.matchboxctl.validate.written_data import booting, found

pytestmark = pytest.mark.nightly

ARGS = ["talos.config=${cwduri}ignition?mac=${mac:hexhyp}"]
CERTIFICATE = base64.b64encode(b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n").decode()
TOKEN = "abcdef.0123456789abcdef"
WORKER = f"""version: v1alpha1
machine:
  type: worker
  token: {TOKEN}
  ca: {{crt: {CERTIFICATE}}}
  install: {{disk: /dev/sda}}
cluster:
  controlPlane: {{endpoint: "https://10.20.13.100:6443"}}
  token: {TOKEN}
"""


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        ("", "", ""),
        ("install: {disk: /dev/sda}", f"tokn: {TOKEN}", "unknown keys machine.tokn"),
        ("install: {disk: /dev/sda}", "install: {}", "either install disk or diskSelector should be defined"),
        ('"https://10.20.13.100:6443"', TOKEN, "v1alpha1.Config: invalid controlplane endpoint"),
        (f"crt: {CERTIFICATE}", f"crt: {TOKEN}", "line 5: illegal base64 data"),
        ("cluster:", f"cluster: {TOKEN}\nx:", "line 7: cannot unmarshal !!str *** into v1alpha1.ClusterConfig"),
    ],
)
def test_talos_refuses_without_showing_a_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: str, after: str, reason: str
) -> None:
    monkeypatch.setenv("PATH", f"{talosctl().parent}{os.pathsep}{os.environ['PATH']}")
    template = {"ignition/t": WORKER.replace(before, after)}
    findings = found(tmp_path, {**booting(ARGS, ignition_id="t"), **template})
    assert [("talosctl", "ignition/t")] * bool(reason) == [(one.rule, one.file) for one in findings]
    assert all(reason in one.message and TOKEN not in one.message for one in findings), findings
