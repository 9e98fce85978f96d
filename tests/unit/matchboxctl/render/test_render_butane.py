"""What `matchboxctl render` shows of a Butane config, whose metadata are the profile's and whose group lists values."""

import json
from pathlib import Path

import pytest

from matchboxctl.main import main
from tests.support.data_files import write_files

SECRET = "hunter 2!"
LINES = 40
CONFIG = f"""\
variant: fcos
version: 1.5.0
storage:
  files:
    - path: /short
      contents: {{inline: "{{{{.api_token}}}}"}}
      bogus: 1
    - path: /long
      contents:
        inline: "{{{{.api_token}}}} {"all of it " * LINES}"
    - path: /harmless
      contents:
        inline: "{{{{.name | upper}}}} {"all of it " * LINES}"
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    group = {"profile": "p", "selector": {"mac": ["52:54:00:00:00:01", "52:54:00:00:00:02"]}}
    other = {"profile": "p", "selector": {"mac": ["52:54:00:00:00:03", "52:54:00:00:00:04"]}}
    profile = {"ignition_id": "p.yaml", "metadata": {"api_token": SECRET, "name": "node"}}
    files = {"groups/g.json": group, "groups/h.json": other, "profiles/p.json": profile}
    write_files(tmp_path, files)
    (tmp_path / "ignition").mkdir()
    (tmp_path / "ignition" / "p.yaml").write_text(CONFIG)
    return tmp_path


def rendered(root: Path, capsys: pytest.CaptureFixture[str], *options: str) -> str:
    label = "mac=52-54-00-00-00-02"
    assert 0 == main(["render", "ignition", "--label", label, "--data-path", str(root), *options])
    return capsys.readouterr().out


def test_butane_warnings_are_shown(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    warning = "warning at $.storage.files.0.bogus, line 7 col 7: unused key bogus"
    assert f"butane    {warning}" in rendered(root, capsys).splitlines()
    assert [warning] == json.loads(rendered(root, capsys, "-o", "json"))["butane"]


def test_secrets_are_masked_in_data_urls(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whole ones if they are compressed."""
    shown = json.loads(json.loads(rendered(root, capsys, "-o", "json"))["body"])
    open_ = json.loads(json.loads(rendered(root, capsys, "-o", "json", "--show-secrets"))["body"])
    sources, unmasked = (
        [file["contents"]["source"] for file in config["storage"]["files"]] for config in (shown, open_)
    )
    assert ["data:,***", "data:;base64,***"] == sources[:2]
    assert "data:,hunter%202!" == unmasked[0]
    assert unmasked[1].startswith("data:;base64,H4sI")
    assert unmasked[2] == sources[2]


def test_selector_lists_are_shown(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The data has the machine's own value."""
    found = json.loads(rendered(root, capsys, "-o", "json"))
    assert ["52:54:00:00:00:01", "52:54:00:00:00:02"] == found["group"]["selector"]["mac"]
    lacks = {"mac": ["52:54:00:00:00:03", "52:54:00:00:00:04"]}
    assert [{"id": "h", "lacks": lacks}] == found["other_groups"]
    assert ("52:54:00:00:00:02", "node") == (found["data"]["mac"], found["data"]["name"])
