"""`matchboxctl render`."""

from collections.abc import Sequence

import click

from matchboxctl.cli.commands import Command
from matchboxctl.cli.options import MODES, label_option, output_option, store_flags


@click.command(
    cls=Command,
    epilog=f"Exit codes: 0 the response is 200, 1 it is an error, 2 wrong usage. {MODES}",
    examples=[
        "matchboxctl render ipxe --label mac=52:54:00:12:34:56",
        "matchboxctl render ignition --label mac=52:54:00:12:34:56",
    ],
)
@click.argument("route", metavar="ROUTE")
@label_option()
@store_flags()
@click.option(
    "--others",
    metavar="COUNT",
    type=click.IntRange(0),
    default=10,
    help="how many other groups to show, the nearest first; with 0 no other group is read",
)
@click.option("--show-secrets", is_flag=True, help="show the values under keys such as password, token, key or hash")
@output_option("text")
def render(
    route: str, labels: Sequence[str], data_path: str, stack: str, others: int, output: str, *, show_secrets: bool
) -> None:
    """Show the response to a machine, and why.

    It shows the machine's group and why it is in no other, the profile, the template and its data, with secrets as
    ***; those that the template names are not even read. Nothing is served or written. ROUTE is ipxe, grub, ignition,
    cloud, generic or metadata.
    """
    from matchboxctl.render.command import RenderOptions, render
    from matchboxctl.store.mode import chosen_store

    options = RenderOptions(route, labels, others, show_secrets=show_secrets)
    render(chosen_store(data_path, stack), options, output)
