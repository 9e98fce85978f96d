"""The startup banner of `serve`: addresses to try, and the DHCP server's settings."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import islice
from urllib.parse import urlencode

from lambda_matchbox.catalog.selection import Selector
from lambda_matchbox.errors import MatchboxError
from lambda_matchbox.machines.identities import identities_in
from matchboxctl.cli.arguments import Address
from matchboxctl.dhcp.configuration import configuration, notes
from matchboxctl.dhcp.options import DhcpOptions
from matchboxctl.directory.catalog import DirectoryCatalog
from matchboxctl.serve.own_address import is_loopback, is_unspecified, own_address

_MAX_EXAMPLES = 5
_MAC = "52-54-00-12-34-56"


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
    local = address._replace(host="127.0.0.1") if is_unspecified(address.host) else address
    loopback = is_loopback(address.host)
    host = own() if is_unspecified(address.host) or loopback else address.host
    dhcp = DhcpOptions("dnsmasq", f"{scheme}://{address._replace(host=host or 'ADDRESS').text}")
    lines = [
        f"serving {summary}",
        f"listening on {address.text if scheme == 'http' else f'https://{address.text}'}",
        *([] if beside is None else [f"listening on https://{beside.text}"]),
        "",
        "try:",
        *(f"  curl '{scheme}://{local.text}{path}'" for path in ("/boot.ipxe", *examples)),
        "",
        "dnsmasq, with iPXE by `matchboxctl ipxe fetch`:",
        *(f"  {line}".rstrip() for line in configuration(dhcp).splitlines()),
        *(f"  ({note})" for note in notes(dhcp)),
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
    scripts = [f"/ipxe{_query(catalog, selector)}" for selector in selectors]
    return scripts + [f"/profiles/{one.id}" for one in profiles]


def _query(catalog: DirectoryCatalog, selector: Selector) -> str:
    labels = dict(selector.pairs)
    with suppress(MatchboxError):
        selection = catalog.select(labels)
        # Groups with a policy refuse machines without an identity.
        if selection is not None and selection.group.boot is not None and not identities_in(labels).keys:
            labels["mac"] = _MAC
    return f"?{urlencode(labels)}" if labels else ""
