"""Files that are read again only when they have changed."""

import os
import time
from pathlib import Path

import pytest

from lambda_matchbox.errors import StoreUnavailableError
from matchboxctl.directory.file_cache import FileCache

OLD = time.time_ns() - 10_000_000_000


class Reads:
    """A cache, and the contents that it parsed."""

    def __init__(self) -> None:
        self.parsed: list[bytes] = []
        self.cache = FileCache(self._load)

    def _load(self, name: str, path: Path, status: os.stat_result) -> str:
        content = path.read_bytes()
        self.parsed.append(content)
        if content == b"broken":
            raise ValueError(name)
        return content.decode()


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that were changed just now count as old."""
    monkeypatch.setattr("matchboxctl.directory.file_cache._SETTLED_NANOSECONDS", -(10**12))


@pytest.mark.usefixtures("settled")
def test_unchanged_file_is_parsed_once(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"one")
    reads = Reads()
    assert ["one", "one"] == [reads.cache.read("a", tmp_path / "a") for _ in range(2)]
    assert [b"one"] == reads.parsed


@pytest.mark.usefixtures("settled")
def test_every_way_to_change_a_file_is_seen(tmp_path: Path) -> None:
    """In place with the same size and times, by a rename, and by its removal."""
    file, reads = tmp_path / "a", Reads()
    file.write_bytes(b"one")
    os.utime(file, ns=(OLD, OLD))
    assert "one" == reads.cache.read("a", file)
    time.sleep(0.02)
    file.write_bytes(b"two")
    os.utime(file, ns=(OLD, OLD))
    assert "two" == reads.cache.read("a", file)
    (tmp_path / "b").write_bytes(b"six")
    (tmp_path / "b").rename(file)
    assert "six" == reads.cache.read("a", file)
    file.unlink()
    assert reads.cache.read("a", file) is None


def test_file_that_has_just_changed_is_read_again(tmp_path: Path) -> None:
    """Within a tick of the file system's clock it could change unseen."""
    (tmp_path / "a").write_bytes(b"one")
    reads = Reads()
    for _ in range(2):
        reads.cache.read("a", tmp_path / "a")
    assert [b"one", b"one"] == reads.parsed


@pytest.mark.usefixtures("settled")
def test_error_is_not_kept(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"broken")
    reads = Reads()
    for _ in range(2):
        with pytest.raises(ValueError, match="a"):
            reads.cache.read("a", tmp_path / "a")


def test_what_is_no_file_is_absent(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (
        tmp_path / "absent",
        tmp_path,
        tmp_path / "pipe",
        tmp_path / "a\0b",
        tmp_path / ("x" * 300),
    ):
        assert Reads().cache.read("a", path) is None


def test_unreadable_file_is_unavailable() -> None:
    """A regular file that no address of this process is mapped to."""
    with pytest.raises(StoreUnavailableError, match="cannot be read: Input/output error"):
        Reads().cache.read("a", Path("/proc/self/mem"))
