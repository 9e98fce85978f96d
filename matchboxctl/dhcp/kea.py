"""Configurations of ISC Kea's DHCP servers."""

import json
from typing import Any

from matchboxctl.cli.errors import UsageError
from matchboxctl.dhcp.firmware import HTTP_CLASS, HTTP_CLASS_6, USER_CLASS, Firmware
from matchboxctl.dhcp.network import Network


def configuration(network: Network) -> str:
    """The configuration of kea-dhcp4, or of kea-dhcp6 for IPv6."""
    if network.version == 6 and not network.interface:
        raise UsageError("--interface is required: kea-dhcp6 serves a network by the interface that leads to it")
    pool = network.required_pool()
    subnet: dict[str, Any] = {
        "id": 1,
        "subnet": str(pool.network),
        "pools": [{"pool": f"{pool.first} - {pool.last}"}],
    }
    if network.version == 6:
        subnet["interface"] = network.interface
    options = [
        *([_option("routers", str(network.router))] if network.router else []),
        *(
            [_option("domain-name-servers" if network.version == 4 else "dns-servers", str(network.dns))]
            if network.dns
            else []
        ),
    ]
    if options:
        subnet["option-data"] = options
    classes = _classes(network) if network.version == 4 else _classes_of_ipv6(network)
    return "\n".join(
        [
            "{",
            f'  "Dhcp{network.version}": {{',
            f'    "interfaces-config": {json.dumps({"interfaces": [network.interface or "*"]})},',
            '    "client-classes": [',
            ",\n".join(f"      {json.dumps(each)}" for each in classes),
            "    ],",
            f'    "subnet{network.version}": [{json.dumps(subnet)}]',
            "  }",
            "}",
            "",
        ]
    )


def _classes(network: Network) -> list[dict[str, Any]]:
    ipxe = f"substring(option[77].hex, 0, {len(USER_CLASS)}) == '{USER_CLASS}'"
    classes: list[dict[str, Any]] = [{"name": "ipxe", "test": ipxe, "boot-file-name": network.script}]
    for each in network.firmware:
        one: dict[str, Any] = {"name": each.name, "test": _test(each, 93)}
        if each.by_http:
            one["option-data"] = [{**_option("vendor-class-identifier", HTTP_CLASS), "always-send": True}]
        else:
            one["next-server"] = str(network.required_tftp_server())
        classes.append({**one, "boot-file-name": network.file(each)})
    return classes


def _classes_of_ipv6(network: Network) -> list[dict[str, Any]]:
    # Each user class follows its length.
    ipxe = f"substring(option[15].hex, 2, {len(USER_CLASS)}) == '{USER_CLASS}'"
    classes: list[dict[str, Any]] = [
        {"name": "ipxe", "test": ipxe, "option-data": [_option("bootfile-url", network.script)]}
    ]
    for each in network.firmware:
        options = [_option("bootfile-url", network.file(each))]
        if each.by_http:
            vendor_class = {"code": 16, "csv-format": False, "data": HTTP_CLASS_6.hex(), "always-send": True}
            options.append(vendor_class)
        classes.append({"name": each.name, "test": _test(each, 61), "option-data": options})
    return classes


def _test(firmware: Firmware, option: int) -> str:
    found = " or ".join(f"option[{option}].hex == 0x{each:04x}" for each in firmware.architectures)
    return f"not member('ipxe') and ({found})"


def _option(name: str, data: str) -> dict[str, Any]:
    return {"name": name, "data": data}
