"""The command that checks what is deployed: its arguments, and what it calls."""

import argparse

from matchboxctl.cli.arguments import add_label_argument

_USER_AGENT = "iPXE/2.0.0 (matchboxctl check)"


def add_check_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `check`."""
    made = commands.add_parser(
        "check",
        help="ask a running matchbox what a machine asks",
        description="Ask a running matchbox for what a machine asks until it boots: /boot.ipxe, /ipxe, and each file "
        "that the script names, compared with the checksum beside it. Redirects are followed as iPXE follows them. "
        "Ends with 0 only if all is as a machine needs it.",
        allow_abbrev=False,
    )
    made.add_argument("url", metavar="URL", help="its address: http://HOST, or that of /boot.ipxe")
    add_label_argument(made)
    made.add_argument(
        "--timeout",
        metavar="SECONDS",
        type=_seconds,
        default=10.0,
        help="how long the other side may be silent (10)",
    )
    made.add_argument(
        "--user-agent",
        metavar="TEXT",
        default=_USER_AGENT,
        help="ask as another client: an iPXE/1.21.1 is sent to other addresses than an iPXE/2.0.0",
    )
    made.set_defaults(run=_check)


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds <= 3600:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds up to 3600")
    return seconds


def _check(options: argparse.Namespace) -> None:
    from matchboxctl.check.command import asked, check

    check(asked(options.url, options.label), user_agent=options.user_agent, silence=options.timeout)
