"""Secrets in labels and errors of `matchboxctl render`."""

import json
from pathlib import Path

import pytest

from tests.support.data_files import write_files
from tests.unit.matchboxctl.render.rendered import Rendered

pytestmark = pytest.mark.system


def test_secret_labels_are_masked(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Ignored labels too."""
    (tmp_path / "groups").mkdir()
    (tmp_path / "groups" / "g.json").write_text('{"selector": {"role": "worker"}}')
    rendered = Rendered(capsys, "--data-path", str(tmp_path))
    labels = ("--label", "token=swordfish", "--label", "token=marlin", "--label", "note=a-marlin")
    for output in ("text", "json"):
        code, text = rendered("metadata", *labels, "--label", "mac=swordfish", "-o", output, role="worker")
        assert (0, "") == (code, rendered.error)
        for secret in ("swordfish", "marlin"):
            assert secret not in text.lower()
    assert "swordfish" in rendered("metadata", *labels, "--show-secrets", role="worker")[1]


def test_standard_error_is_masked(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    files = {
        "groups/g.json": {"profile": "p-marlin", "selector": {"role": "a"}, "metadata": {"token": "marlin"}},
        "groups/torn.json": {"selector": {"mac": "swordfish"}},
    }
    (tmp_path / "groups").mkdir()
    for path, document in files.items():
        (tmp_path / path).write_text(json.dumps(document))
    rendered = Rendered(capsys, "--data-path", str(tmp_path))
    code, text = rendered("ipxe", role="a", password="swordfish")
    assert (1, False) == (code, "marlin" in text + rendered.error or "swordfish" in text + rendered.error)
    assert "matchboxctl: 404: group 'g' names profile 'p-***', which is absent\n" in rendered.error
    assert "invalid MAC address '***'" in rendered.error
    rendered("ipxe", "--show-secrets", role="a", password="swordfish")
    assert ("marlin" in rendered.error, "swordfish" in rendered.error) == (True, True)


TALOS = """\
version: v1alpha1
machine:
  type: worker
  token: {{secret "talos/token"}}
  ca:
    crt: LS0tcert
    key: CANARY-in-the-template
  files:
  - content: {{secret "talos/token" "a.b" | b64enc}}
    path: /{{sha256sum (secret "talos/token")}}
  nodeLabels: {a: x-{{secret "talos/token" | b64dec}}}
"""


def using_secrets(root: Path, policy: dict[str, object]) -> None:
    write_files(
        root,
        {
            "groups/g.json": {"profile": "p", "selector": {"role": "worker"}, "boot": policy},
            "profiles/p.json": {"ignition_id": "t"},
            "ignition/t": TALOS,
            "secrets/talos/token": "CANARY",
        },
    )


@pytest.mark.parametrize("flags", [(), ("--show-secrets",)])
def test_secrets_by_name_are_never_read(capsys: pytest.CaptureFixture[str], tmp_path: Path, flags: list[str]) -> None:
    """Their file could not even be used: others may read it."""
    using_secrets(tmp_path, {"token": True})
    rendered = Rendered(capsys, "--data-path", str(tmp_path), *flags)
    code, text = rendered("ignition", role="worker")
    assert (0, "") == (code, rendered.error)
    assert "secrets   talos/token: not read, tried with placeholders, shown as ***" in text
    for line in ("  token: ***", "    crt: LS0tcert", "  - content: ***", "    path: /***", "  nodeLabels: {a: x-***}"):
        assert line in text.splitlines()
    assert bool(flags) == ("CANARY-in-the-template" in text)
    assert "placeholder-" not in text
    document = rendered.document("ignition", role="worker")
    assert ["talos/token"] == document["secrets"]
    assert "placeholder-" not in str(document)
    assert bool(flags) == ("CANARY" in str(document))


def test_secret_without_a_token_is_the_error_that_machines_get(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    using_secrets(tmp_path, {"approve": True})
    rendered = Rendered(capsys, "--data-path", str(tmp_path))
    code, text = rendered("ignition", role="worker")
    assert 1 == code
    assert "talos/token" in rendered.error
    assert '"token": true' in rendered.error
    assert "CANARY" not in text + rendered.error


def test_error_that_may_be_that_of_a_placeholder_says_so(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    using_secrets(tmp_path, {"token": True})
    write_files(tmp_path, {"ignition/t": '{{(secret "talos/token" | fromJson).field}}'})
    code, text = Rendered(capsys, "--data-path", str(tmp_path))("ignition", role="worker")
    assert 1 == code
    assert "secrets   talos/token: not read, tried with placeholders" in text


def test_kernel_arguments_are_masked(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    args = ["console=ttyS0", "inst.password=CANARY", "config=${base}ignition?token=${token}"]
    boot = {"kernel": "/assets/k", "args": args}
    write_files(tmp_path, {"groups/g.json": {"profile": "p"}, "profiles/p.json": {"boot": boot}})
    rendered = Rendered(capsys, "--data-path", str(tmp_path))
    text = rendered("ipxe")[1]
    assert "console=ttyS0 inst.password=*** config=${base}ignition?token=${token}" in text
    assert "CANARY" not in text + str(rendered.document("ipxe"))
    assert "CANARY" in str(rendered.document("ipxe", "--show-secrets"))
