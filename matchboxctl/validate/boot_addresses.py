"""The addresses that a profile's boot script and kernel arguments name, and what this server has there."""

from collections.abc import Iterator
from typing import NamedTuple

from lambda_matchbox.answers import ipxe
from lambda_matchbox.catalog.profiles import NetBoot
from lambda_matchbox.golang.http.paths import clean_path, parse_query, unescape
from matchboxctl.netboot.addresses import BASE, DIRECTORY, Expected, Reader, addresses_in
from matchboxctl.netboot.script import script_files

_HOST = ("http://", "https://")


class BootAddress(NamedTuple):
    """An address as `text`, and where it stands: `kernel`, `initrd` or the name of a kernel argument.

    `path` and `query` are those of the request; `is_own` says whether it certainly goes to this server.
    """

    where: str
    text: str
    expected: Expected
    reader: Reader
    path: str
    query: tuple[str, ...]
    is_own: bool


def boot_addresses(boot: NetBoot) -> Iterator[BootAddress]:
    """The addresses whose path is known: one with a variable such as `${arch}` in it is not."""
    script = ipxe.respond(boot).body.decode("utf-8", "replace")
    for file in script_files(script):
        if file.address:
            yield from _requested(file.command, file.address, Expected.FILE, Reader.UNKNOWN)
    for address in addresses_in(boot.args):
        if address.expected is not Expected.NOTHING:
            yield from _requested(address.argument, address.text, address.expected, address.reader)


def _requested(where: str, text: str, expected: Expected, reader: Reader) -> Iterator[BootAddress]:
    rest, is_own = text, True
    if text.lower().startswith(_HOST):
        is_own = False
        rest = "/" + text.partition("://")[2].partition("/")[2]
    elif text.startswith(DIRECTORY):
        rest = text.removeprefix(DIRECTORY)
    elif text.startswith(BASE):
        rest = "/" + text.removeprefix(BASE)
    elif "://" in text:
        return
    raw_path, _, query = rest.partition("#")[0].partition("?")
    if "${" not in raw_path:
        path = clean_path(unescape(raw_path) or raw_path)
        yield BootAddress(where, text, expected, reader, path, tuple(key for key, _ in parse_query(query)), is_own)
