"""Addresses in profiles, groups and templates that name a server, and so perhaps the old one."""

import json
import re
from collections.abc import Sequence
from contextlib import suppress
from urllib.parse import urlsplit

from lambda_matchbox.catalog.profiles import NetBoot
from matchboxctl.check.boot_client import origin
from matchboxctl.directory.files import DataDirectory
from matchboxctl.validate.boot_addresses import boot_addresses
from matchboxctl.validate.boot_sections import is_route

_MAX_NAMED = 5
_ADDRESS = re.compile(r"""https?://[^\s"'<>{}$\\]+""")


def old_addresses(directory: DataDirectory) -> list[str]:
    """A line for each server whose address a document names for something that matchbox has, and where it is named."""
    named: dict[str, dict[str, None]] = {}
    for profile in directory.profiles:
        for address in boot_addresses(profile.boot or NetBoot()):
            if not address.is_own and is_route(address.path):
                named.setdefault(origin(address.text), {})[f"profile {profile.id}"] = None
    for group in directory.groups:
        for server in _servers(json.dumps(group.metadata, default=str)):
            named.setdefault(server, {})[f"group {group.id}"] = None
    for kind, name, body in directory.templates:
        for server in _servers(body.decode("utf-8", "replace")):
            named.setdefault(server, {})[f"{kind} template {name}"] = None
    return [_line(server, [*places]) for server, places in named.items()]


def _servers(text: str) -> set[str]:
    """The servers of addresses in the text that name something that matchbox has."""
    found = set()
    for address in _ADDRESS.findall(text):
        with suppress(ValueError):
            if is_route(urlsplit(address).path):
                found.add(origin(address))
    return found


def _line(server: str, places: Sequence[str]) -> str:
    more = f" and {len(places) - _MAX_NAMED} more" if len(places) > _MAX_NAMED else ""
    where = f"{', '.join(places[:_MAX_NAMED])}{more}"
    return f"{server} is named in {where}: if that is the old matchbox, write the new server's address"
