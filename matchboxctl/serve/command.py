"""`matchboxctl serve`: the deployed app behind the ALB emulator, over a directory or over AWS."""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, NamedTuple

from aws_lambda_powertools import Logger

from lambda_matchbox.web.metrics import SERVICE
from lambda_matchbox.web.signatures import Signatures
from matchboxctl.cli.arguments import parse_address
from matchboxctl.cli.errors import UsageError
from matchboxctl.releases.source_stores import stores_in_directory, stores_in_table
from matchboxctl.rpc.settings import RpcSettings
from matchboxctl.serve.alb_emulator import ALBEmulator
from matchboxctl.serve.backends import Backend, Directories, directory_backend, store_backend, warn
from matchboxctl.serve.background_sync import BackgroundSync
from matchboxctl.serve.startup_banner import startup_banner
from matchboxctl.store.mode import StoreSettings

if TYPE_CHECKING:
    from lambda_matchbox.signing.key import SigningKey
    from matchboxctl.rpc.server import RpcServer


class ServeSettings(NamedTuple):
    """What `serve` serves and where: gRPC as well with `rpc`; image sources are synced with `sync`.

    `key` signs responses.
    """

    address: str
    log_level: str
    source: Directories | StoreSettings
    rpc: RpcSettings | None
    sync: bool
    key: "SigningKey | None"


def serve(settings: ServeSettings) -> None:
    """Serve until SIGINT or SIGTERM. Raises UsageError with one line that says what to change."""
    address = parse_address("--address", settings.address)
    backend = _backend(settings)
    rpc_server = None if settings.rpc is None else _rpc_server(settings.rpc, backend, settings.log_level)
    try:
        emulator = ALBEmulator(address, backend.app, backend.streams)
    except (OSError, OverflowError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"cannot listen on {settings.address}: {reason}") from error
    _shut_down_on_signal(emulator)
    first, *others = startup_banner(address._replace(port=emulator.server_port), backend.summary, backend.examples)
    for line in [first, *([] if rpc_server is None else rpc_server.lines), *others, *backend.warnings]:
        print(line, flush=True)
    with ExitStack() as stack:
        if settings.sync:
            stack.enter_context(_syncing(settings.source))
        if rpc_server is not None:
            rpc_server.start()
            stack.callback(rpc_server.stop)
        stack.enter_context(emulator)
        emulator.serve_forever(poll_interval=0.1)


def _backend(settings: ServeSettings) -> Backend:
    log = Logger(service=SERVICE, level=settings.log_level, stream=sys.stderr, use_rfc3339=True)
    signatures = None
    if settings.key is not None:
        log.info("signing", extra={"fingerprint": settings.key.fingerprint})
        signatures = Signatures(settings.key.binary, settings.key.armored)
    if isinstance(settings.source, Directories):
        return directory_backend(settings.source, log, signatures)
    return store_backend(settings.source, log, signatures)


def _rpc_server(settings: RpcSettings, backend: Backend, log_level: str) -> "RpcServer":
    # Imported here: gRPC is optional.
    from matchboxctl.rpc.command import rpc_server

    return rpc_server(settings, backend.documents(), log_level)


@contextmanager
def _syncing(source: Directories | StoreSettings) -> Iterator[None]:
    """Sync image sources in the background meanwhile."""
    if isinstance(source, Directories):
        sources = stores_in_directory(source.data_path).sources
        sync = BackgroundSync(sources, ["--data-path", str(source.data_path)], warn, known=sources().refused)
    else:
        sync = BackgroundSync(stores_in_table(source).sources, [], warn)
    sync.start()
    try:
        yield
    finally:
        sync.end()


def _shut_down_on_signal(emulator: ALBEmulator) -> None:
    def shut_down(*_: object) -> None:
        # shutdown() waits for the loop, which this handler interrupts.
        threading.Thread(target=emulator.shutdown).start()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, shut_down)
