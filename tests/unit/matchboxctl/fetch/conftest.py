"""A server with releases, keys, and a data directory."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.release_server import ReleaseServer, public, release_server


@pytest.fixture
def server() -> Iterator[ReleaseServer]:
    with release_server() as server:
        yield server


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """A file with several keys."""
    file = tmp_path / "keys.asc"
    file.write_bytes(public("other", "flatcar", "fedora"))
    return file


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    return tmp_path / "data"
