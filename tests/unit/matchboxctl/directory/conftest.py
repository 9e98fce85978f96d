"""The history of a directory."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from matchboxctl.directory.history_file import DirectoryHistory


@pytest.fixture
def store(tmp_path: Path) -> Iterator[DirectoryHistory]:
    with closing(DirectoryHistory(tmp_path)) as store:
        yield store
