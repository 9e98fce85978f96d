"""Asks a DHCP server as firmware and iPXE do, for a program that runs in a network namespace of its own.

    dhcp_client.py 4|6 ARCHITECTURE,… COMMAND…

starts the server on `eth0`, which has SERVER or SERVER_6, and prints what it offers to each architecture, and to iPXE.
"""

import ipaddress
import json
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

SERVER, SERVER_6 = "192.168.1.2", "fd00::1"
IPXE = "iPXE"
_CLIENT = "client"
_MAC = bytes.fromhex("525400123456")
_COOKIE = bytes.fromhex("63825363")
_HTTP = (16, 19)
_ATTEMPTS = 40
_ALL_IPV4 = 0x0800


class Offer(NamedTuple):
    """The file, the server that has it by TFTP, and whether the offer is one of UEFI HTTP boot."""

    file: str
    server: str
    is_http: bool


def vendor_class(architecture: int) -> bytes:
    return f"{'HTTP' if architecture in _HTTP else 'PXE'}Client:Arch:{architecture:05}:UNDI:003001".encode()


def discover(architecture: int, *, is_ipxe: bool) -> bytes:
    """A broadcast frame of DHCPv4."""
    options = {53: b"\x01", 55: bytes([1, 3, 6, 60, 66, 67]), 60: vendor_class(architecture)}
    options |= {93: struct.pack("!H", architecture), **({77: IPXE.encode()} if is_ipxe else {})}
    body = struct.pack("!4BIHH16x", 1, 1, 6, 0, architecture << 1 | is_ipxe, 0, 0x8000) + _MAC.ljust(16 + 192, b"\0")
    body += _COOKIE + b"".join(bytes([code, len(value)]) + value for code, value in options.items()) + b"\xff"
    datagram = struct.pack("!4H", 68, 67, 8 + len(body), 0) + body
    header = struct.pack("!BBHHHBBH4x4s", 0x45, 0, 20 + len(datagram), 0, 0, 64, 17, 0, b"\xff" * 4)
    total = sum(struct.unpack("!10H", header))
    checksum = ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF
    header = header[:10] + struct.pack("!H", checksum) + header[12:]
    return b"\xff" * 6 + _MAC + struct.pack("!H", _ALL_IPV4) + header + datagram


def offered(frame: bytes, architecture: int, *, is_ipxe: bool) -> Offer | None:
    """The offer in the frame, if it is one for that request."""
    if frame[12:14] != struct.pack("!H", _ALL_IPV4) or frame[23] != 17 or frame[34:38] != struct.pack("!HH", 67, 68):
        return None
    body = frame[42:]
    if struct.unpack_from("!I", body, 4)[0] != architecture << 1 | is_ipxe:
        return None
    options = dict(_options(body[240:]))
    file = options.get(67) or body[108:236]
    server = str(ipaddress.ip_address(body[20:24]))
    return Offer(file.rstrip(b"\0").decode(), server, options.get(60, b"").startswith(b"HTTPClient"))


def _options(data: bytes) -> Iterator[tuple[int, bytes]]:
    while data and data[0] != 0xFF:
        if data[0] == 0:
            data = data[1:]
            continue
        yield data[0], data[2 : 2 + data[1]]
        data = data[2 + data[1] :]


def solicit(architecture: int, *, is_ipxe: bool) -> bytes:
    """A message of DHCPv6."""
    of_vendor = struct.pack("!IH", 343, len(vendor_class(architecture))) + vendor_class(architecture)
    options = {
        1: b"\0\x03\0\x01" + _MAC,
        3: struct.pack("!III", architecture + 1, 0, 0),
        6: struct.pack("!3H", 16, 23, 59),
    }
    options |= {8: b"\0\0", 16: of_vendor, 61: struct.pack("!H", architecture)}
    if is_ipxe:
        options[15] = struct.pack("!H", len(IPXE)) + IPXE.encode()
    text = b"".join(struct.pack("!HH", code, len(value)) + value for code, value in options.items())
    return struct.pack("!I", 1 << 24 | architecture << 1 | is_ipxe) + text


def advertised(message: bytes, architecture: int, *, is_ipxe: bool) -> Offer | None:
    """The offer in the message, if it is one for that request."""
    if struct.unpack_from("!I", message)[0] != 2 << 24 | architecture << 1 | is_ipxe:
        return None
    options, rest = {}, message[4:]
    while rest:
        code, length = struct.unpack_from("!HH", rest)
        options[code], rest = rest[4 : 4 + length], rest[4 + length :]
    return Offer(options.get(59, b"").decode(), "", options.get(16, b"")[4:] == b"\0\x0aHTTPClient")


def ask(version: int, architecture: int, *, is_ipxe: bool) -> Offer:
    """Ask until the server offers something. Raises TimeoutError."""
    if version == 4:
        link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ALL_IPV4))
        link.bind((_CLIENT, 0))
    else:
        link = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        link.bind(("::", 546))
    with link:
        link.settimeout(0.5)
        for _ in range(_ATTEMPTS):
            if version == 4:
                link.send(discover(architecture, is_ipxe=is_ipxe))
            else:
                link.sendto(
                    solicit(architecture, is_ipxe=is_ipxe), ("ff02::1:2", 547, 0, socket.if_nametoindex(_CLIENT))
                )
            with suppress(TimeoutError):
                while True:
                    read = offered if version == 4 else advertised
                    found = read(link.recv(1 << 16), architecture, is_ipxe=is_ipxe)
                    if found is not None:
                        return found
    raise TimeoutError(f"no offer for architecture {architecture}")


def main(version: int, architectures: list[int], command: list[str]) -> None:
    def ip(*arguments: str) -> None:
        subprocess.run(["ip", *arguments], check=True)

    ip("link", "set", "lo", "up")
    ip("link", "add", "eth0", "type", "veth", "peer", "name", _CLIENT)
    for each in ("eth0", _CLIENT):
        ip("link", "set", each, "addrgenmode", "none")
        ip("link", "set", each, "up")
    ip("address", "add", f"{SERVER}/24", "dev", "eth0")
    for address, device in ((f"{SERVER_6}/64", "eth0"), ("fe80::1/64", "eth0"), ("fe80::2/64", _CLIENT)):
        ip("address", "add", address, "dev", device, "nodad")
    server = subprocess.Popen(command, stdout=sys.stderr)
    try:
        found = {str(each): ask(version, each, is_ipxe=False) for each in architectures}
        found[IPXE] = ask(version, 7, is_ipxe=True)
        print(json.dumps(found))
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main(int(sys.argv[1]), [int(each) for each in sys.argv[2].split(",")], sys.argv[3:])
