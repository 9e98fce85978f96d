"""Scripts for machines that get nothing to install: they wait, boot from their disk, or are refused."""

import re
import shlex
from zlib import crc32

from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.golang.http.content_type import TEXT
from lambda_matchbox.http import Response
from lambda_matchbox.machines.identities import Identities

MIN_WAIT, MAX_WAIT = 15, 60
"""Seconds until a waiting machine asks again."""

# UEFI shows a menu after a program that ended well, and tries its next entry after one that failed.
_IPXE_DISK = {
    "exit": ["iseq ${platform} efi && exit 1 || exit"],
    "sanboot": [
        "iseq ${platform} efi && goto efi || sanboot --no-describe --drive 0x80 || exit",
        ":efi",
        "iseq ${buildarch} arm64 && set loader BOOTAA64.EFI || set loader BOOTX64.EFI",
        "sanboot --no-describe --drive 0 --filename \\EFI\\BOOT\\${loader} || exit 1",
    ],
}
# GRUB up to 2.12 can only end well, so that on UEFI it starts the disk's program itself.
_GRUB_DISK = [
    'if [ "$grub_platform" = "efi" ]; then',
    "for loader in BOOTX64.EFI BOOTAA64.EFI; do",
    "if search --no-floppy --set=root --file /EFI/BOOT/$loader; then",
    "chainloader /EFI/BOOT/$loader",
    "boot",
    "fi",
    "done",
    "fi",
    "exit 1",
]

_UNSAFE = re.compile(r"[^A-Za-z0-9 .,:_/()'-]")


def waiting(route: str, machine: Identities, group: Group, raw_query: str) -> Response:
    """The script that says who waits and which command approves it, and asks again after a while.

    `route` is `/ipxe` or `/grub`; `raw_query` is the request's, which GRUB repeats by itself.
    """
    lines = [
        f"{shown_id(machine)} waits for approval in group {group.id}. To approve it:",
        f"matchboxctl machine approve {shown_id(machine)}{_group_flag(machine, group)}",
    ]
    # Machines that were switched on together ask at different times, and a script equals the one that was signed.
    seconds = MIN_WAIT + crc32(shown_id(machine).encode()) % (MAX_WAIT - MIN_WAIT + 1)
    if route == "/grub":
        # What GRUB sources is read into the script that sources it. The first one asks until it gets a configuration,
        # which sets `default`: not another one like itself, nor what is no script.
        return _script(
            *_echoes(route, *lines),
            'if [ "$matchbox_waits" != "1" ]; then',
            "set matchbox_waits=1",
            "set default=",
            'while [ -z "$default" ]; do',
            f"sleep {seconds}",
            'source "$config_file"',
            "done",
            "fi",
        )
    # A script that replaces itself neither nests nor takes memory; one that cannot be had is asked for again.
    again = f"chain --replace --autofree ipxe?{raw_query} || goto wait"
    return _script("#!ipxe", *_echoes(route, *lines), ":wait", f"sleep {seconds}", again)


def _group_flag(machine: Identities, group: Group) -> str:
    """The flag that names the group, unless the machine's id alone selects it."""
    own = machine.keys[0].partition(":")[0]
    return "" if all(key.lower() == own for key in group.selector) else f" --group {shlex.quote(group.id)}"


def from_disk(route: str, machine: Identities, how: str) -> Response | None:
    """The script that boots the machine from its disk; None for `how` "404"."""
    if how == "404":
        return None
    said = _echoes(route, f"{shown_id(machine)} is installed and boots from its disk.")
    if route == "/grub":
        return _script(*said, *_GRUB_DISK)
    return _script("#!ipxe", *said, *_IPXE_DISK[how])


def refused(route: str, reason: str) -> Response:
    """The script that prints the reason and ends."""
    start = [] if route == "/grub" else ["#!ipxe"]
    return _script(*start, *_echoes(route, f"This machine is not booted: {reason}."), "sleep 10", "exit 1")


def shown_id(machine: Identities) -> str:
    """The identity that names the machine, as commands take it; a MAC address with hyphens."""
    return machine.mac.replace(":", "-") or machine.uuid or machine.serial


def _echoes(route: str, *lines: str) -> list[str]:
    """Commands that print the lines, without what a script would expand; GRUB needs quotes, which iPXE would print."""
    quote = '"' if route == "/grub" else ""
    return [f"echo {quote}{_UNSAFE.sub('?', line)}{quote}" for line in lines]


def _script(*lines: str) -> Response:
    return Response.of("".join(f"{line}\n" for line in lines).encode(), TEXT)
