"""What table and bucket will contain after an import, for the validation before it."""

from collections.abc import Sequence
from pathlib import Path

from lambda_matchbox.assets.released import ReleasedAssets
from lambda_matchbox.assets.stores import AssetFile, AssetStore, DirectoryListing
from lambda_matchbox.web import wiring
from matchboxctl.directory.assets import AssetDirectory
from matchboxctl.directory.files import DataDirectory
from matchboxctl.documents.table_documents import TableDocuments
from matchboxctl.secrets.stored_names import stored_secrets
from matchboxctl.store.mode import StoreSettings
from matchboxctl.validate.contents import Contents, contents_of

_RETRY_SECONDS = 10.0
# The import itself warns of these.
_WARNED = ("unreadable", "source")


def import_contents(
    store: StoreSettings, root: Path, directory: DataDirectory, secrets: Sequence[str], *, prune: bool
) -> Contents:
    """The contents of the directory; what they name may be in table and bucket, unless `prune` removes it there.

    `secrets` are imported, too; others may be there already.
    """
    contents = contents_of(root, directory)
    stored = wiring.stores(store.boot_settings(), store.credentials)
    documents = TableDocuments(store, _RETRY_SECONDS)
    pointers = stored.releases.pointers()
    own = _ImportedAssets(root / "assets", None if prune else stored.assets)
    return contents._replace(
        holds=lambda kind, name: contents.holds(kind, name) or (not prune and documents.holds(kind, name)),
        assets=ReleasedAssets(own, stored.releases, pointers, release=None),
        pointers=pointers,
        secrets=lambda: stored_secrets(store).with_names(secrets),
        found=[finding for finding in contents.found if finding.rule not in _WARNED],
    )


class _ImportedAssets(AssetDirectory):
    """The files of a directory, and those that are already stored."""

    def __init__(self, root: Path, stored: AssetStore | None) -> None:
        super().__init__(root)
        self._stored = stored

    def file(self, path: str) -> AssetFile | None:
        """The file at that path."""
        return super().file(path) or (None if self._stored is None else self._stored.file(path))

    def listing(self, path: str) -> DirectoryListing | None:
        """The files and directories in the directory at that path."""
        return super().listing(path) or (None if self._stored is None else self._stored.listing(path))
