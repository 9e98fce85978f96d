"""`matchboxctl plan` on the command line."""

from typing import Any

import click

from matchboxctl.cli.commands import Command
from matchboxctl.cli.durations import seconds_in
from matchboxctl.cli.options import Choice, option, output_option
from matchboxctl.cost.bill import ALB, DOORS, PLACES, REGION

_DAY = 86_400
_NUMBER, _COUNT, _AMOUNT = click.IntRange(0), click.IntRange(1), click.FloatRange(0, 100_000)


def _duration(text: str) -> int:
    """The seconds, of a day at most."""
    seconds = seconds_in(text, least=0)
    if seconds > _DAY:
        raise click.BadParameter("use a day at most")
    return seconds


@click.command(
    cls=Command,
    epilog="The storm happens in virtual time, without a call to AWS. Machines get power, need one to three "
    "minutes for their firmware, and boot by iPXE: five requests behind the balancer. 100,000 take half a minute, for "
    "each change that is tried as well. The same --seed gives the same storm.",
    examples=[
        "matchboxctl plan --machines 640 --within 5m",
        "matchboxctl plan --machines 10000 --within 2h --where internet --line 10",
        "matchboxctl plan --machines 100000 --quota 3000 --svg storm.svg",
    ],
)
@option("--machines", metavar="N", type=click.IntRange(1, 1_000_000), required=True, help="machines that boot")
@option("--within", metavar="T", type=_duration, default="10m", help="when all should have booted")
@option("--over", metavar="T", type=_duration, default="0s", help="how long it takes until all have power")
@option("--rack", metavar="N", type=_NUMBER, default=0, help="machines that get power together, if not one by one")
@option(
    "--firmware", metavar="T T", type=(_duration, _duration), default=("60s", "180s"), help="least and most until DHCP"
)
@option("--image-mb", metavar="M", type=_AMOUNT, default=100.0, help="kernel and initramfs, in MB")
@option("--door", metavar="DOOR", type=Choice(DOORS), default=ALB, help="the stack's parameter FrontDoor")
@option("--where", metavar="PLACE", type=Choice(PLACES), default=REGION, help="where the machines are, for the costs")
@option("--line", "line_gbit", metavar="G", type=_AMOUNT, default=0.0, help="the site's line in Gbit/s, if it limits")
@option("--quota", metavar="N", type=_COUNT, default=1000, help="the account's concurrency of Lambda")
@option("--balancer-units", metavar="N", type=_NUMBER, default=0, help="reserved capacity units of the balancer")
@click.option("--keep-alive", is_flag=True, help="the balancer's responses have Connection: keep-alive")
@option("--table-reads", metavar="N", type=_COUNT, default=12_000, help="the table's warm throughput, in reads")
@click.option("--retry", is_flag=True, help="iPXE has examples/ipxe/retry.ipxe")
@click.option("--history/--no-history", default=True, help="whether histories of machines are written")
@option("--history-concurrency", metavar="N", type=_NUMBER, default=0, help="the stack's HistoryConcurrency")
@click.option("--knobs/--no-knobs", default=True, help="whether changes that may help are tried")
@option("--seed", metavar="N", type=int, default=1, help="of all that is random")
@option("--svg", metavar="FILE", default="", show_default=False, help="write a picture of who had booted when")
@output_option()
def plan(within: float, output: str, svg: str, *, knobs: bool, **given: Any) -> None:
    """Simulate a boot storm of the stack: who boots when, what fails and why, what it costs, and what would help."""
    from matchboxctl.plan.command import show

    show(within, output, svg, with_knobs=knobs, **given)
