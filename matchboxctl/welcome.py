"""What does `serve` print when it starts? What to try, what to tell the DHCP server, what is missing."""

import socket
from typing import NamedTuple
from urllib.parse import urlencode

from matchbox.profiles import NetBoot, Profile
from matchbox.selection import Selector
from matchboxctl.asset_files import AssetDirectory
from matchboxctl.directory import DirectoryCatalog

_MOST_EXAMPLES = 5
_EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 (compared, not bound)
_ONLY_HERE = ("127.0.0.1", "localhost", "::1")


class Listening(NamedTuple):
    """Where `serve` listens."""

    host: str
    port: int

    @property
    def local(self) -> str:
        """Its address on this machine."""
        return f"http://{'127.0.0.1' if self.host in _EVERYWHERE else self.host}:{self.port}"


def welcome(where: Listening, serving: str, examples: list[str]) -> list[str]:
    """The lines for either mode: what is served, addresses to try, and the DHCP server's line."""
    lines = [f"serving {serving}", f"listening on {where.host}:{where.port}", "", "try:"]
    lines += [f"  curl '{where.local}{path}'" for path in ("/boot.ipxe", *examples)]
    lines += [
        "",
        "dnsmasq, for machines that run iPXE already:",
        "  dhcp-userclass=set:ipxe,iPXE",
        f"  dhcp-boot=tag:ipxe,http://{_reachable_host(where.host)}:{where.port}/boot.ipxe",
    ]
    if where.host in _ONLY_HERE:
        lines.append(f"  (other machines reach it only after --address 0.0.0.0:{where.port})")
    return [*lines, ""]


def examples_of(catalog: DirectoryCatalog) -> list[str]:
    """Paths that some of the groups and profiles answer."""
    selectors = catalog.selectors(_MOST_EXAMPLES)
    profiles = [profile.id for profile, _ in zip(catalog.profiles(), range(_MOST_EXAMPLES), strict=False)]
    return [f"/ipxe{_query(selector)}" for selector in selectors] + [f"/profiles/{name}" for name in profiles]


def shortcomings(catalog: DirectoryCatalog, assets: AssetDirectory) -> list[str]:
    """What an operator is to know of the directory: rivals, and assets that profiles name and it lacks."""
    lines = [f"groups {', '.join(ids)} have the same selectors: {ids[0]} is chosen" for ids in catalog.rivals()]
    missing = [line for profile in catalog.profiles() for line in _missing_assets(profile, assets)]
    if missing:
        lines += [f"assets that profiles name and {assets.root} lacks:", *missing]
    return [*lines, ""] if lines else []


def _reachable_host(host: str) -> str:
    """The address by which other machines reach this one; nothing is sent to find it."""
    if host not in (*_EVERYWHERE, *_ONLY_HERE):
        return host
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return host
        address: str = probe.getsockname()[0]
        return address


def _query(selector: Selector) -> str:
    return f"?{urlencode(selector.pairs)}" if selector.pairs else ""


def _missing_assets(profile: Profile, assets: AssetDirectory) -> list[str]:
    boot = profile.boot or NetBoot()
    # An initrd's address may have options before it, such as `--name main`.
    addresses = [words[-1] for words in map(str.split, (boot.kernel, *boot.initrd)) if words]
    paths = [address.removeprefix("/assets/") for address in addresses if address.startswith("/assets/")]
    return [f"  {path} (profile {profile.id})" for path in paths if assets.file(path) is None]
