"""Where are image sources and their releases, in either mode?"""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from lambda_matchbox.image_sync.sources import STAND_IN, ImageSources, image_sources
from lambda_matchbox.releases.pointers import Pointers
from lambda_matchbox.releases.store import ReleaseStore
from matchboxctl.cli.errors import UsageError
from matchboxctl.directory.releases import SCRATCH, DirectoryReleaseStore, read_pointers
from matchboxctl.store.mode import StoreSettings


class SourcePlace(NamedTuple):
    """What commands on sources work with.

    `name` says where it is; `read` reads the sources, `pointers` what is served of all; `store` gives the releases of
    one by its id, `scratch` the path of a directory for its files under way, None for one of the system's.
    """

    name: str
    read: Callable[[], ImageSources]
    pointers: Callable[[], Pointers]
    store: Callable[[str], ReleaseStore]
    scratch: Callable[[str], Path | None]


def in_directory(data_path: Path) -> SourcePlace:
    """Sources and releases of a data directory. Raises UsageError where there is none."""
    if not data_path.is_dir():
        raise UsageError(f"{data_path} is no directory: name matchbox's data directory with --data-path")
    releases = data_path / "releases"

    def read() -> ImageSources:
        files = sorted((data_path / "sources").glob("*.json"))
        unreadable: list[str] = []
        documents: dict[str, bytes] = {}
        for file in files:
            try:
                documents[file.stem] = file.read_bytes()
            except OSError as error:
                unreadable.append(f"{file}: cannot be read: {error.strerror}")
        found = image_sources(documents, "", f"{data_path}/sources/{{}}.json")
        named = found.named | {file.stem for file in files}
        return found._replace(refused=[*unreadable, *found.refused], named=named)

    return SourcePlace(
        f"{data_path} (directory mode)",
        read,
        lambda: read_pointers(releases),
        lambda source_id: DirectoryReleaseStore(releases, source_id),
        # On the releases' own file system, so that what was downloaded need not be copied.
        lambda source_id: releases / source_id / SCRATCH,
    )


def in_stores(store: StoreSettings, environment: Mapping[str, str] = os.environ) -> SourcePlace:
    """Sources and releases in table and bucket, and the source that STAND_IN has."""
    from lambda_matchbox.aws.releases.source_table import SourceTable
    from lambda_matchbox.aws.releases.store import TableReleaseStore

    dynamodb, s3 = store.dynamodb(), store.s3()
    table = SourceTable(dynamodb, store.table)

    def read() -> ImageSources:
        documents = {source_id: text.encode() for source_id, text in table.documents().items()}
        return image_sources(documents, environment.get(STAND_IN, ""))

    return SourcePlace(
        f"{store.place} (store mode)",
        read,
        table.pointers,
        lambda source_id: TableReleaseStore(dynamodb, s3, store.table, store.bucket, source_id),
        lambda source_id: None,  # noqa: ARG005 (the same for each)
    )
