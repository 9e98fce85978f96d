"""The arguments of `matchboxctl render`."""

import argparse

from matchboxctl.cli.arguments import MODES, Commands, add_command, add_data_path, add_label_argument

_EXAMPLE = (
    "Example: matchboxctl render ignition --label mac=52:54:00:12:34:56. Exit codes: 0 the response is 200, 1 it is an "
    "error, 2 wrong usage. "
)
_OTHERS = 10


def add_render_command(commands: Commands) -> None:
    """Add `render`."""
    parser = add_command(
        commands,
        "render",
        "show the response to a machine, and why",
        ": the machine's group and why it is in no other, the profile, the template and its data, with secrets as ***. "
        "Nothing is served or written.",
        epilog=_EXAMPLE + MODES,
    )
    parser.add_argument("route", metavar="ROUTE", help="ipxe, grub, ignition, cloud, generic or metadata")
    add_label_argument(parser)
    add_data_path(parser)
    parser.add_argument(
        "--others",
        metavar="COUNT",
        type=_count,
        default=_OTHERS,
        help=f"how many other groups to show, the nearest first (default {_OTHERS}); with 0 no other group is read",
    )
    parser.add_argument(
        "--show-secrets", action="store_true", help="show the values under keys such as password, token, key or hash"
    )
    parser.add_argument("-o", "--output", choices=("text", "json"), default="text", help="the format (default text)")
    parser.set_defaults(run=_render)


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"invalid number {text!r}")
    return int(text)


def _render(options: argparse.Namespace) -> None:
    from matchboxctl.render.command import RenderOptions, render
    from matchboxctl.store.mode import chosen_store

    rendered = RenderOptions(options.route, options.label, options.others, show_secrets=options.show_secrets)
    render(chosen_store(options.data_path), rendered, json=options.output == "json")
