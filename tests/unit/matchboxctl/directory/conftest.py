"""A data directory, and the history of one."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from matchboxctl.directory.history_file import DirectoryHistory
from tests.unit.matchboxctl.directory.data_directory import WAYS, Data, watched


@pytest.fixture
def store(tmp_path: Path) -> Iterator[DirectoryHistory]:
    with closing(DirectoryHistory(tmp_path)) as store:
        yield store


@pytest.fixture(params=WAYS)
def data(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Data]:
    with watched(WAYS[request.param], tmp_path, monkeypatch) as data:
        yield data
