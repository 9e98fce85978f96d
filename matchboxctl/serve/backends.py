"""The backends of `serve`: the deployed app over a data directory, or over table and bucket."""

import secrets
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, closing, nullcontext, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from lambda_matchbox.assets.file_server import Delivery
from lambda_matchbox.errors import StoreUnavailableError
from lambda_matchbox.web.access_log import Log
from lambda_matchbox.web.app import App
from lambda_matchbox.web.routes import Routes
from lambda_matchbox.web.signatures import Signatures
from matchboxctl.cli.errors import UsageError
from matchboxctl.cli.plurals import counted
from matchboxctl.directory.catalog import DirectoryCatalog
from matchboxctl.directory.drafts import remove_drafts
from matchboxctl.directory.history_file import DirectoryHistory
from matchboxctl.directory.secrets import DIRECTORY
from matchboxctl.serve.directory_stores import directory_stores
from matchboxctl.serve.history_writer import HistoryWriter, RecordedLog
from matchboxctl.serve.startup_banner import example_paths
from matchboxctl.store.mode import StoreSettings

if TYPE_CHECKING:
    from matchboxctl.rpc.editable_catalog import EditableCatalog

_DAY = 24 * 3600
_HISTORY_BUSY_SECONDS = 10.0
_DIRECT_LIMIT = 65_536
"""The size up to which an asset is held in memory for a client that may never read it; others are sent from the
file."""


class Directories(NamedTuple):
    """The directories that directory mode serves."""

    data_path: Path
    assets_path: Path


class Backend(NamedTuple):
    """An app, and what the startup banner says about it. `documents` are what gRPC edits.

    `after_fork` prepares the app in another process; `waits` says whether its responses wait for other servers. Each
    process serves within `background`.
    """

    app: App
    waits: bool
    after_fork: Callable[[], None]
    documents: "Callable[[], EditableCatalog]"
    summary: str
    examples: Sequence[str]
    background: AbstractContextManager[object] = nullcontext()


def directory_backend(
    directories: Directories, log: Log, signatures: Signatures | None, base_url: str = "", *, history_days: int = 0
) -> Backend:
    """The app over a data directory, with a history of so many days or none. Raises UsageError."""
    data_path, assets_path = directories
    secrets_path = data_path / DIRECTORY
    if secrets_path.exists() and secrets_path.resolve().is_relative_to(assets_path.resolve()):
        raise UsageError(
            f"{secrets_path} is in the directory of assets, {assets_path}, which anyone may get: move the assets "
            "into a directory of their own, and name that with --assets-path"
        )
    remove_drafts(data_path)
    opened = directory_stores(data_path, assets_path, warn, keeps_index=True)
    catalog = opened.catalog
    try:
        opened.releases.pointers()
    except StoreUnavailableError as error:
        raise UsageError(str(error)) from error
    for problem in opened.secrets.problems():
        warn(problem)
    background: AbstractContextManager[object] = nullcontext()
    if history_days:
        background = writer = HistoryWriter(partial(_directory_history, data_path, history_days), warn)
        log = RecordedLog(log, writer.put)
    delivery = Delivery(direct_limit=_DIRECT_LIMIT, boundary=secrets.token_hex(30))
    return Backend(
        App(Routes(opened.stores, delivery, signatures, base_url=base_url), log),
        waits=False,
        after_fork=catalog.watch_again,
        documents=partial(_directory_documents, data_path, catalog),
        summary=f"{data_path} (directory mode): {counted(len(catalog), 'group')}, "
        f"{counted(sum(1 for _ in catalog.profiles()), 'profile')}",
        examples=example_paths(catalog),
        background=background,
    )


def store_backend(
    store: StoreSettings, log: Log, signatures: Signatures | None, base_url: str = "", *, history_days: int = 0
) -> Backend:
    """The app over table and bucket, with a history where there is a table for it. Raises UsageError."""
    settings = store.boot_settings()._replace(base_url=base_url)
    # Imported here: directory mode starts without clients of AWS.
    from lambda_matchbox.web import wiring
    from matchboxctl.store.check import checked_summary

    summary = f"{store.description} (store mode){checked_summary(store, meanwhile='requests get a 503')}"
    background: AbstractContextManager[object] = nullcontext()
    if history_days and store.history_table:
        from matchboxctl.store.history import table_history

        background = writer = HistoryWriter(lambda: nullcontext(table_history(store, history_days)), warn)
        log = RecordedLog(log, writer.put)
    app = wiring.app(settings, wiring.stores(settings, store.credentials), log, signatures=signatures)
    return Backend(
        app,
        waits=True,
        after_fork=lambda: None,
        documents=partial(_table_documents, store),
        summary=summary,
        examples=["/ipxe"],
        background=background,
    )


def warn(line: str) -> None:
    """Print a warning to standard error."""
    # A log on a full disk fails no response.
    with suppress(OSError):
        print(f"matchboxctl: {line}", file=sys.stderr, flush=True)


def _directory_history(data_path: Path, days: int) -> "closing[DirectoryHistory]":
    return closing(DirectoryHistory(data_path, days * _DAY, _HISTORY_BUSY_SECONDS))


def _directory_documents(data_path: Path, catalog: DirectoryCatalog) -> "EditableCatalog":
    from matchboxctl.rpc.editable_catalog import EditableDirectory

    return EditableDirectory(data_path, catalog)


def _table_documents(store: StoreSettings) -> "EditableCatalog":
    from matchboxctl.rpc.editable_catalog import editable_table

    return editable_table(store)
