"""Image sources and their releases in a data directory, or in table and bucket."""

import os
from pathlib import Path

from lambda_matchbox.image_sync.sources import STAND_IN, ImageSources, SourceStores, image_sources
from matchboxctl.cli.arguments import check_data_path
from matchboxctl.directory.releases import SCRATCH, DirectoryReleaseStore, read_pointers
from matchboxctl.store.mode import StoreSettings


def source_ids(stores: SourceStores) -> set[str]:
    """The ids of all sources, and of removed ones whose releases are still served."""
    return {*stores.sources().named, *stores.pointers()}


def source_stores(store: StoreSettings | Path) -> SourceStores:
    """Sources and releases in either mode. Raises UsageError."""
    return stores_in_directory(store) if isinstance(store, Path) else stores_in_table(store)


def stores_in_directory(data_path: Path) -> SourceStores:
    """Sources and releases of a data directory. Raises UsageError where it does not exist."""
    check_data_path(data_path)
    releases = data_path / "releases"

    def sources() -> ImageSources:
        files = sorted((data_path / "sources").glob("*.json"))
        unreadable: list[str] = []
        documents: dict[str, bytes] = {}
        for file in files:
            try:
                documents[file.stem] = file.read_bytes()
            except OSError as error:
                unreadable.append(f"cannot read {file}: {error.strerror}")
        found = image_sources(documents, "", f"{data_path}/sources/{{}}.json")
        named = found.named | {file.stem for file in files}
        return found._replace(refused=[*unreadable, *found.refused], named=named)

    return SourceStores(
        f"{data_path} (directory mode)",
        sources,
        lambda: read_pointers(releases),
        lambda source_id: DirectoryReleaseStore(releases, source_id),
        # On the file system of the releases, so that downloaded files need not be copied.
        lambda source_id: releases / source_id / SCRATCH,
    )


def stores_in_table(store: StoreSettings) -> SourceStores:
    """Sources and releases in table and bucket, and the source in STAND_IN."""
    from lambda_matchbox.image_sync.table_stores import table_stores

    return table_stores(
        f"{store.description} (store mode)",
        store.light_clients(),
        os.environ.get(STAND_IN, ""),
        copies_required=store.release_copies,
    )
