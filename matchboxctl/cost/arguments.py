"""`matchboxctl cost` on the command line."""

import math
from collections.abc import Sequence
from typing import Any

import click

from matchboxctl.cli.commands import Command
from matchboxctl.cli.options import Choice, output_option
from matchboxctl.cost.bill import ALB, DOORS, PLACES, REGION, Plan


class _Amount(click.FloatRange):
    """A number from 0 to a million."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number. NaN is in every range."""
        amount: float = super().convert(value, param, ctx)
        return self.fail(f"{value} is no amount.", param, ctx) if math.isnan(amount) else amount


_AMOUNT = _Amount(0, 1_000_000)


@click.command(
    cls=Command,
    epilog="Prices are AWS's list prices in us-east-1; -o json names the source of each. No call of AWS is made.",
    examples=["matchboxctl cost --door cloudfront", "matchboxctl cost --nodes 500 --where internet --explain"],
)
@click.option(
    "--nodes",
    type=click.IntRange(0, 1_000_000_000),
    metavar="N",
    multiple=True,
    default=(10, 1000, 100_000),
    help="machines",
)
@click.option("--boots-per-day", type=_AMOUNT, metavar="B", default=1.0, help="boots of each machine a day")
@click.option("--image-mb", type=_AMOUNT, metavar="M", default=100.0, help="kernel and initramfs, in MB")
@click.option("--door", type=Choice(DOORS), default=ALB, help="the stack's parameter FrontDoor")
@click.option("--where", type=Choice(PLACES), default=REGION, help="where the machines are; region with S3EndpointId")
@click.option("--history/--no-history", default=True, help="whether histories of machines are written")
@click.option("--free-tiers/--no-free-tiers", default=True, help="whether the lines are after AWS's free tiers")
@click.option("--explain", is_flag=True, help="show each line's formula, price and source")
@output_option()
def cost(
    nodes: Sequence[int],
    boots_per_day: float,
    image_mb: float,
    door: str,
    where: str,
    output: str,
    *,
    history: bool,
    free_tiers: bool,
    explain: bool,
) -> None:
    """Show what the stack costs in a month, line by line."""
    from matchboxctl.cost.report import show

    plans = [Plan(each, boots_per_day, image_mb, door, where, history) for each in nodes]
    show(plans, output, explain=explain, free_tiers=free_tiers)
