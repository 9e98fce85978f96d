"""A data directory and its catalog, with each source of changes."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from matchboxctl.directory import catalog
from matchboxctl.directory.catalog import DirectoryCatalog, watch
from matchboxctl.directory.changes import Changes, Scan

WAYS: dict[str, Callable[[Path, Mapping[str, bytes]], Changes]] = {"best": watch, "scan": Scan}


class Data:
    """A data directory and the catalogue over it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.reports: list[str] = []
        self._catalog: DirectoryCatalog | None = None

    @property
    def catalog(self) -> DirectoryCatalog:
        if self._catalog is None:
            self._catalog = DirectoryCatalog(self.root, self.reports.append)
        return self._catalog

    def group(self, name: str, **fields: object) -> Path:
        return self.write(f"groups/{name}.json", json.dumps(fields))

    def write(self, path: str, text: str) -> Path:
        file = self.root / path
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
        return file

    def selected(self, **labels: str) -> str | None:
        selection = self.catalog.select(labels)
        return None if selection is None else selection.group.id


@contextmanager
def watched(
    way: Callable[[Path, Mapping[str, bytes]], Changes], root: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Data]:
    """A data directory whose catalog has this source of changes, until the body ends."""
    started: list[Changes] = []

    def watch_that_way(path: Path, seen: Mapping[str, bytes]) -> Changes:
        started.append(way(path, seen))
        return started[-1]

    monkeypatch.setattr(catalog, "watch", watch_that_way)
    try:
        yield Data(root)
    finally:
        for changes in started:
            changes.close()
