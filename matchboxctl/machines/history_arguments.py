"""`matchboxctl machine`, with its verbs on histories too."""

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, get_args

import click

from lambda_matchbox.machines.state import StateName
from matchboxctl.cli.durations import seconds_in
from matchboxctl.cli.options import MODES, Choice, option, output_option, store_flags
from matchboxctl.machines.arguments import (
    EPILOG,
    complete_group,
    complete_id,
    machine,
    on_machines,
    opened_for,
)
from matchboxctl.store.advice import chosen_with_advice

if TYPE_CHECKING:
    from matchboxctl.machines.opened_stores import OpenedStores

__all__ = ["machine"]

_LIST = "Exit codes: 0 success, 1 failure, 2 wrong usage. " + MODES
_state = click.option("--state", type=Choice(get_args(StateName)), default=None, help="only machines in this state")
_id = click.argument("machine_id", metavar="ID", shell_complete=complete_id)


def _moment(seconds: int | None) -> int:
    """So long ago, in milliseconds since 1970; 0 for None."""
    return int((time.time() - seconds) * 1000) if seconds else 0


def _since(what: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    return option(
        "--since", metavar="TIME", type=seconds_in, default=None, show_default="all", help=f"{what}, such as 1h"
    )


@machine.command(
    "list",
    epilog=_LIST,
    examples=["matchboxctl machine list", "matchboxctl machine list --state waiting --since 1h -o json"],
)
@_state
@click.option(
    "--group",
    metavar="GROUP",
    default=None,
    shell_complete=complete_group,
    help="only machines whose last request was for this group, or, if it is empty, for none",
)
@_since("only machines with an event within this time")
@click.option("--limit", type=click.IntRange(1, 1000), metavar="N", default=100, help="how many at most, up to 1000")
@click.option(
    "--cursor", metavar="CURSOR", default="", show_default="the first page", help="the page after that of this cursor"
)
@click.option("--page", is_flag=True, help="with -o json or yaml: an object with `machines` and `cursor`")
@store_flags()
@output_option("table", "wide")
def list_(
    state: str | None,
    group: str | None,
    since: int | None,
    limit: int,
    cursor: str,
    data_path: str,
    stack: str,
    output: str,
    *,
    page: bool,
) -> None:
    """List machines that sent a request or that an operator acted on, those with the newest events first.

    Group and address are those of a machine's last request, its state is that of now.
    """
    if page and output not in ("json", "yaml"):
        raise click.UsageError("--page needs -o json or -o yaml", click.get_current_context())
    from lambda_matchbox.machines.history_stores import Wanted
    from matchboxctl.machines.listing import list_machines

    with opened_for(data_path, stack) as opened:
        wanted = Wanted(state or "", group, _moment(since))
        list_machines(opened, wanted, limit, cursor, output, with_cursor=page)


@machine.command(
    "history",
    epilog=EPILOG,
    examples=[
        "matchboxctl machine history 52-54-00-12-34-56",
        "matchboxctl machine history 52-54-00-12-34-56 --since 24h",
    ],
)
@_id
@_since("only events within this time")
@on_machines
@output_option()
def history(opened: "OpenedStores", machine_id: str, since: int | None, output: str) -> None:
    """Show the boots of a machine, with what it requested, got and reported, and operators' commands.

    Requests for assets name no machine. Those marked `inferred` came from its address after its boot script, and no
    other machine got a script there at that time.
    """
    from matchboxctl.machines.boot_history import show_history

    show_history(opened, machine_id, _moment(since), output)


@machine.command(
    "watch",
    epilog=_LIST.replace("wrong usage", "wrong usage, 130 interrupted"),
    examples=["matchboxctl machine watch", "matchboxctl machine watch --state waiting -o json"],
)
@_state
@on_machines
@click.option("-o", "--output", type=Choice(("table", "json")), default="table", help="the format; json has lines")
def watch(opened: "OpenedStores", state: str | None, output: str) -> None:
    """Show what machines do as it happens, a line for each event, until Ctrl-C."""
    from matchboxctl.machines.watch import watch

    watch(opened, state or "", output)


@machine.command(
    "accept",
    epilog=EPILOG,
    options_metavar="--profile PROFILE [OPTIONS]",
    examples=["matchboxctl machine accept 52-54-00-12-34-56 --profile worker --metadata role=worker"],
)
@_id
@click.option("--profile", metavar="PROFILE", required=True, help="the profile of the new group")
@click.option("--group-id", metavar="GROUP", default="", show_default="the machine's", help="the new group's id")
@click.option(
    "--metadata", metavar="KEY=VALUE", multiple=True, help="a text in the new group's metadata; may be repeated"
)
@store_flags()
def accept(machine_id: str, profile: str, group_id: str, metadata: Sequence[str], data_path: str, stack: str) -> None:
    """Create a group that selects a machine, by its MAC address or else its UUID.

    The group is checked as by `group create`. A machine that a group selects by an identity already is refused.
    """
    from matchboxctl.machines.acceptance import NewGroup, accept
    from matchboxctl.machines.opened_stores import opened_stores
    from matchboxctl.resources.command import target_of

    with chosen_with_advice(data_path, stack) as store, opened_stores(store) as opened, opened.advising():
        accept(opened, target_of("group", store), machine_id, NewGroup(profile, group_id, metadata))
