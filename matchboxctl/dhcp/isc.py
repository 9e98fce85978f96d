"""Configurations of ISC DHCP."""

from collections.abc import Iterator

from matchboxctl.dhcp.firmware import HTTP_CLASS, USER_CLASS
from matchboxctl.dhcp.network import Network


def configuration(network: Network) -> str:
    """The configuration of dhcpd."""
    return "\n".join([*_lines(network), ""])


def _lines(network: Network) -> Iterator[str]:
    first, last, inside = network.required_pool()
    if network.interface:
        yield f'# The interface is named elsewhere: on Debian by INTERFACESv4="{network.interface}" in'
        yield "# /etc/default/isc-dhcp-server, else as dhcpd's last argument."
    yield "option architecture code 93 = unsigned integer 16;"
    yield ""
    yield f"subnet {inside.network_address} netmask {inside.netmask} {{"
    yield f"  range {first} {last};"
    if network.router:
        yield f"  option routers {network.router};"
    if network.dns:
        yield f"  option domain-name-servers {network.dns};"
    yield f'  if exists user-class and option user-class = "{USER_CLASS}" {{'
    yield f'    filename "{network.script}";'
    for each in network.firmware:
        found = " or ".join(f"option architecture = {number.to_bytes(2).hex(':')}" for number in each.architectures)
        yield f"  }} elsif {found} {{"
        if each.by_http:
            yield f'    option vendor-class-identifier "{HTTP_CLASS}";'
        else:
            yield f"    next-server {network.required_tftp_server()};"
        yield f'    filename "{network.file(each)}";'
    yield "  }"
    yield "}"
