"""`matchboxctl secret`, with its verbs."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from matchboxctl.cli.commands import Command, Group
from matchboxctl.cli.options import MODES, argument, completed_by, opened_by, option, output_option, store_flags
from matchboxctl.store.advice import chosen_with_advice

if TYPE_CHECKING:
    from matchboxctl.secrets.commands import Target

EPILOG = (
    "Exit codes: 0 success, 1 failure, 2 wrong usage, 4 no such secret, 130 interrupted. Secrets are parameters of AWS "
    "Systems Manager below MATCHBOX_SECRETS, or files in the data directory. " + MODES
)

secret = Group(
    "secret", help="Set, list, describe and delete secrets of templates.", epilog=EPILOG, subcommand_metavar="VERB ..."
)


class _SetCommand(Command):
    """`set`, whose error for what it does not know quotes none of it: it may be the value."""

    def unknown_flag(self, ctx: click.Context, flag: str, given: Sequence[str]) -> click.UsageError:  # noqa: ARG002
        """The error."""
        return click.UsageError(_NO_ARGUMENT, ctx)


_NO_ARGUMENT = (
    "set takes a name and the options of its help. A value never stands in the command, where ps and the shell's "
    "history show it: if one did, replace it everywhere, and type it or use -f"
)


@contextmanager
def _opened(data_path: str, stack: str, kms_key: str = "") -> Iterator["Target"]:
    from matchboxctl.secrets.commands import opened_target

    with chosen_with_advice(data_path, stack) as store, opened_target(store, kms_key) as target:
        yield target


def _verb(name: str, *examples: str, command: type[Command] = Command) -> Callable[[Callable[..., Any]], click.Command]:
    given = [" ".join(["matchboxctl", "secret", name, *([one] if one else [])]) for one in examples]
    return secret.command(name, cls=command, epilog=EPILOG, examples=given)


_on_secrets = opened_by(_opened)
_complete = completed_by(_opened, lambda target, _: [one.name for one in target.secrets.names()], "names")
_name = click.argument("name", metavar="NAME", shell_complete=_complete)


@_verb("set", "talos/prod/token", "talos/prod/token -f token.txt", command=_SetCommand)
@_name
@argument("more", metavar="", nargs=-1)
@option("-f", "--file", metavar="FILE", default=None, help="the file with the value; - is standard input")
@option(
    "--kms-key",
    metavar="KEY",
    default="",
    show_default="MATCHBOX_KMS_KEY, the stack's, the secret's own, or the account's",
    help="on AWS: the KMS key that encrypts it, as id, ARN or alias/NAME",
)
@store_flags()
def set_(name: str, more: Sequence[str], file: str | None, kms_key: str, data_path: str, stack: str) -> None:
    """Create or replace a secret.

    Without -f the value is typed, twice, and not shown. One final newline of a file or of standard input is no part of
    it. Nothing is written unless the value differs.
    """
    if more not in ((), ("-",)) or (more and file is not None):
        raise click.UsageError(_NO_ARGUMENT, click.get_current_context())
    from matchboxctl.secrets.commands import set_secret

    with _opened(data_path, stack, kms_key) as target:
        set_secret(target, name, "-" if more else file)


@_verb("list", "", "-o json")
@_on_secrets
@output_option()
def list_(target: "Target", output: str) -> None:
    """List all secrets, without their values."""
    from matchboxctl.secrets.commands import list_all

    list_all(target, output)


@_verb("describe", "talos/prod/token")
@_name
@_on_secrets
@output_option()
def describe(target: "Target", name: str, output: str) -> None:
    """Show where a secret lies, and which templates name it; not its value."""
    from matchboxctl.secrets.commands import describe

    describe(target, name, output)


@_verb("used", "", "-o json")
@_on_secrets
@output_option()
def used(target: "Target", output: str) -> None:
    """Show which templates name which secrets, and which secrets are missing or unused.

    Exits with 1 if one is missing.
    """
    from matchboxctl.secrets.commands import used

    used(target, output)


@_verb("get", "talos/prod/token --reveal")
@_name
@click.option("--reveal", is_flag=True, help="print the value")
@_on_secrets
@output_option("text")
def get(target: "Target", name: str, output: str, *, reveal: bool) -> None:
    """Print the value of a secret, as it is."""
    from matchboxctl.secrets.commands import get

    get(target, name, output, reveal=reveal)


@_verb("delete", "talos/prod/token")
@click.argument("names", metavar="NAME...", nargs=-1, required=True, shell_complete=_complete)
@click.option("--yes", is_flag=True, help="do not ask for confirmation if templates name it")
@_on_secrets
def delete(target: "Target", names: Sequence[str], *, yes: bool) -> None:
    """Delete secrets."""
    from matchboxctl.secrets.commands import delete

    delete(target, names, yes=yes)
