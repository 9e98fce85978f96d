"""Arguments of `matchboxctl check`."""

import argparse

from matchboxctl.cli.arguments import MODES, Commands, add_command, add_data_path, add_label_argument, add_output

_USER_AGENT = "iPXE/2.0.0 (matchboxctl check)"


def add_check_command(commands: Commands) -> None:
    """Add `check`."""
    parser = add_command(
        commands,
        "check",
        "follow the boot of a machine from a running matchbox",
        ": /boot.ipxe, /ipxe, each file in the script, and each address in the kernel arguments, with the variables "
        "that iPXE and Talos replace. Files are downloaded and compared with their checksums, configurations are "
        "parsed and searched for placeholders. Nothing is changed.",
        epilog="Exit codes: 0 nothing would stop the machine, 1 something would, and the last line names it, 2 wrong "
        "usage, 130 interrupted. " + MODES,
    )
    parser.add_argument("url", metavar="URL", help="its address: http://HOST, or that of /boot.ipxe")
    add_label_argument(parser)
    parser.add_argument(
        "--all",
        action="store_true",
        help="check a machine of each group of the data directory, or of the table; --label adds labels to all",
    )
    add_data_path(parser, "with --all, the directory whose groups are checked")
    parser.add_argument(
        "--timeout",
        metavar="SECONDS",
        type=_seconds,
        default=10.0,
        help="timeout of a connection and of each read (default 10)",
    )
    parser.add_argument(
        "--user-agent",
        metavar="TEXT",
        default=_USER_AGENT,
        help="the client to act as: iPXE/1.21.1 is redirected to other addresses than iPXE/2.0.0",
    )
    add_output(parser)
    parser.set_defaults(run=_check)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= 3600:
        raise argparse.ArgumentTypeError(f"invalid number of seconds {text!r}: use up to 3600")
    return seconds


def _check(options: argparse.Namespace) -> None:
    from matchboxctl.check.command import CheckOptions, check

    given = CheckOptions(options.label, options.user_agent, options.timeout, options.output)
    if not options.all:
        check(options.url, given)
        return
    from matchboxctl.store.mode import chosen_store

    check(options.url, given, chosen_store(options.data_path))
