"""`matchboxctl machine`, with its verbs."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from matchboxctl.cli.commands import Group
from matchboxctl.cli.options import MODES, label_option, option, output_option, store_flags
from matchboxctl.store.advice import chosen_with_advice

if TYPE_CHECKING:
    from matchboxctl.machines.opened_stores import OpenedStores

_IDS = (
    "ID is a MAC address in any spelling, a UUID, a serial number, or the beginning of one that no other machine "
    "shares. "
)
_EPILOG = _IDS + "Exit codes: 0 success, 1 failure, 2 wrong usage, 4 nobody acted on the machine. " + MODES
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}

machine = Group(
    "machine", help="Approve, arm, hold and describe machines.", epilog=_EPILOG, subcommand_metavar="VERB ..."
)


@contextmanager
def _opened(data_path: str, stack: str) -> "Iterator[OpenedStores]":
    from matchboxctl.machines.opened_stores import opened_stores

    with chosen_with_advice(data_path, stack) as store, opened_stores(store) as opened, opened.advising():
        yield opened


def _seconds(text: str) -> int:
    found = re.fullmatch(r"([0-9]{1,6})([smhd])", text)
    if found is None or not int(found[1]):
        raise click.BadParameter("use a number and s, m, h or d, such as 30m")
    return int(found[1]) * _UNITS[found[2]]


def _verb(name: str, *more: str) -> Callable[[Callable[..., Any]], click.Command]:
    example = " ".join(["matchboxctl", "machine", name, "52-54-00-12-34-56", *more])
    return machine.command(name, epilog=_EPILOG, examples=[example])


def _complete(context: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    from matchboxctl.cli.names import completions

    def ids() -> list[str]:
        with _opened(context.params["data_path"], context.params["stack"]) as opened:
            # A MAC address in the spelling that was begun.
            return [one.replace(":", "-") if "-" in incomplete else one for one in opened.ids()]

    return completions(ids, incomplete, context.params.get("ids") or ())


def _complete_group(context: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    from matchboxctl.cli.names import completions

    def ids() -> list[str]:
        with _opened(context.params["data_path"], context.params["stack"]) as opened:
            return [group.id for group in opened.groups()]

    return completions(ids, incomplete, ())


_ids = click.argument("ids", metavar="ID...", nargs=-1, required=True, shell_complete=_complete)


@_verb("describe")
@click.argument("machine_id", metavar="ID", shell_complete=_complete)
@label_option()
@option("--address", metavar="ADDRESS", default="", help="the address from which it would ask, for a policy's networks")
@store_flags()
@output_option()
def describe(machine_id: str, labels: tuple[str, ...], address: str, data_path: str, stack: str, output: str) -> None:
    """Show a machine's identities, group, policy and state, and what it would get now."""
    from matchboxctl.machines.describe import describe

    with _opened(data_path, stack) as opened:
        describe(opened, machine_id, labels, address, output)


@_verb("approve")
@_ids
@click.option(
    "--group",
    metavar="GROUP",
    default="",
    show_default="the one that their identities select",
    shell_complete=_complete_group,
    help="the group whose machines they may be",
)
@store_flags()
@output_option()
def approve(ids: Sequence[str], group: str, data_path: str, stack: str, output: str) -> None:
    """Let machines of a group with `approve` boot."""
    from matchboxctl.machines.actions import approve

    with _opened(data_path, stack) as opened:
        approve(opened, ids, group, output)


@_verb("arm", "--for", "30m")
@_ids
@option("--for", "seconds", metavar="TIME", type=_seconds, default="24h", show_default=True, help="how long they may")
@store_flags()
@output_option()
def arm(ids: Sequence[str], seconds: int, data_path: str, stack: str, output: str) -> None:
    """Let installed machines install again at their next boot."""
    from matchboxctl.machines.actions import arm

    with _opened(data_path, stack) as opened:
        arm(opened, ids, seconds, output)


@_verb("hold")
@_ids
@store_flags()
@output_option()
def hold(ids: Sequence[str], data_path: str, stack: str, output: str) -> None:
    """Give machines nothing until `unhold`."""
    from matchboxctl.machines.actions import hold

    with _opened(data_path, stack) as opened:
        hold(opened, ids, output)


@_verb("unhold")
@_ids
@store_flags()
@output_option()
def unhold(ids: Sequence[str], data_path: str, stack: str, output: str) -> None:
    """Answer held machines again; their older tokens stay ended."""
    from matchboxctl.machines.actions import unhold

    with _opened(data_path, stack) as opened:
        unhold(opened, ids, output)


@_verb("forget", "--state")
@_ids
@click.option("--state", is_flag=True, help="delete their states: they install again at their next network boot")
@store_flags()
@output_option()
def forget(ids: Sequence[str], data_path: str, stack: str, output: str, *, state: bool) -> None:
    """Delete the states of machines, which are kept without --state."""
    from matchboxctl.machines.actions import forget

    with _opened(data_path, stack) as opened:
        forget(opened, ids, output, state=state)
