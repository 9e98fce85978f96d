"""The text that `matchboxctl dhcp` prints, which the startup banner, the stack's outputs and the docs have as well."""

from collections.abc import Iterator

from matchboxctl.cli.errors import UsageError
from matchboxctl.dhcp import dnsmasq, grub, isc, kea, routeros
from matchboxctl.dhcp.network import network
from matchboxctl.dhcp.options import DhcpOptions

_OTHERS = {"kea": kea.configuration, "isc": isc.configuration, "routeros": routeros.configuration}


def configuration(options: DhcpOptions) -> str:
    """The configuration of the server, ready to use. Raises UsageError."""
    found = network(options)
    if options.server == "dnsmasq":
        if options.tftp_server and found.version == 4 and not options.proxy:
            raise UsageError("--tftp-server is for other servers: dnsmasq gives its own address")
        return f"# {options.command}\n{dnsmasq.configuration(found, proxy=options.proxy)}"
    if options.server == "grub":
        if options != DhcpOptions("grub", options.url):
            raise UsageError("grub has no option but --url: the others are for DHCP servers")
        return f"# {options.command}\n{grub.configuration(found)}"
    if options.proxy:
        raise UsageError(f"--proxy is for dnsmasq: {options.server} answers only machines that it gives addresses to")
    if options.server == "routeros" and (options.interface or options.router or options.dns):
        raise UsageError("--interface, --router and --dns are not for routeros: its DHCP server has them already")
    if options.tftp_root:
        raise UsageError(f"--tftp-root is for dnsmasq: {options.server} does not serve files, see --tftp-server")
    if found.version == 6 and options.server != "kea":
        raise UsageError(f"{options.server} is for IPv4 here: for IPv6 use dnsmasq or kea")
    text = _OTHERS[options.server](found)
    # JSON has no comments.
    return text if options.server == "kea" else f"# {options.command}\n{text}"


def notes(options: DhcpOptions) -> Iterator[str]:
    """What the configuration does not bring. Raises UsageError."""
    found = network(options)
    if options.server == "grub":
        return
    if found.url.startswith("https:"):
        yield (
            "iPXE before 2.0.0 has no https, iPXE for BIOS never has, and firmware needs the authority's certificate: "
            "give machines an http address unless all of yours have it"
        )
    if options.server != "dnsmasq":
        yield f"{options.server} gives names of files: a TFTP server at {found.tftp_server} has to serve iPXE"
    if options.server == "kea" and found.version == 6:
        yield (
            "Kea sends no router advertisements: let a router, or radvd, send them with the flag 'managed', without "
            "which machines do not ask"
        )
    if options.secure_boot:
        yield (
            "UEFI needs shim, GRUB and grub/grub.cfg in the TFTP server's directory: see docs/secure-boot.md and "
            f"matchboxctl dhcp grub --url {found.url}"
        )
    if options.proxy:
        yield "beside another server, UEFI HTTP boot is not served: let firmware boot by PXE"
