"""The startup banner of `serve`: addresses to try, the DHCP server's settings, and warnings."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from urllib.parse import urlencode

from lambda_matchbox.assets.stores import AssetStore
from lambda_matchbox.catalog.profiles import NetBoot, Profile
from lambda_matchbox.catalog.selection import Selector
from lambda_matchbox.errors import StoreUnavailableError
from lambda_matchbox.golang.http.paths import clean_path, unescape
from matchboxctl.cli.arguments import Address
from matchboxctl.directory.catalog import DirectoryCatalog
from matchboxctl.serve.own_address import is_loopback, own_address

_MAX_EXAMPLES = 5
_EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 (compared, not bound)
_ASSETS = "/assets/"


def startup_banner(
    address: Address,
    summary: str,
    examples: Sequence[str],
    own: Callable[[], str | None] = own_address,
    *,
    scheme: str = "http",
    beside: Address | None = None,
) -> list[str]:
    """The lines for either mode: what is served at `address`, paths to try, and the DHCP server's settings.

    `own` gives this machine's address where `address` does not. `beside` is an address of https beside that of http.
    """
    local = address._replace(host="127.0.0.1") if address.host in _EVERYWHERE else address
    loopback = is_loopback(address.host)
    host = own() if address.host in _EVERYWHERE or loopback else address.host
    lines = [
        f"serving {summary}",
        f"listening on {address.text if scheme == 'http' else f'https://{address.text}'}",
        *([] if beside is None else [f"listening on https://{beside.text}"]),
        "",
        "try:",
        *(f"  curl '{scheme}://{local.text}{path}'" for path in ("/boot.ipxe", *examples)),
        "",
        "dnsmasq, for machines that run iPXE already:",
        "  dhcp-userclass=set:ipxe,iPXE",
        f"  dhcp-boot=tag:ipxe,{scheme}://{address._replace(host=host or 'ADDRESS').text}/boot.ipxe",
    ]
    if host is None:
        lines.append("  (no interface has an address that other machines reach: replace ADDRESS once one has)")
    if loopback:
        lines.append(f"  (only this machine reaches it: serve others with --address 0.0.0.0:{address.port})")
    return [*lines, ""]


def example_paths(catalog: DirectoryCatalog) -> list[str]:
    """Paths of some of the groups and profiles."""
    selectors = catalog.selectors(_MAX_EXAMPLES)
    profiles = islice(catalog.profiles(), _MAX_EXAMPLES)
    return [f"/ipxe{_query(selector)}" for selector in selectors] + [f"/profiles/{one.id}" for one in profiles]


def startup_warnings(
    catalog: DirectoryCatalog, assets: AssetStore, root: Path, unpublished: Sequence[str]
) -> list[str]:
    """Warnings about a data directory: overlapping groups, absent assets, image sources without a release.

    `assets` are those served, `root` is the directory of the operator's own; `unpublished` are the ids of the sources.
    """
    lines = list(map(str, catalog.overlaps()))
    missing = [line for profile in catalog.profiles() for line in _missing_assets(profile, assets)]
    if missing:
        lines += [f"assets that profiles name but {root} lacks:", *missing]
    if unpublished:
        lines.append(f"image sources without a release (run `matchboxctl sync`): {', '.join(unpublished)}")
    return [*lines, ""] if lines else []


def _query(selector: Selector) -> str:
    return f"?{urlencode(selector.pairs)}" if selector.pairs else ""


def _missing_assets(profile: Profile, assets: AssetStore) -> Iterator[str]:
    boot = profile.boot or NetBoot()
    # Options such as `--name main` may precede an initrd's address.
    for address in (words[-1] for words in map(str.split, (boot.kernel, *boot.initrd)) if words):
        # The client replaces `${arch}`: the path is not known here.
        if address.startswith(_ASSETS) and "${" not in address:
            path = _path(address)
            problem = _problem(path, assets)
            if problem is not None:
                yield f"  {path} (profile {profile.id}){problem}"


def _problem(path: str, assets: AssetStore) -> str | None:
    """Why the file cannot be read, empty if it is absent; None if it can."""
    try:
        return "" if assets.file(path) is None else None
    except StoreUnavailableError as error:
        return f": {error}"


def _path(address: str) -> str:
    """The path below /assets/ that an address requests, as the routes read it."""
    raw = address.partition("#")[0].partition("?")[0]
    return clean_path((unescape(raw) or raw).removeprefix(_ASSETS)).strip("/")
