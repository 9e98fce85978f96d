"""What the services need of the place that they edit: documents, and which group a machine is given."""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from lambda_matchbox.catalog.groups import Group
from matchboxctl.directory.catalog import DirectoryCatalog
from matchboxctl.documents.directory_documents import DirectoryDocuments
from matchboxctl.documents.protocol import Documents


class Edited(Documents, Protocol):
    """Documents, of which machines are given some."""

    def group_for(self, labels: Mapping[str, str] | None) -> Group | None:
        """The group that a machine with these labels is given; None is no machine at all."""

    def end(self) -> None:
        """Let no call wait any longer for a store that is away."""


class IndexedDirectory(DirectoryDocuments):
    """The documents of a data directory, which `catalog` indexes."""

    def __init__(self, root: Path, catalog: DirectoryCatalog) -> None:
        super().__init__(root)
        self._catalog = catalog

    def group_for(self, labels: Mapping[str, str] | None) -> Group | None:
        """The group that the index has for these labels."""
        return self._catalog.group_for(labels)

    def end(self) -> None:
        """Nothing waits here."""
