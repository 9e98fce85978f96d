"""`matchboxctl serve`: the deployed app behind a local stand-in for the balancer, over a data directory."""

import logging
import secrets
import signal
import socket
import sys
import threading
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode

from aws_lambda_powertools import Logger

from boot_api.alb import BODY_LIMIT
from boot_api.app import App
from boot_api.routes import Routes, Stores
from matchbox.assets import Delivery
from matchbox.profiles import NetBoot, Profile
from matchbox.selection import Selector
from matchboxctl.asset_files import AssetDirectory
from matchboxctl.directory import DirectoryCatalog
from matchboxctl.front import Front
from matchboxctl.usage import UsageError

_ADDRESS_LIFETIME = 3600
_MOST_EXAMPLES = 5


class ServeSettings(NamedTuple):
    """What `serve` is started with."""

    address: str
    data_path: Path
    assets_path: Path
    log_level: str


def serve(settings: ServeSettings) -> None:
    """Serve until SIGINT or SIGTERM. Raises UsageError with one line that says what to mend."""
    host, port = _host_and_port(settings.address)
    if not settings.data_path.is_dir():
        raise UsageError(f"{settings.data_path} is no directory: name matchbox's data directory with --data-path")
    logger = Logger(service="boot_api", level=settings.log_level.upper(), stream=sys.stderr)
    logging.getLogger("boot_api.front").addHandler(logging.StreamHandler(sys.stderr))
    try:
        catalog = DirectoryCatalog(settings.data_path, report=_tell)
    except OSError as error:
        raise UsageError(f"{error.filename}: {error.strerror}") from error
    assets = AssetDirectory(settings.assets_path, secrets.token_bytes(32), _ADDRESS_LIFETIME)
    routes = Routes(
        Stores(catalog, assets), Delivery(direct_limit=BODY_LIMIT, assets_url="", boundary=secrets.token_hex(30))
    )
    try:
        front = Front((host, port), App(routes, logger), assets)
    except (OSError, OverflowError, UnicodeError) as error:
        raise UsageError(f"cannot listen on {settings.address}: {getattr(error, 'strerror', None) or error}") from error
    _end_on_signal(front)
    for line in _welcome(settings, catalog, assets, host, front.server_port):
        print(line, flush=True)
    with front:
        front.serve_forever(poll_interval=0.1)


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


def _reachable_host(host: str) -> str:
    """The address by which other machines reach this one; nothing is sent to find it."""
    if host not in ("0.0.0.0", "::", "127.0.0.1", "localhost"):  # noqa: S104
        return host
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return host
        address: str = probe.getsockname()[0]
        return address


def _welcome(
    settings: ServeSettings, catalog: DirectoryCatalog, assets: AssetDirectory, host: str, port: int
) -> list[str]:
    local = f"http://{'127.0.0.1' if host in ('0.0.0.0', '::') else host}:{port}"  # noqa: S104
    profiles = list(catalog.profiles())
    lines = [
        f"serving {settings.data_path} (directory mode): {len(catalog)} groups, {len(profiles)} profiles",
        f"listening on {host}:{port}",
        "",
        "try:",
        f"  curl {local}/boot.ipxe",
    ]
    lines += [f"  curl '{local}/ipxe{_query(selector)}'" for selector in catalog.selectors(_MOST_EXAMPLES)]
    lines += [f"  curl {local}/profiles/{profile.id}" for profile in profiles[:_MOST_EXAMPLES]]
    reachable = _reachable_host(host)
    lines += [
        "",
        "dnsmasq, for machines that run iPXE already:",
        "  dhcp-userclass=set:ipxe,iPXE",
        f"  dhcp-boot=tag:ipxe,http://{reachable}:{port}/boot.ipxe",
    ]
    if host in ("127.0.0.1", "localhost", "::1"):
        lines.append(f"  (other machines reach it only after --address 0.0.0.0:{port})")
    for ids in catalog.rivals():
        lines.append(f"groups {', '.join(ids)} have the same selectors: {ids[0]} is chosen")
    missing = _missing_assets(profiles, assets)
    if missing:
        lines += ["", f"assets that profiles name and {settings.assets_path} lacks:", *missing]
    return [*lines, ""]


def _query(selector: Selector) -> str:
    return f"?{urlencode(selector.pairs)}" if selector.pairs else ""


def _missing_assets(profiles: list[Profile], assets: AssetDirectory) -> list[str]:
    missing = []
    for profile in profiles:
        boot = profile.boot or NetBoot()
        # An initrd's address may have options before it, such as `--name main`.
        for address in (words[-1] for words in map(str.split, (boot.kernel, *boot.initrd)) if words):
            path = address.removeprefix("/assets/")
            if path != address and assets.file(path) is None:
                missing.append(f"  {path} (profile {profile.id})")
    return missing
