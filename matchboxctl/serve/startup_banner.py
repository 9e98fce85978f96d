"""The startup banner of `serve`: addresses to try, and the DHCP server's settings."""

from collections.abc import Callable, Sequence
from itertools import islice
from urllib.parse import urlencode

from lambda_matchbox.catalog.selection import Selector
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


def _query(selector: Selector) -> str:
    return f"?{urlencode(selector.pairs)}" if selector.pairs else ""
