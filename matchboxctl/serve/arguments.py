"""`matchboxctl serve`, whose flags are matchbox's."""

import math
import os
from pathlib import Path

import click

from matchboxctl import __version__
from matchboxctl.cli.commands import Command
from matchboxctl.cli.errors import UsageError
from matchboxctl.cli.options import MODES, boolean, flag, is_given, log_flags, store_flags
from matchboxctl.log.settings import LogSettings
from matchboxctl.rpc.arguments import rpc_flags, rpc_settings

_COUNT = click.IntRange(1, 9_999_999)
_CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1


@click.command(
    cls=Command,
    epilog=MODES,
    examples=["matchboxctl serve --address 0.0.0.0:8080 --data-path DIR"],
)
@flag("--address", "HOST:PORT", "where to listen", "127.0.0.1:8080")
@store_flags("directory with groups/, profiles/, ignition/, cloud/, generic/")
@flag("--assets-path", "DIR", "directory of the files below /assets/", shown="assets/ in the data directory")
@flag(
    "--key-ring-path",
    "FILE",
    "OpenPGP key ring whose first key signs .sig and .asc; its passphrase is in MATCHBOX_PASSPHRASE",
    shown="none",
)
@click.option("--sync", is_flag=True, help="sync the image sources at the start and at their intervals")
@flag(
    "--history-days",
    "N",
    "days for which the history has what machines requested, 0 for none",
    None,
    shown="30, or the stack's HistoryRetention",
    type=click.IntRange(0, 3650),
)
@flag(
    "--host-names",
    "NAMES",
    "answer requests for these host names only, separated by commas; addresses are always answered",
    shown="any",
)
@flag("--max-connections", "N", "connections that may be open, in each process", 16384, type=_COUNT)
@flag(
    "--max-connections-per-address",
    "N",
    "connections that may be open from one address, in each process",
    1024,
    type=_COUNT,
)
@flag("--grace", "SECONDS", "time that downloads have to end after SIGTERM", 8, type=click.FloatRange(0, 86400))
@flag("--processes", "N", "processes that share the address", min(_CORES, 2), type=_COUNT)
@flag("--web-ssl", "BOOL", "serve https in place of http", "false", type=boolean, is_flag=False, flag_value="true")
@flag("--https-address", "HOST:PORT", "where to serve https beside http", shown="off")
@flag(
    "--web-cert-file",
    "FILE",
    "certificate of https, with those between it and its authority, in PEM; a new one is read within a second",
    "/etc/matchbox/ssl/server.crt",
    type=Path,
)
@flag(
    "--web-key-file",
    "FILE",
    "its key, in PEM without a passphrase",
    "/etc/matchbox/ssl/server.key",
    type=Path,
)
@flag(
    "--base-url",
    "URL",
    "address at which machines with a token get their configurations, such as https://boot.example.com:8443",
    shown="where they got their script",
)
@flag("--metrics-address", "HOST:PORT", "where Prometheus gets metrics, at /metrics", shown="off")
@flag(
    "--console", "HOST:PORT", "where operators get a console of the data directory, such as 127.0.0.1:8090", shown="off"
)
@rpc_flags("")
@log_flags
@click.version_option(__version__, message="%(version)s")
def serve(
    *,
    address: str,
    data_path: str,
    stack: str,
    assets_path: str,
    key_ring_path: str,
    sync: bool,
    history_days: int | None,
    host_names: str,
    max_connections: int,
    max_connections_per_address: int,
    grace: float,
    processes: int,
    log_level: str,
    log_format: str | None,
    web_ssl: bool,
    https_address: str,
    web_cert_file: Path,
    web_key_file: Path,
    base_url: str,
    metrics_address: str,
    console: str,
    rpc_address: str,
    **files: Path,
) -> None:
    """Answer boot requests over HTTP. Changes of the data directory take effect with the next request."""
    from lambda_matchbox.web.settings import checked_base_url
    from matchboxctl.serve.backends import Directories
    from matchboxctl.serve.certificate import CertificateFiles
    from matchboxctl.serve.command import serve
    from matchboxctl.serve.key_ring import unlocked_key
    from matchboxctl.serve.settings import HttpSettings, HttpsSettings, ServeSettings
    from matchboxctl.store.mode import DAYS, StoreSettings, chosen_store

    source: Directories | StoreSettings | Path = chosen_store(data_path, stack)
    if isinstance(source, Path):
        source = Directories(source, _assets_path(assets_path, source))
    elif assets_path:
        raise UsageError(
            "--assets-path (MATCHBOX_ASSETS_PATH) cannot be combined with MATCHBOX_TABLE and MATCHBOX_BUCKET, or "
            "--stack, whose assets are in the bucket: unset one of them"
        )
    if console and isinstance(source, StoreSettings):
        raise UsageError("--console is for directory mode: run `matchboxctl console` beside this one")
    if history_days is None:
        history_days = source.history_days if isinstance(source, StoreSettings) else DAYS
    # As with matchbox, the passphrase is read from the environment only.
    passphrase = os.environ.get("MATCHBOX_PASSPHRASE", "")
    key = unlocked_key(key_ring_path, passphrase) if key_ring_path else None
    try:
        base = checked_base_url(base_url)
    except ValueError as error:
        raise UsageError(f"--base-url: {error}") from error
    if math.isnan(grace):
        raise UsageError("--grace (MATCHBOX_GRACE) must be a number of seconds")
    names = {name.strip().lower() for name in host_names.split(",") if name.strip()}
    http = HttpSettings(max_connections, max_connections_per_address, grace, names)
    if web_ssl and https_address:
        raise UsageError("--web-ssl serves https in place of http, and --https-address beside it: use one of them")
    certificate = CertificateFiles(web_cert_file, web_key_file)
    https = HttpsSettings(certificate, https_address) if web_ssl or https_address else None
    log = LogSettings(log_level, log_format or "")
    rpc = rpc_settings(rpc_address, **files)
    settings = ServeSettings(
        address, http, https, processes, log, source, rpc, sync, history_days, key, base, metrics_address
    )
    serve(settings._replace(console_address=console))


def _assets_path(given: str, data_path: Path) -> Path:
    """The given directory of assets, which must exist; none for an empty flag, as with matchbox. Raises UsageError."""
    if not given:
        return Path(os.devnull) if is_given("assets_path") else data_path / "assets"
    # isdir is false, where is_dir raises, for a directory that may not be searched.
    if not os.path.isdir(given):  # noqa: PTH112
        raise UsageError(f"--assets-path (MATCHBOX_ASSETS_PATH) {given!r} is not a directory")
    return Path(given)
