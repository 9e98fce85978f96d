"""Secrets in labels and errors of `matchboxctl render`."""

import json
from pathlib import Path

import pytest

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
