"""Catalogs that gRPC reads and writes: a data directory, or table and bucket."""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from lambda_matchbox.catalog.groups import Group
from matchboxctl.directory.catalog import DirectoryCatalog
from matchboxctl.documents.directory_documents import DirectoryDocuments
from matchboxctl.documents.protocol import Documents
from matchboxctl.store.mode import StoreSettings

MAX_CALLS = 64
"""Concurrent calls. Terraform sends ten at a time, and each waits while the store is unavailable."""

MAX_RETRY_SECONDS = 120.0
"""How long calls to an unavailable store are retried, unless the client's deadline is earlier.

The provider takes any error of a Get for a resource that is gone, and plans to create it again.
"""


class EditableCatalog(Documents, Protocol):
    """Documents, and the selection among them."""

    def group_for(self, labels: Mapping[str, str] | None) -> Group | None:
        """The group selected for these labels; None for no machine at all."""

    def end(self) -> None:
        """Stop retrying calls to an unavailable store."""


class EditableDirectory(DirectoryDocuments):
    """The documents of a data directory that `catalog` indexes."""

    def __init__(self, root: Path, catalog: DirectoryCatalog) -> None:
        super().__init__(root)
        self._catalog = catalog

    def group_for(self, labels: Mapping[str, str] | None) -> Group | None:
        """The group that the index selects."""
        return self._catalog.group_for(labels)

    def end(self) -> None:
        """Nothing is retried here."""


def editable_table(store: StoreSettings) -> EditableCatalog:
    """The documents of table and bucket."""
    # Imported here: directory mode works without boto3.
    from matchboxctl.documents.table_documents import TableDocuments

    return TableDocuments(store, MAX_RETRY_SECONDS, MAX_CALLS)
