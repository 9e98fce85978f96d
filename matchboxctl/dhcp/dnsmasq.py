"""Configurations of dnsmasq."""

from collections.abc import Iterator

from matchboxctl.cli.errors import UsageError
from matchboxctl.dhcp.firmware import HTTP_CLASS, USER_CLASS
from matchboxctl.dhcp.network import Network

_PXE_SERVICES = {"bios": ("x86PC",), "efi64": ("BC_EFI", "X86-64_EFI"), "arm64": ("ARM64_EFI",)}
"""dnsmasq's names of the architectures, for proxy DHCP."""

_ENTERPRISE = "00"
"""dnsmasq writes this option as strings behind their lengths; this one and its length are an enterprise's number, which
firmware ignores."""


def configuration(network: Network, *, proxy: bool = False) -> str:
    """The configuration; without a pool, for adding to one that gives addresses."""
    if proxy and network.version == 6:
        raise UsageError("--proxy is for IPv4: DHCPv6 has no proxies")
    lines = [
        *([f"interface={network.interface}"] if network.interface else []),
        *_addresses(network, proxy=proxy),
        "",
        "enable-tftp",
        f"tftp-root={network.tftp_root}",
        "",
        (
            f"# {'UEFI gets shim, BIOS' if network.secure_boot else 'Firmware gets'} iPXE, "
            "and iPXE the boot server's first script."
        ),
        f"dhcp-userclass=set:ipxe,{USER_CLASS}",
        *(_proxied(network) if proxy else _booted(network) if network.version == 4 else _booted_by_ipv6(network)),
    ]
    return "\n".join([*lines, ""])


def _addresses(network: Network, *, proxy: bool) -> Iterator[str]:
    if network.pool is None and not proxy:
        yield "# For adding to a configuration whose dhcp-range gives addresses."
        return
    first, last, inside = network.required_pool()
    yield "bind-dynamic"
    yield "# No DNS, whose port another server of the machine often has."
    yield "port=0"
    if proxy:
        yield "# Another server gives addresses."
        yield f"dhcp-range={inside.network_address},proxy"
    elif network.version == 4:
        yield f"dhcp-range={first},{last}"
    else:
        yield "enable-ra"
        yield f"dhcp-range={first},{last},{inside.prefixlen}"
    if network.router and not proxy:
        yield f"dhcp-option=option:router,{network.router}"
    if network.dns and not proxy:
        dns = f"option:dns-server,{network.dns}" if network.version == 4 else f"option6:dns-server,[{network.dns}]"
        yield f"dhcp-option={dns}"
    yield "log-dhcp"


def _booted(network: Network) -> Iterator[str]:
    for each in network.firmware:
        for architecture in each.architectures:
            yield f"dhcp-match=set:{each.name},option:client-arch,{architecture}"
    if any(each.by_http for each in network.firmware):
        yield f"dhcp-vendorclass=set:http,{HTTP_CLASS}"
        yield f"dhcp-option-force=tag:http,option:vendor-class,{HTTP_CLASS}"
    for each in network.firmware:
        yield f"dhcp-boot=tag:!ipxe,tag:{each.name},{network.file(each)}"
    yield f"dhcp-boot=tag:ipxe,{network.script}"


def _booted_by_ipv6(network: Network) -> Iterator[str]:
    for each in network.firmware:
        for architecture in each.architectures:
            yield f"dhcp-match=set:{each.name},option6:61,{architecture.to_bytes(2).hex(':')}"
        if each.by_http:
            yield f"dhcp-option-force=tag:!ipxe,tag:{each.name},option6:16,{_ENTERPRISE},{HTTP_CLASS}"
        yield f"dhcp-option=tag:!ipxe,tag:{each.name},option6:bootfile-url,{network.file(each)}"
    yield f"dhcp-option=tag:ipxe,option6:bootfile-url,{network.script}"


def _proxied(network: Network) -> Iterator[str]:
    for each in network.firmware:
        for name in () if each.by_http else _PXE_SERVICES[each.name]:
            yield f'pxe-service=tag:!ipxe,{name},"iPXE",{each.file}'
    # iPXE takes no file from a proxy that names no server, though a URL needs none.
    yield f"dhcp-boot=tag:ipxe,{network.script},,{network.required_tftp_server()}"
