"""`matchboxctl check`."""

from collections.abc import Sequence

import click

from matchboxctl.cli.commands import Command
from matchboxctl.cli.options import MODES, label_option, output_option, store_flags

_USER_AGENT = "iPXE/2.0.0 (matchboxctl check)"


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= 3600:
        raise click.BadParameter(f"invalid number of seconds {text!r}: use up to 3600")
    return seconds


@click.command(
    cls=Command,
    epilog="Exit codes: 0 nothing would stop the machine, 1 something would, and the last line names it, 2 wrong "
    f"usage, 130 interrupted. {MODES}",
    examples=[
        "matchboxctl check http://matchbox:8080 --label mac=52:54:00:12:34:56",
        "matchboxctl check http://matchbox:8080 --all",
    ],
)
@click.argument("url", metavar="URL")
@label_option()
@click.option(
    "--all",
    "every_group",
    is_flag=True,
    help="check a machine of each group of the data directory, or of the table; --label adds labels to all",
)
@store_flags("with --all, the directory whose groups are checked")
@click.option(
    "--timeout", metavar="SECONDS", type=_seconds, default=10.0, help="timeout of a connection and of each read"
)
@click.option(
    "--user-agent",
    metavar="TEXT",
    default=_USER_AGENT,
    help="the client to act as: iPXE/1.21.1 is redirected to other addresses than iPXE/2.0.0",
)
@output_option()
def check(
    url: str,
    labels: Sequence[str],
    data_path: str,
    stack: str,
    timeout: float,
    user_agent: str,
    output: str,
    *,
    every_group: bool,
) -> None:
    """Follow the boot of a machine from a running matchbox.

    It requests /boot.ipxe, /ipxe, each file in the script, and each address in the kernel arguments, with the variables
    that iPXE and Talos replace. Files are downloaded and compared with their checksums, configurations are parsed and
    searched for placeholders. Nothing is changed. URL is the address of matchbox, as http://HOST, or that of
    /boot.ipxe.
    """
    from matchboxctl.check.command import CheckOptions, check
    from matchboxctl.store.mode import chosen_store

    given = CheckOptions(labels, user_agent, timeout, output)
    check(url, given, chosen_store(data_path, stack) if every_group else None)
