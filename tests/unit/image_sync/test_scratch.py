"""The directory for temporary files of a sync."""

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


def test_named_directory_is_emptied_and_removed(tmp_path: Path) -> None:
    (tmp_path / "under way").mkdir()
    (tmp_path / "under way" / "part").write_bytes(b"part")
    with emptied(tmp_path / "under way") as directory:
        assert (tmp_path / "under way", []) == (directory, list(directory.iterdir()))
        (directory / "part").write_bytes(b"part")
    assert [] == list(tmp_path.iterdir())


def test_system_directory_is_new_and_removed(temporary: Path) -> None:
    with emptied(None) as one, emptied(None) as other:
        assert one != other
        assert [temporary, temporary] == [one.parent, other.parent]
    assert [] == list(temporary.iterdir())


@pytest.mark.system
def test_directory_of_a_killed_sync_is_removed_by_the_next(temporary: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HELD], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        left = process.stdout.readline().strip()
        with emptied(None):
            assert ["part"] == [file.name for file in (temporary / left).iterdir()]
        process.send_signal(signal.SIGKILL)
    with emptied(None) as directory:
        assert [directory] == list(temporary.iterdir())
