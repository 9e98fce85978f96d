"""The commands on resources over an empty data directory."""

from pathlib import Path

import pytest

from tests.support.resource_commands import ResourceCommands


@pytest.fixture
def commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> ResourceCommands:
    files, data = tmp_path / "files", tmp_path / "data"
    files.mkdir()
    data.mkdir()
    monkeypatch.setenv("MATCHBOX_DATA_PATH", str(data))
    return ResourceCommands(files, capsysbinary, monkeypatch, {"MATCHBOX_DATA_PATH": str(data)}, data)
