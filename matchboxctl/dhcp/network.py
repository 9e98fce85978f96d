"""A network of machines, and where they find the boot server and iPXE."""

import re
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import NamedTuple
from urllib.parse import urlsplit

from matchboxctl.cli.errors import UsageError
from matchboxctl.dhcp.firmware import FIRMWARE, SIGNED, Firmware
from matchboxctl.dhcp.options import NO_RANGE, TFTP_ROOT, DhcpOptions

IpAddress = IPv4Address | IPv6Address

_URL = re.compile(r"https?://[^\s\"'\\`,;{}?#$]+")
_INTERFACE = re.compile(r"[A-Za-z0-9_.:@-]{1,15}", re.ASCII)
_PATH = re.compile(r"/[^\s\"'\\,#;]*")
_PREFIXES = {4: 24, 6: 64}
_EXAMPLES = {4: "192.168.1.100,192.168.1.200", 6: "fd00::1000,fd00::1fff"}


class Pool(NamedTuple):
    """The addresses to give to machines, of a network."""

    first: IpAddress
    last: IpAddress
    network: IPv4Network | IPv6Network


class Network(NamedTuple):
    """Checked and completed options; without a pool, another configuration gives addresses."""

    url: str
    version: int
    pool: Pool | None
    interface: str
    tftp_root: str
    tftp_server: IpAddress | None
    router: IpAddress | None
    dns: IpAddress | None
    secure_boot: bool

    @property
    def script(self) -> str:
        """The address of the script that iPXE loads."""
        return f"{self.url}/boot.ipxe"

    @property
    def firmware(self) -> list[Firmware]:
        """The kinds of firmware that boot here; BIOS knows no IPv6."""
        if self.secure_boot:
            return [each._replace(file=SIGNED[each.name]) for each in FIRMWARE if each.name in SIGNED]
        return [each for each in FIRMWARE if self.version == 4 or each.name != "bios"]

    def file(self, firmware: Firmware) -> str:
        """Where the firmware finds its iPXE: a name for TFTP by IPv4, else a URL."""
        if firmware.by_http:
            return f"{self.url}/assets/{firmware.file}"
        return firmware.file if self.version == 4 else f"tftp://[{self.required_tftp_server()}]/{firmware.file}"

    def required_tftp_server(self) -> IpAddress:
        """The TFTP server. Raises UsageError if it is not known."""
        if self.tftp_server is None:
            raise UsageError(
                "--url has a name: give the address of the TFTP server, for dnsmasq its own, with --tftp-server ADDRESS"
            )
        return self.tftp_server

    def required_pool(self) -> Pool:
        """The pool. Raises UsageError without one."""
        if self.pool is None:
            raise UsageError(f"give the addresses for machines, such as --range {_EXAMPLES[self.version]}")
        return self.pool


def network(options: DhcpOptions) -> Network:
    """The network that the options describe. Raises UsageError."""
    url, host = _url(options.url)
    given = _pool(options.range, proxy=options.proxy) if options.range not in ("", NO_RANGE) else None
    address = given.first if given else host
    version = 4 if address is None else address.version
    if host is not None and host.version != version:
        raise UsageError("--url and --range are not of the same kind: machines have addresses of IPv4 here, or of IPv6")
    pool = None if options.range == NO_RANGE else given or _default_pool(host)
    if options.interface and not _INTERFACE.fullmatch(options.interface):
        raise UsageError(f"invalid --interface {options.interface!r}: use a name such as eth0")
    if options.tftp_root and not _PATH.fullmatch(options.tftp_root):
        raise UsageError(f"invalid --tftp-root {options.tftp_root!r}: use an absolute path without spaces and commas")
    if options.router and version == 6:
        raise UsageError("--router is for IPv4: with IPv6, machines learn their router from its advertisements")
    if options.secure_boot and (options.proxy or version == 6):
        raise UsageError("--secure-boot is for IPv4, and for servers that give addresses: leave out --proxy")
    router, dns, tftp_server = (
        _address(flag, value, version)
        for flag, value in (
            ("--router", options.router),
            ("--dns", options.dns or options.router),
            ("--tftp-server", options.tftp_server),
        )
    )
    gives_dns = not options.proxy and options.server != "routeros"
    if host is None and pool is not None and dns is None and gives_dns:
        raise UsageError("--url has a name, which machines cannot look up: give their DNS server with --dns ADDRESS")
    if pool is not None and not options.proxy:
        for taken in filter(None, (host, router, dns, tftp_server)):
            if pool.first <= taken <= pool.last:
                raise UsageError(
                    f"machines would get the address of a server, {taken}: give others with --range, such as "
                    f"{_EXAMPLES[version]}"
                )
    root = options.tftp_root or TFTP_ROOT
    return Network(url, version, pool, options.interface, root, tftp_server or host, router, dns, options.secure_boot)


def _url(text: str) -> tuple[str, IpAddress | None]:
    """The URL without a final slash, and its host if that is an address."""
    invalid = f"invalid --url {text!r}: use that of the boot server, such as http://192.168.1.2:8080"
    if not _URL.fullmatch(text):
        raise UsageError(invalid)
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise UsageError(invalid) from error
    if not host or parts.username is not None:
        raise UsageError(invalid)
    try:
        address = _ip(host)
    except ValueError as error:
        if ":" in host:
            raise UsageError(invalid) from error
        return text.rstrip("/"), None
    if address.is_loopback or address.is_unspecified:
        raise UsageError(f"--url {text} reaches no other machine: use an address of this one that others reach")
    return text.rstrip("/"), address


def _pool(text: str, *, proxy: bool) -> Pool:
    body, slash, prefix = text.partition("/")
    first, comma, last = body.partition(",")
    try:
        begin, end = _ip(first), _ip(last if comma else first)
        inside = ip_network(f"{begin}/{prefix if slash else _PREFIXES[begin.version]}", strict=False)
        if (comma or proxy) and end in inside and int(begin) <= int(end):
            return Pool(begin, end, inside)
    except ValueError:
        pass
    raise UsageError(
        f"invalid --range {text!r}: use FIRST,LAST of one network, such as {_EXAMPLES[4]} or {_EXAMPLES[6]}; its "
        "prefix, if it is not 24 or 64, follows: FIRST,LAST/22"
    )


def _default_pool(host: IpAddress | None) -> Pool | None:
    """Addresses beside that of the boot server, if it is one of a private network."""
    if host is None or not host.is_private or host.is_link_local:
        return None
    inside = ip_network(f"{host}/{_PREFIXES[host.version]}", strict=False)
    base, offset = int(inside.network_address), int(host) - int(inside.network_address)
    low, high = (100, 200) if host.version == 4 else (0x1000, 0x1FFF)
    if low <= offset <= high:
        low, high = (201, 250) if host.version == 4 else (0x2000, 0x2FFF)
    kind = type(host)
    return Pool(kind(base + low), kind(base + high), inside)


def _address(flag: str, text: str, version: int) -> IpAddress | None:
    if not text:
        return None
    try:
        address = _ip(text)
    except ValueError as error:
        raise UsageError(f"invalid {flag} {text!r}: use an address") from error
    if address.version != version:
        raise UsageError(f"{flag} {text} is not an IPv{version} address, as the machines' are")
    return address


def _ip(text: str) -> IpAddress:
    """The address, without a zone, which may be any text, line ends too. Raises ValueError."""
    if "%" in text:
        raise ValueError(text)
    return ip_address(text)
