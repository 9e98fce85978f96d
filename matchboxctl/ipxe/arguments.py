"""`matchboxctl ipxe`."""

from pathlib import Path

import click

from matchboxctl.cli.commands import Group
from matchboxctl.cli.options import Choice, option
from matchboxctl.dhcp.options import TFTP_ROOT

_ARCHITECTURES = ("x86_64", "arm64")


@click.group(
    cls=Group,
    examples=[
        "matchboxctl ipxe fetch",
        f"matchboxctl ipxe fetch --into {TFTP_ROOT} --into my-talos/assets",
    ],
)
def ipxe() -> None:
    """Put iPXE where firmware loads it."""


@ipxe.command
@option(
    "--into",
    metavar="DIR",
    type=Path,
    multiple=True,
    default=[TFTP_ROOT],
    show_default=TFTP_ROOT,
    help="the TFTP server's directory, or `assets` of the data directory for UEFI HTTP boot; may be repeated",
)
@option(
    "--from",
    "directory",
    metavar="DIR",
    type=Path,
    show_default="where packages of distributions put them",
    help="a directory with iPXE's programs, such as src of a build",
)
@click.option(
    "--arch",
    "architectures",
    type=Choice(_ARCHITECTURES),
    multiple=True,
    default=_ARCHITECTURES,
    show_default="both",
    help="the machines' processor; may be repeated",
)
@click.option("--force", is_flag=True, help="replace files that differ")
def fetch(into: tuple[Path, ...], directory: Path | None, architectures: tuple[str, ...], *, force: bool) -> None:
    """Copy iPXE from this machine's packages, or from a directory.

    undionly.kpxe (BIOS), ipxe.efi and ipxe-arm64.efi are the names that `matchboxctl dhcp` gives to firmware. A file
    for another processor is skipped. If there is a SHA256SUMS beside the files, they must match it. A missing file is
    named with the package that has it.
    """
    from matchboxctl.ipxe.command import fetch

    fetch(directory, into, architectures, force=force)
