"""Scripts for machines that get nothing to install: they wait, boot from their disk, or are refused."""

import random
import re
from collections.abc import Sequence

from lambda_matchbox.golang.http.content_type import TEXT
from lambda_matchbox.http import Response
from lambda_matchbox.machines.identities import Identities

MIN_WAIT, MAX_WAIT = 15, 60
"""Seconds until a waiting machine asks again."""

_UNSAFE = re.compile(r"[^A-Za-z0-9 .,:;_/()'-]")


def waiting(route: str, machine: Identities, group: str, raw_query: str) -> Response:
    """The script that says who waits and which command approves it, and asks again after a while.

    `route` is `/ipxe` or `/grub`; `raw_query` is the request's.
    """
    lines = [
        f"{shown_id(machine)} waits for approval in group {group}. To approve it:",
        f"matchboxctl machine approve {shown_id(machine)}",
    ]
    seconds = random.randint(MIN_WAIT, MAX_WAIT)  # noqa: S311 (no secret)
    if route == "/grub":
        # A script that GRUB sources defines nothing by itself: the first one asks until it gets another.
        return _script(
            *_echoes(lines),
            "set matchbox_verdict=wait",
            'if [ "$matchbox_waits" != "1" ]; then',
            "set matchbox_waits=1",
            'while [ "$matchbox_verdict" = "wait" ]; do',
            f"sleep {seconds}",
            "set matchbox_verdict=",
            f'source "(http,$net_default_server)/grub?{_quoted(raw_query)}"',
            "done",
            "fi",
        )
    again = f"chain --replace --autofree ipxe?{raw_query}"
    return _script("#!ipxe", *_echoes(lines), f"sleep {seconds}", again)


def from_disk(route: str, machine: Identities, how: str) -> Response | None:
    """The script that boots the machine from its disk; None for `how` "404"."""
    if how == "404":
        return None
    said = _echoes([f"{shown_id(machine)} is installed and boots from its disk."])
    if route == "/grub":
        return _script(*said, "exit")
    if how == "exit":
        return _script("#!ipxe", *said, "exit")
    return _script(
        "#!ipxe",
        *said,
        "iseq ${platform} efi && goto efi || sanboot --no-describe --drive 0x80 || exit 1",
        ":efi",
        "iseq ${buildarch} arm64 && set loader BOOTAA64.EFI || set loader BOOTX64.EFI",
        "sanboot --no-describe --drive 0 --filename \\EFI\\BOOT\\${loader} || exit 1",
    )


def refused(route: str, reason: str) -> Response:
    """The script that prints the reason and ends."""
    said = _echoes([f"This machine is not booted: {reason}."])
    return _script(*said, "sleep 10", "exit") if route == "/grub" else _script("#!ipxe", *said, "sleep 10", "exit 1")


def shown_id(machine: Identities) -> str:
    """The identity that names the machine, as commands take it; a MAC address with hyphens."""
    return machine.mac.replace(":", "-") or machine.uuid or machine.serial


def _echoes(lines: Sequence[str]) -> list[str]:
    """Commands that print the lines, without what a script would expand."""
    return [f"echo {_UNSAFE.sub('?', line)}" for line in lines]


def _quoted(raw_query: str) -> str:
    """The query for a string in GRUB's quotes."""
    return re.sub(r'[\\"$]', lambda found: f"%{ord(found[0]):02X}", raw_query)


def _script(*lines: str) -> Response:
    return Response.of("".join(f"{line}\n" for line in lines).encode(), TEXT)
