"""`matchboxctl serve`: the deployed app behind a local stand-in for the balancer, over a directory or over AWS."""

import os
import secrets
import signal
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from aws_lambda_powertools import Logger

from aws_stores.aws_errors import AWSError
from aws_stores.dynamodb import DynamoDB
from aws_stores.http_client import HttpClient
from aws_stores.s3 import S3
from aws_stores.table import KEY, SHAPES, shapes_in
from boot_api.alb import BODY_LIMIT
from boot_api.app import App
from boot_api.handler import wired
from boot_api.routes import Routes, Stores
from boot_api.settings import Settings
from boot_api.signatures import Signatures
from matchbox.assets import Delivery
from matchbox.errors import StoreUnavailableError
from matchbox.released_assets import ReleasedAssets
from matchboxctl.answer_relay import AnswerRelay
from matchboxctl.asset_files import AssetDirectory, SignedAddresses
from matchboxctl.background_sync import BackgroundSync
from matchboxctl.directory import DirectoryCatalog
from matchboxctl.front import Front, Streams
from matchboxctl.release_directory import ReleaseDirectory
from matchboxctl.source_places import in_directory, in_stores
from matchboxctl.store_mode import StoreSettings
from matchboxctl.usage import UsageError
from matchboxctl.welcome import Listening, examples_of, shortcomings, welcome

if TYPE_CHECKING:
    from boot_api.signing_key import SigningKey

_ADDRESS_LIFETIME = 3600
_CHECK_SECONDS = 5.0


class Directories(NamedTuple):
    """What directory mode serves."""

    data_path: Path
    assets_path: Path


class _Service(NamedTuple):
    """What is put behind the front end, and what is said of it at the start."""

    app: App
    streams: Streams | None
    serving: str
    examples: list[str]
    shortcomings: list[str]


def serve(
    address: str, log_level: str, truth: Directories | StoreSettings, *, sync: bool, key: "SigningKey | None"
) -> None:
    """Serve until SIGINT or SIGTERM, with `sync` syncing the image sources meanwhile, with `key` signing.

    Raises UsageError with one line that says what to mend.
    """
    host, port = _host_and_port(address)
    log = Logger(service="boot_api", level=log_level, stream=sys.stderr)
    signatures = None
    if key is not None:
        log.info("signing", extra={"fingerprint": key.fingerprint})
        signatures = key.signatures
    if isinstance(truth, Directories):
        service = _over_directories(truth, log, signatures)
    else:
        service = _over_stores(truth, log, signatures)
    try:
        front = Front((host, port), service.app, service.streams)
    except (OSError, OverflowError, UnicodeError) as error:
        raise UsageError(f"cannot listen on {address}: {getattr(error, 'strerror', None) or error}") from error
    _end_on_signal(front)
    for line in [
        *welcome(Listening(host, front.server_port), service.serving, service.examples),
        *service.shortcomings,
    ]:
        print(line, flush=True)
    syncing = _background_sync(truth) if sync else None
    with front:
        if syncing is not None:
            syncing.start()
        front.serve_forever(poll_interval=0.1)
    if syncing is not None:
        syncing.end()


def _background_sync(truth: Directories | StoreSettings) -> BackgroundSync:
    if isinstance(truth, Directories):
        read = in_directory(truth.data_path).read
        return BackgroundSync(read, ["--data-path", str(truth.data_path)], _tell, told=read().refused)
    return BackgroundSync(in_stores(truth).read, [], _tell)


def _over_directories(directories: Directories, log: Logger, signatures: Signatures | None) -> _Service:
    data_path, assets_path = directories
    addresses = SignedAddresses(secrets.token_bytes(32), _ADDRESS_LIFETIME)
    releases = ReleaseDirectory(data_path / "releases", addresses)
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
    assets, answers = AssetDirectory(assets_path, addresses), AnswerRelay()
    delivery = Delivery(direct_limit=BODY_LIMIT, boundary=secrets.token_hex(30))
    return _Service(
        App(Routes(Stores(catalog, assets, releases, answers), delivery, signatures), log),
        Streams(addresses, assets, releases, answers),
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
    given = {
        "MATCHBOX_TABLE": store.table,
        "MATCHBOX_BUCKET": store.bucket,
        "AWS_REGION": store.region,
        "AWS_ENDPOINT_URL_DYNAMODB": store.dynamodb_endpoint or "",
        "AWS_ENDPOINT_URL_S3": store.s3_endpoint or "",
    }
    try:
        settings = Settings.from_environment(os.environ | given)
    except ValueError as error:
        raise UsageError(str(error)) from error
    found = _found(store)
    app = wired(settings, store.credentials, log, signatures=signatures)
    return _Service(app, None, f"{store.place} (store mode){found}", ["/ipxe"], [])


def _found(store: StoreSettings) -> str:
    """What is there, in a few words. Raises UsageError where table or bucket is not there or refused."""
    http, end = HttpClient(), time.monotonic() + _CHECK_SECONDS
    dynamodb = DynamoDB(store.dynamodb_endpoint, store.region, store.credentials, http)
    bucket = S3(store.s3_endpoint, store.region, store.bucket, store.credentials, http)
    try:
        shapes = shapes_in(dynamodb.get_item(store.table, {KEY: SHAPES}, end))
        bucket.list("assets/", deadline=end)
    except AWSError as error:
        absent = error.code in ("ResourceNotFoundException", "NoSuchBucket")
        advice = "make them with `matchboxctl init`" if absent else "see to the permissions of these credentials"
        raise UsageError(f"{store.place}: {error}; {advice}") from error
    except StoreUnavailableError as error:
        # A restart while AWS is away must not need another one when it is back.
        _tell(f"{store.place}: {error}; machines are told to ask again until it answers")
        return ""
    return f": {len(shapes)} selector shapes"


def _end_on_signal(front: Front) -> None:
    def end(*_: object) -> None:
        # shutdown() waits for the loop, which this handler interrupts.
        threading.Thread(target=front.shutdown).start()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)


def _tell(line: str) -> None:
    print(f"matchboxctl: {line}", file=sys.stderr, flush=True)


def _host_and_port(address: str) -> tuple[str, int]:
    host, separator, port = address.rpartition(":")
    if not separator or not (port.isascii() and port.isdigit()) or int(port) > 65535:
        raise UsageError(f"--address {address!r} is not HOST:PORT")
    return host.strip("[]") or "0.0.0.0", int(port)  # noqa: S104 (as matchbox reads `:8080`)
