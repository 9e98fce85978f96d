"""The directory for the files of a sync that is under way."""

import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from lambda_matchbox.image_sync.scratch import emptied

HELD = """
import signal
from lambda_matchbox.image_sync.scratch import emptied
with emptied(None) as directory:
    (directory / "part").write_bytes(b"part")
    print(directory, flush=True)
    signal.pause()
"""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory where the system's temporary ones are made, in this process and in those that it starts."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


def test_a_named_directory(tmp_path: Path) -> None:
    """It is made and emptied, whatever was left in it, and gone afterwards."""
    (tmp_path / "under way").mkdir()
    (tmp_path / "under way" / "part").write_bytes(b"part")
    with emptied(tmp_path / "under way") as directory:
        assert (tmp_path / "under way", []) == (directory, list(directory.iterdir()))
        (directory / "part").write_bytes(b"part")
    assert [] == list(tmp_path.iterdir())


def test_one_of_the_systems(temporary: Path) -> None:
    """It is new for each sync, and gone afterwards."""
    with emptied(None) as one, emptied(None) as other:
        assert one != other
        assert [temporary, temporary] == [one.parent, other.parent]
    assert [] == list(temporary.iterdir())


def test_what_a_killed_sync_left(temporary: Path) -> None:
    """It stays while its sync lives, and is removed by the next one after a SIGKILL."""
    with subprocess.Popen([sys.executable, "-c", HELD], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        left = process.stdout.readline().strip()
        with emptied(None):
            assert ["part"] == [file.name for file in (temporary / left).iterdir()]
        process.send_signal(signal.SIGKILL)
    with emptied(None) as directory:
        assert [directory] == list(temporary.iterdir())
