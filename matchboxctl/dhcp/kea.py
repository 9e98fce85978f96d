"""Configurations of ISC Kea's DHCP servers."""

import json
from collections.abc import Iterator
from typing import Any

from matchboxctl.cli.errors import UsageError
from matchboxctl.dhcp.firmware import HTTP_CLASS, USER_CLASS, Firmware
from matchboxctl.dhcp.network import Network

_ENTERPRISE = bytes.fromhex("00000157")
"""Intel's number, which UEFI's own vendor class begins with."""

_CLASS_6 = {
    "code": 16,
    "csv-format": False,
    "data": (_ENTERPRISE + len(HTTP_CLASS).to_bytes(2) + HTTP_CLASS.encode()).hex(),
    "always-send": True,
}


def configuration(network: Network) -> str:
    """The configuration of kea-dhcp4, or of kea-dhcp6 for IPv6."""
    if network.version == 6 and not network.interface:
        raise UsageError("--interface is required: kea-dhcp6 serves a network by the interface that leads to it")
    classes = _classes(network) if network.version == 4 else _classes_of_ipv6(network)
    lines = [
        "{",
        f'  "Dhcp{network.version}": {{',
        f'    "interfaces-config": {json.dumps({"interfaces": [network.interface or "*"]})},',
        '    "client-classes": [',
        ",\n".join(f"      {each}" for each in classes),
        "    ],",
        f'    "subnet{network.version}": [',
        f"      {_subnet(network)}",
        "    ]",
        "  }",
        "}",
    ]
    return "\n".join([*lines, ""])


def _classes(network: Network) -> Iterator[str]:
    yield _class("ipxe", f"substring(option[77].hex, 0, 4) == '{USER_CLASS}'", {"boot-file-name": network.script})
    for each in network.firmware:
        settings: dict[str, Any] = {"boot-file-name": network.file(each)}
        if each.by_http:
            settings["option-data"] = [{"name": "vendor-class-identifier", "data": HTTP_CLASS, "always-send": True}]
        else:
            settings["next-server"] = str(network.required_tftp_server())
        yield _class(each.name, _test(each, 93), settings)


def _classes_of_ipv6(network: Network) -> Iterator[str]:
    # The class follows its length.
    is_ipxe = f"substring(option[15].hex, 2, 4) == '{USER_CLASS}'"
    yield _class("ipxe", is_ipxe, {"option-data": [{"name": "bootfile-url", "data": network.script}]})
    for each in network.firmware:
        options = [{"name": "bootfile-url", "data": network.file(each)}, *([_CLASS_6] if each.by_http else [])]
        yield _class(each.name, _test(each, 61), {"option-data": options})


def _class(name: str, test: str, settings: dict[str, Any]) -> str:
    return _in_lines({"name": name, "test": test}, settings)


def _test(firmware: Firmware, option: int) -> str:
    found = " or ".join(f"option[{option}].hex == 0x{each:04x}" for each in firmware.architectures)
    return f"not member('ipxe') and ({found})"


def _subnet(network: Network) -> str:
    first, last, inside = network.required_pool()
    names = ("routers", "domain-name-servers") if network.version == 4 else ("", "dns-servers")
    options = [
        {"name": name, "data": str(address)}
        for name, address in zip(names, (network.router, network.dns), strict=True)
        if address is not None
    ]
    settings: dict[str, Any] = {"interface": network.interface} if network.version == 6 else {}
    return _in_lines(
        {"id": 1, "subnet": str(inside), "pools": [{"pool": f"{first} - {last}"}]},
        settings | ({"option-data": options} if options else {}),
    )


def _in_lines(first: dict[str, Any], second: dict[str, Any]) -> str:
    """Both as one object, in two lines."""
    return f"{json.dumps(first)[:-1]},\n       {json.dumps(second)[1:]}" if second else json.dumps(first)
