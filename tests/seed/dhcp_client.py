"""A program that asks for an address as firmware and iPXE of each architecture do, and prints what it is offered.

Arguments: client architectures (option 93), with `:iPXE` behind those of iPXE. It prints a line for each: the address,
the boot file, and the numbers of the options that are named in `SHOWN`, with their bytes in hexadecimal.
"""

import socket
import struct
import sys
from collections.abc import Iterator

CARD = b"machine"
FIELDS = struct.Struct("!4B I 2H 4s 4s 4s 4s 16s 64s 128s 4s")
COOKIE = b"\x63\x82\x53\x63"
SHOWN = {1: "mask", 3: "router", 6: "dns", 51: "lease"}


def discover(number: int, architecture: int, user_class: bytes) -> bytes:
    kind = b"PXEClient:Arch:%05d:UNDI:003016" % architecture
    options = {53: b"\1", 55: bytes((*SHOWN, 66, 67)), 60: kind, 93: struct.pack("!H", architecture), 77: user_class}
    mac = bytes((0x52, 0x54, 0, 0, 0, number))
    # The reply is to be a broadcast.
    head = FIELDS.pack(1, 1, 6, 0, number, 0, 0x8000, b"", b"", b"", b"", mac, b"", b"", COOKIE)
    return head + b"".join(bytes((code, len(text))) + text for code, text in options.items() if text) + b"\xff"


def options_of(reply: bytes) -> Iterator[tuple[int, bytes]]:
    at = FIELDS.size
    while reply[at] != 0xFF:
        end = at + 2 + reply[at + 1]
        yield reply[at], reply[at + 2 : end]
        at = end


def main() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, CARD)
        client.bind(("", 68))
        client.settimeout(20)
        for number, asked in enumerate(sys.argv[1:]):
            architecture, _, user_class = asked.partition(":")
            client.sendto(discover(number, int(architecture), user_class.encode()), ("255.255.255.255", 67))
            reply = client.recv(4096)
            fields, options = FIELDS.unpack_from(reply), dict(options_of(reply))
            file = (options.get(67) or fields[-2]).rstrip(b"\0").decode() or "-"
            shown = (f"{name}={options.get(code, b'').hex()}" for code, name in SHOWN.items())
            print(asked, socket.inet_ntoa(fields[8]), file, *shown)


if __name__ == "__main__":
    main()
