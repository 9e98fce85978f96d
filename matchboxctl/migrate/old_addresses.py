"""Addresses in profiles and templates that name a server, and so perhaps the old one."""

from collections.abc import Sequence

from lambda_matchbox.catalog.profiles import NetBoot
from matchboxctl.check.boot_client import origin
from matchboxctl.directory.files import DataDirectory
from matchboxctl.validate.boot_addresses import boot_addresses
from matchboxctl.validate.boot_sections import is_route

_MAX_NAMED = 5


def old_addresses(directory: DataDirectory) -> list[str]:
    """A line for each server whose address a profile names for something that matchbox has, and where it is named."""
    named: dict[str, dict[str, None]] = {}
    for profile in directory.profiles:
        for address in boot_addresses(profile.boot or NetBoot()):
            if not address.is_own and is_route(address.path):
                named.setdefault(origin(address.text), {})[f"profile {profile.id}"] = None
    for server, places in named.items():
        for kind, name, body in directory.templates:
            if server.encode() in body:
                places[f"{kind} template {name}"] = None
    return [_line(server, [*places]) for server, places in named.items()]


def _line(server: str, places: Sequence[str]) -> str:
    more = f" and {len(places) - _MAX_NAMED} more" if len(places) > _MAX_NAMED else ""
    where = f"{', '.join(places[:_MAX_NAMED])}{more}"
    return f"{server} is named in {where}: if that is the old matchbox, write the new server's address"
