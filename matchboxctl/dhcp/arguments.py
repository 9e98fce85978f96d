"""`matchboxctl dhcp`."""

from typing import Any

import click

from matchboxctl.cli.commands import Command
from matchboxctl.cli.options import Choice, argument, option
from matchboxctl.dhcp.options import TFTP_ROOT, DhcpOptions

_SERVERS = ("dnsmasq", "kea", "isc", "routeros", "grub")


@click.command(
    cls=Command,
    epilog="Firmware loads iPXE by TFTP, for UEFI HTTP boot from the assets of the boot server.",
    examples=[
        "matchboxctl dhcp dnsmasq --url http://192.168.1.2:8080 > dnsmasq.conf",
        "matchboxctl dhcp dnsmasq --url http://192.168.1.2:8080 --proxy",
        "matchboxctl dhcp dnsmasq --url 'http://[fd00::1]:8080' --interface eth0",
        "matchboxctl dhcp kea --url http://192.168.1.2:8080 --interface eth0",
        "matchboxctl dhcp grub --url http://192.168.1.2:8080 > grub.cfg",
    ],
)
@argument("server", metavar="SERVER", type=Choice(_SERVERS))
@option("--url", metavar="URL", required=True, help="the boot server's address, as machines reach it")
@option(
    "--range",
    metavar="FIRST,LAST",
    default="",
    show_default="addresses beside that of --url, if it is a private one",
    help="the addresses to give to machines, FIRST,LAST/PREFIX if the prefix is not 24 or 64; none leaves them to "
    "what the configuration is added to",
)
@option("--interface", metavar="NAME", default="", show_default="all", help="the interface to listen on")
@option(
    "--router", metavar="ADDRESS", default="", show_default="dnsmasq's own, none of others", help="the machines' router"
)
@option("--dns", metavar="ADDRESS", default="", show_default="--router", help="the machines' DNS server")
@option("--tftp-root", metavar="DIR", default="", show_default=TFTP_ROOT, help="dnsmasq: the directory with iPXE")
@option(
    "--tftp-server",
    metavar="ADDRESS",
    default="",
    show_default="that of --url",
    help="the TFTP server; dnsmasq is its own, and needs its address for IPv6 and for --proxy only",
)
@click.option("--proxy", is_flag=True, help="dnsmasq: say what to boot beside a DHCP server that gives addresses")
@click.option("--secure-boot", is_flag=True, help="UEFI gets shim and GRUB, which are signed, in place of iPXE")
def dhcp(**given: Any) -> None:
    """Print the configuration of a DHCP server that leads machines to the boot server.

    BIOS, UEFI on x86-64 and ARM64, and UEFI HTTP boot get iPXE, and iPXE gets the first script. SERVER is dnsmasq, kea,
    isc (ISC DHCP) or routeros (MikroTik). With --secure-boot, UEFI gets shim, and shim loads GRUB, whose grub.cfg is
    printed for grub.
    """
    from matchboxctl.cli.output import print_text
    from matchboxctl.cli.warnings import Warnings
    from matchboxctl.dhcp.configuration import configuration, notes

    options = DhcpOptions(**given)
    print_text(configuration(options))
    warnings = Warnings()
    for note in notes(options):
        warnings.warn(note)
