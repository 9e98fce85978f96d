"""Commands for MikroTik's RouterOS, from 7.4 on."""

from collections.abc import Iterator

from matchboxctl.dhcp.firmware import HTTP_CLASS, USER_CLASS
from matchboxctl.dhcp.network import Network

_IPXE = "matchbox-ipxe"
_HTTP = "matchbox-http"


def configuration(network: Network) -> str:
    """The commands, for a DHCP server that gives addresses already."""
    return "\n".join([*_lines(network), ""])


def _lines(network: Network) -> Iterator[str]:
    names = {each: f"matchbox-{each.name}" for each in network.firmware}
    yield "/ip dhcp-server option"
    yield f"add name={_IPXE} code=67 value=\"s'{network.script}'\""
    if any(each.by_http for each in network.firmware):
        yield f"add name={_HTTP} code=60 value=\"s'{HTTP_CLASS}'\""
    for each, name in names.items():
        yield f"add name={name} code=67 value=\"s'{network.file(each)}'\""
    yield "/ip dhcp-server option sets"
    yield f"add name={_IPXE} options={_IPXE}"
    for each, name in names.items():
        yield f"add name={name} options={f'{name},{_HTTP}' if each.by_http else name}"
    yield "/ip dhcp-server matcher"
    yield f"add name={_IPXE} code=77 value={USER_CLASS} option-set={_IPXE} server=all"
    for each, name in names.items():
        for number in each.architectures:
            yield f"add name={name}-{number} code=93 value=0x{number:04x} option-set={name} server=all"
    yield "/ip dhcp-server network"
    yield f"set [find address={network.required_pool().network}] next-server={network.required_tftp_server()}"
