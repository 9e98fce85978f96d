"""What does `serve` print when it starts? What to try, what to tell the DHCP server, what is missing."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode

from lambda_matchbox.assets.stores import AssetStore
from lambda_matchbox.catalog.profiles import NetBoot, Profile
from lambda_matchbox.catalog.selection import Selector
from lambda_matchbox.errors import StoreUnavailableError
from lambda_matchbox.golang.http.paths import clean_path, unescape
from matchboxctl.directory.catalog import DirectoryCatalog
from matchboxctl.serve.own_address import is_loopback, own_address

_MOST_EXAMPLES = 5
_EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 (compared, not bound)
_ASSETS = "/assets/"


class Listening(NamedTuple):
    """Where `serve` listens."""

    host: str
    port: int

    @property
    def local(self) -> str:
        """Its address on this machine."""
        return f"http://{self.place('127.0.0.1' if self.host in _EVERYWHERE else self.host)}"

    @property
    def only_here(self) -> bool:
        """Whether no other machine reaches it."""
        return is_loopback(self.host)

    def place(self, host: str) -> str:
        """Its port on that host, as an address has it."""
        return f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"


def welcome(
    where: Listening, serving: str, examples: list[str], own: Callable[[], str | None] = own_address
) -> list[str]:
    """The lines for either mode: what is served, addresses to try, and the DHCP server's line.

    `own` finds this machine's address where the one listened on does not tell it.
    """
    lines = [f"serving {serving}", f"listening on {where.place(where.host)}", "", "try:"]
    lines += [f"  curl '{where.local}{path}'" for path in ("/boot.ipxe", *examples)]
    known = where.host not in _EVERYWHERE and not where.only_here
    host = where.host if known else own()
    lines += [
        "",
        "dnsmasq, for machines that run iPXE already:",
        "  dhcp-userclass=set:ipxe,iPXE",
        f"  dhcp-boot=tag:ipxe,http://{where.place(host or 'ADDRESS')}/boot.ipxe",
    ]
    if host is None:
        lines.append("  (no interface has an address yet that other machines reach: write it for ADDRESS)")
    if where.only_here:
        lines.append(f"  (other machines reach it only after --address 0.0.0.0:{where.port})")
    return [*lines, ""]


def examples_of(catalog: DirectoryCatalog) -> list[str]:
    """Paths that some of the groups and profiles answer."""
    selectors = catalog.selectors(_MOST_EXAMPLES)
    profiles = [profile.id for profile, _ in zip(catalog.profiles(), range(_MOST_EXAMPLES), strict=False)]
    return [f"/ipxe{_query(selector)}" for selector in selectors] + [f"/profiles/{name}" for name in profiles]


def shortcomings(catalog: DirectoryCatalog, assets: AssetStore, root: Path, unpublished: list[str]) -> list[str]:
    """What an operator is to know of the directory: rivals, and assets that profiles name and nobody finds.

    `assets` are those served, `root` is the directory of the operator's own; `unpublished` are the ids of image sources
    that have no release yet.
    """
    lines = list(map(str, catalog.overlaps()))
    missing = [line for profile in catalog.profiles() for line in _missing_assets(profile, assets)]
    if missing:
        lines += [f"assets that profiles name and {root} lacks:", *missing]
    if unpublished:
        lines.append(f"image sources without a release, which `matchboxctl sync` brings: {', '.join(unpublished)}")
    return [*lines, ""] if lines else []


def _query(selector: Selector) -> str:
    return f"?{urlencode(selector.pairs)}" if selector.pairs else ""


def _missing_assets(profile: Profile, assets: AssetStore) -> list[str]:
    boot = profile.boot or NetBoot()
    # An initrd's address may have options before it, such as `--name main`.
    addresses = [words[-1] for words in map(str.split, (boot.kernel, *boot.initrd)) if words]
    # Who boots puts a value in the place of `${arch}`: nobody knows here which.
    paths = [_path(address) for address in addresses if address.startswith(_ASSETS) and "${" not in address]
    faults = [(path, _fault(path, assets)) for path in paths]
    return [f"  {path} (profile {profile.id}){fault}" for path, fault in faults if fault is not None]


def _fault(path: str, assets: AssetStore) -> str | None:
    """Why the file cannot be read, empty where it is absent; None where it can."""
    try:
        return "" if assets.file(path) is None else None
    except StoreUnavailableError as error:
        return f": {error}"


def _path(address: str) -> str:
    """The path below /assets/ that an address asks for, as the routes read it."""
    raw = address.partition("#")[0].partition("?")[0]
    return clean_path((unescape(raw) or raw).removeprefix(_ASSETS)).strip("/")
