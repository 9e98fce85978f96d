"""Releases in the addresses of boot scripts, such as `/assets/talos/arm64/vmlinuz?release=sha256:…`.

A machine fetches kernel and initramfs one after the other, and the pointer may move in between.
"""

import re
from collections.abc import Callable

from lambda_matchbox.catalog.profiles import NetBoot
from lambda_matchbox.golang.http.paths import clean_path, parse_query, unescape
from lambda_matchbox.releases.pointers import Pointers, covering

_PARAMETER = "release"
# Addresses on this server, as iPXE and GRUB write them; options may precede that of an initrd.
_OWN = re.compile(
    r"(?<!\S)(?P<start>/|\$\{cwduri\}|)assets/(?P<path>[^\s?#]*)(?:\?(?P<query>[^\s#]*))?(?!\S)", re.ASCII
)


def release_in(raw_query: str) -> str | None:
    """The release that a query names, or None."""
    return next((value for key, value in parse_query(raw_query) if key == _PARAMETER), None)


def releases_of(boot: NetBoot) -> str:
    """The releases in the boot section's addresses on this server: one, or several with commas between them."""
    addresses = (found for text in (boot.kernel, *boot.initrd) for found in _OWN.finditer(text))
    return ",".join(dict.fromkeys(filter(None, (release_in(found["query"] or "") for found in addresses))))


def pinned(boot: NetBoot, pointers: Pointers) -> NetBoot:
    """The boot section with the current release in each address that belongs to an image source.

    Addresses on other hosts, and those that already name a release, are unchanged.
    """
    if not pointers:
        return boot

    def pin(found: re.Match[str]) -> str:
        raw_query = found["query"] or ""
        path = unescape(found["path"]) or found["path"]
        covered = covering(pointers, clean_path(path).strip("/"))
        if covered is None or release_in(raw_query) is not None:
            return found[0]
        query = f"{raw_query}&" if raw_query else ""
        return f"{found['start']}assets/{found['path']}?{query}{_PARAMETER}={covered.pointer.current}"

    return _with_addresses(boot, pin)


def elsewhere(boot: NetBoot, address: Callable[[str], str | None]) -> NetBoot:
    """The boot section with another address in place of each of a file on this server (`/assets/…`) that has one.

    What iPXE makes of variables in a path is not known here, so that such an address is unchanged.
    """

    def replaced(found: re.Match[str]) -> str:
        if "${" in found["path"] or found["path"].endswith("/"):
            return found[0]
        query = f"?{found['query']}" if found["query"] else ""
        return address(f"/assets/{found['path']}{query}") or found[0]

    return _with_addresses(boot, replaced)


def _with_addresses(boot: NetBoot, address: Callable[[re.Match[str]], str]) -> NetBoot:
    return boot._replace(
        kernel=_OWN.sub(address, boot.kernel), initrd=tuple(_OWN.sub(address, initrd) for initrd in boot.initrd)
    )
