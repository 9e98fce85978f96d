"""The arguments of `matchboxctl render`."""

import argparse
import os
from collections.abc import Mapping
from pathlib import Path

from matchboxctl.cli.arguments import DATA_PATH, add_data_path, add_label_argument

_EXAMPLE = """\
example:
  matchboxctl render ignition --label mac=52:54:00:12:34:56 --data-path /var/lib/matchbox

  shows the machine's group and why it is in no other, the profile, the template, the template's data (secrets as
  ***), and the response.

Exit status: 0 if the response is 200, 1 if it is an error, 2 if the command line is invalid.

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
        help="show the response to a machine, and why",
        description="Show the response to a machine with these labels, and why: the group, the profile, the template "
        "and its data. Nothing is served or written.",
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
        help=f"how many other groups to show, the nearest first (default {_OTHERS}); with 0 no other group is read",
    )
    made.add_argument(
        "--show-secrets", action="store_true", help="show the values under keys such as password, token, key or hash"
    )
    made.add_argument("-o", "--output", choices=("text", "json"), default="text", help="the format (default text)")
    made.set_defaults(run=_render)


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of groups")
    return int(text)


def _render(options: argparse.Namespace) -> None:
    from matchboxctl.render.command import RenderOptions, render
    from matchboxctl.store.mode import store_settings

    store = store_settings(os.environ, options.data_path)
    source = Path(options.data_path or DATA_PATH) if store is None else store
    rendered = RenderOptions(options.route, options.label, options.others, show_secrets=options.show_secrets)
    render(source, rendered, json=options.output == "json")
