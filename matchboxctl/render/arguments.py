"""The command that shows what a machine is answered and why: its arguments, and what it calls."""

import argparse
import os
from collections.abc import Mapping
from pathlib import Path

from matchboxctl.cli.arguments import DATA_PATH, add_data_path, add_label_argument

_EXAMPLE = """\
example:
  matchboxctl render ignition --label mac=52:54:00:12:34:56 --data-path /var/lib/matchbox

  shows the group that the machine belongs to and what other groups lack, the profile, the template, the data that
  the template sees (secrets as ***), and the answer.

It ends with 0 where the answer is 200, with 1 where it is an error, with 2 where the command cannot be done as asked.

"""
_OTHERS = 10


def add_render_command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    environment: Mapping[str, str],
    *,
    epilog: str,
) -> None:
    """Add `render`."""
    made = commands.add_parser(
        "render",
        help="show what a machine is answered, and why",
        description="Show what a machine with these labels is answered, and why: the group, the profile, the template "
        "and its data. Nothing is served, and nothing is written.",
        epilog=_EXAMPLE + epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    made.add_argument("route", metavar="ROUTE", help="ipxe, grub, ignition, cloud, generic or metadata")
    add_label_argument(made)
    add_data_path(made, environment, "matchbox's data directory")
    made.add_argument(
        "--others",
        metavar="COUNT",
        type=_count,
        default=_OTHERS,
        help=f"how many other groups are shown, the nearest first ({_OTHERS}); for 0 no other group is read",
    )
    made.add_argument(
        "--show-secrets", action="store_true", help="show the values under keys such as password, token, key or hash"
    )
    made.add_argument(
        "-o", "--output", choices=("text", "json"), default="text", help="text to read, or JSON for programs (text)"
    )
    made.set_defaults(run=_render)


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of groups")
    return int(text)


def _render(options: argparse.Namespace) -> None:
    from matchboxctl.render.command import SelectorValue, render
    from matchboxctl.store.mode import store_settings

    store = store_settings(os.environ, options.data_path)
    truth = Path(options.data_path or DATA_PATH) if store is None else store
    wanted = SelectorValue(options.route, options.label, options.others, show_secrets=options.show_secrets)
    render(truth, wanted, as_json=options.output == "json")
