"""`matchboxctl machine`, with its verbs on states."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from matchboxctl.cli.commands import Group
from matchboxctl.cli.durations import seconds_in
from matchboxctl.cli.options import MODES, completed_by, label_option, opened_by, option, output_option, store_flags
from matchboxctl.store.advice import chosen_with_advice

if TYPE_CHECKING:
    from matchboxctl.machines.opened_stores import OpenedStores

_IDS = (
    "ID is a MAC address in any spelling, a UUID, a serial number, or the beginning of one that no other machine "
    "shares. "
)
EPILOG = (
    _IDS
    + "Exit codes: 0 success, 1 failure, 2 wrong usage, 4 nobody acted on the machine, and it was never seen. "
    + MODES
)

machine = Group(
    "machine", help="List, approve, arm, hold and describe machines.", epilog=EPILOG, subcommand_metavar="VERB ..."
)


@contextmanager
def opened_for(data_path: str, stack: str) -> "Iterator[OpenedStores]":
    """The stores that the flags choose, with advice on their errors."""
    from matchboxctl.machines.opened_stores import opened_stores

    with chosen_with_advice(data_path, stack) as store, opened_stores(store) as opened, opened.advising():
        yield opened


def _verb(name: str, *more: str) -> Callable[[Callable[..., Any]], click.Command]:
    example = " ".join(["matchboxctl", "machine", name, "52-54-00-12-34-56", *more])
    return machine.command(name, epilog=EPILOG, examples=[example])


def _names(opened: "OpenedStores", beginning: str) -> list[str]:
    # A MAC address in the spelling that was begun.
    return [one.replace(":", "-") if "-" in beginning else one for one in opened.ids(beginning)]


on_machines = opened_by(opened_for)
complete_id = completed_by(opened_for, _names, "ids")
complete_group = completed_by(opened_for, lambda opened, _: [group.id for group in opened.groups()])
_ids = click.argument("ids", metavar="ID...", nargs=-1, required=True, shell_complete=complete_id)


@_verb("describe")
@click.argument("machine_id", metavar="ID", shell_complete=complete_id)
@label_option()
@option(
    "--address",
    metavar="ADDRESS",
    default="",
    show_default="none",
    help="the address that its requests come from, for a policy's networks",
)
@on_machines
@output_option()
def describe(opened: "OpenedStores", machine_id: str, labels: tuple[str, ...], address: str, output: str) -> None:
    """Show a machine's identities, group, policy and state, and what it would get now."""
    from matchboxctl.machines.describe import describe

    describe(opened, machine_id, labels, address, output)


@machine.command(
    "approve",
    epilog=EPILOG,
    examples=["matchboxctl machine approve 52-54-00-12-34-56", "matchboxctl machine approve --group workers --all"],
)
@click.argument("ids", metavar="[ID]...", nargs=-1, shell_complete=complete_id)
@click.option(
    "--group",
    metavar="GROUP",
    default="",
    show_default="the one that their identities select",
    shell_complete=complete_group,
    help="the group whose machines they may be",
)
@click.option("--all", "every", is_flag=True, help="with --group: all waiting machines whose last request was for it")
@store_flags()
@output_option()
def approve(ids: Sequence[str], group: str, data_path: str, stack: str, output: str, *, every: bool) -> None:
    """Let machines of a group with `approve` boot."""
    if every == bool(ids) or (every and not group):
        raise click.UsageError("name machines, or use --group GROUP --all", click.get_current_context())
    from matchboxctl.machines.actions import approval, run
    from matchboxctl.machines.group_approval import approve_waiting

    with opened_for(data_path, stack) as opened:
        if every:
            approve_waiting(opened, group, output)
        else:
            run(opened, ids, approval(opened, group), output)


@_verb("arm", "--for", "30m")
@_ids
@option("--for", "seconds", metavar="TIME", type=seconds_in, default="24h", show_default=True, help="how long they may")
@on_machines
@output_option()
def arm(opened: "OpenedStores", ids: Sequence[str], seconds: int, output: str) -> None:
    """Let installed machines install again at their next boot."""
    from matchboxctl.machines.actions import arming, run

    run(opened, ids, arming(opened, seconds), output)


@_verb("hold")
@_ids
@on_machines
@output_option()
def hold(opened: "OpenedStores", ids: Sequence[str], output: str) -> None:
    """Give machines nothing until `unhold`."""
    from matchboxctl.machines.actions import holding, run

    run(opened, ids, holding(opened), output)


@_verb("unhold")
@_ids
@on_machines
@output_option()
def unhold(opened: "OpenedStores", ids: Sequence[str], output: str) -> None:
    """Release held machines; their older tokens stay ended."""
    from matchboxctl.machines.actions import run, unholding

    run(opened, ids, unholding(opened), output)


@_verb("forget", "--state")
@_ids
@click.option("--state", is_flag=True, help="also delete their states: they install again at their next network boot")
@on_machines
@output_option()
def forget(opened: "OpenedStores", ids: Sequence[str], output: str, *, state: bool) -> None:
    """Delete the histories of machines; their states are kept without --state."""
    from matchboxctl.machines.actions import forgetting, run

    run(opened, ids, forgetting(opened, state=state), output)
