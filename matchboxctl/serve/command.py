"""`matchboxctl serve`: the deployed app behind a local stand-in for the balancer, over a directory or over AWS."""

import os
import secrets
import signal
import sys
import threading
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from aws_lambda_powertools import Logger

from boot_api.handler import wired
from lambda_matchbox.assets.file_server import Delivery
from lambda_matchbox.assets.released import ReleasedAssets
from lambda_matchbox.errors import StoreUnavailableError
from lambda_matchbox.web.alb import BODY_LIMIT
from lambda_matchbox.web.app import App
from lambda_matchbox.web.routes import Routes, Stores
from lambda_matchbox.web.signatures import Signatures
from matchboxctl.cli.arguments import parse_address
from matchboxctl.cli.errors import UsageError
from matchboxctl.directory.assets import AssetDirectory, SignedAddresses
from matchboxctl.directory.catalog import DirectoryCatalog
from matchboxctl.directory.releases import DirectoryReleases
from matchboxctl.releases.places import in_directory, in_stores
from matchboxctl.rpc.arguments import RpcSettings
from matchboxctl.serve.background_sync import BackgroundSync
from matchboxctl.serve.front import Front, Streams
from matchboxctl.serve.response_relay import ResponseRelay
from matchboxctl.serve.welcome import Listening, examples_of, shortcomings, welcome
from matchboxctl.store.check import found
from matchboxctl.store.mode import StoreSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambda_matchbox.signing.key import SigningKey
    from matchboxctl.rpc.editable_catalog import EditableCatalog
    from matchboxctl.rpc.server import RpcServer

_ADDRESS_LIFETIME = 3600


class Directories(NamedTuple):
    """What directory mode serves."""

    data_path: Path
    assets_path: Path


class _Service(NamedTuple):
    """What is put behind the front end, and what is said of it at the start. `documents` are what gRPC edits."""

    app: App
    streams: Streams | None
    documents: "Callable[[], EditableCatalog]"
    serving: str
    examples: list[str]
    shortcomings: list[str]


def serve(
    address: str,
    log_level: str,
    truth: Directories | StoreSettings,
    rpc: RpcSettings | None,
    *,
    sync: bool,
    key: "SigningKey | None",
) -> None:
    """Serve until SIGINT or SIGTERM, gRPC as well where it is asked for, with `sync` syncing image sources meanwhile.

    Answers are signed with `key`, if there is one.

    Raises UsageError with one line that says what to mend.
    """
    host, port = parse_address("--address", address)
    log = Logger(service="boot_api", level=log_level, stream=sys.stderr)
    signatures = None
    if key is not None:
        log.info("signing", extra={"fingerprint": key.fingerprint})
        signatures = key.signatures
    if isinstance(truth, Directories):
        service = _over_directories(truth, log, signatures)
    else:
        service = _over_stores(truth, log, signatures)
    editing = None if rpc is None else _rpc_server(rpc, service, log_level)
    try:
        front = Front((host, port), service.app, service.streams)
    except (OSError, OverflowError, UnicodeError) as error:
        raise UsageError(f"cannot listen on {address}: {getattr(error, 'strerror', None) or error}") from error
    _end_on_signal(front)
    first, *others = welcome(Listening(host, front.server_port), service.serving, service.examples)
    for line in [first, *([] if editing is None else editing.lines), *others, *service.shortcomings]:
        print(line, flush=True)
    syncing = _background_sync(truth) if sync else None
    with front:
        if syncing is not None:
            syncing.start()
        if editing is not None:
            editing.start()
        front.serve_forever(poll_interval=0.1)
    if editing is not None:
        editing.stop()
    if syncing is not None:
        syncing.end()


def _rpc_server(settings: RpcSettings, service: _Service, log_level: str) -> "RpcServer":
    # Imported where it is needed: gRPC is off unless asked for.
    from matchboxctl.rpc.command import rpc_server

    return rpc_server(settings, service.documents(), log_level)


def _directory_documents(data_path: Path, catalog: DirectoryCatalog) -> "EditableCatalog":
    from matchboxctl.rpc.editable_catalog import EditableDirectory

    documents = EditableDirectory(data_path, catalog)
    documents.remove_drafts()
    return documents


def _table_documents(store: StoreSettings) -> "EditableCatalog":
    from matchboxctl.rpc.editable_catalog import editable_table

    return editable_table(store)


def _background_sync(truth: Directories | StoreSettings) -> BackgroundSync:
    if isinstance(truth, Directories):
        read = in_directory(truth.data_path).read
        return BackgroundSync(read, ["--data-path", str(truth.data_path)], _tell, told=read().refused)
    return BackgroundSync(in_stores(truth).read, [], _tell)


def _over_directories(directories: Directories, log: Logger, signatures: Signatures | None) -> _Service:
    data_path, assets_path = directories
    addresses = SignedAddresses(secrets.token_bytes(32), _ADDRESS_LIFETIME)
    releases = DirectoryReleases(data_path / "releases", addresses)
    try:
        if not data_path.is_dir():
            raise UsageError(f"{data_path} is no directory: name matchbox's data directory with --data-path")
        for part in (data_path / "groups", data_path / "profiles"):
            if part.exists() and not part.is_dir():
                raise UsageError(f"{part} is no directory: it has a .json file for each of them")
        catalog = DirectoryCatalog(data_path, _tell, releases.pointers)
    except OSError as error:
        raise UsageError(f"{error.filename}: {error.strerror}") from error
    sources, refused, _ = in_directory(data_path).read()
    for line in refused:
        _tell(line)
    try:
        pointers = releases.pointers()
    except StoreUnavailableError as error:
        raise UsageError(str(error)) from error
    assets, answers = AssetDirectory(assets_path, addresses), ResponseRelay()
    delivery = Delivery(direct_limit=BODY_LIMIT, boundary=secrets.token_hex(30))
    return _Service(
        App(Routes(Stores(catalog, assets, releases, answers), delivery, signatures), log),
        Streams(addresses, assets, releases, answers),
        partial(_directory_documents, data_path, catalog),
        f"{data_path} (directory mode): {len(catalog)} groups, {sum(1 for _ in catalog.profiles())} profiles",
        examples_of(catalog),
        shortcomings(
            catalog,
            ReleasedAssets(assets, releases, pointers, release=None),
            assets_path,
            [source_id for source_id in sources if source_id not in pointers],
        ),
    )


def _over_stores(store: StoreSettings, log: Logger, signatures: Signatures | None) -> _Service:
    settings = store.boot_settings(os.environ)
    there = found(store, meanwhile="machines are told to ask again")
    app = wired(settings, store.credentials, log, signatures=signatures)
    documents = partial(_table_documents, store)
    return _Service(app, None, documents, f"{store.place} (store mode){there}", ["/ipxe"], [])


def _end_on_signal(front: Front) -> None:
    def end(*_: object) -> None:
        # shutdown() waits for the loop, which this handler interrupts.
        threading.Thread(target=front.shutdown).start()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)


def _tell(line: str) -> None:
    print(f"matchboxctl: {line}", file=sys.stderr, flush=True)
