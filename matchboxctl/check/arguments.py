"""Arguments of `matchboxctl check`."""

import argparse

from matchboxctl.cli.arguments import Commands, add_command, add_label_argument

_USER_AGENT = "iPXE/2.0.0 (matchboxctl check)"


def add_check_command(commands: Commands) -> None:
    """Add `check`."""
    parser = add_command(
        commands,
        "check",
        "make the requests of a booting machine to a running matchbox",
        ": /boot.ipxe, /ipxe, and each file in the script, compared with the checksum beside it. Redirects are "
        "followed as iPXE follows them.",
        epilog="Exit codes: 0 all checks passed, 1 a check failed, 2 wrong usage.",
    )
    parser.add_argument("url", metavar="URL", help="its address: http://HOST, or that of /boot.ipxe")
    add_label_argument(parser)
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
    from matchboxctl.check.command import check

    check(options.url, options.label, user_agent=options.user_agent, timeout=options.timeout)
