"""Options and help texts that commands share."""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from lambda_matchbox.log_levels import LEVELS, log_level
from matchboxctl.cli.arguments import DATA_PATH, share, variable
from matchboxctl.log.settings import FORMATS

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

STORE_MODE = (
    "MATCHBOX_TABLE and MATCHBOX_BUCKET, or --stack, name table and bucket, on AWS or on AWS_ENDPOINT_URL_DYNAMODB and "
    "AWS_ENDPOINT_URL_S3."
)
MODES = (
    "With MATCHBOX_TABLE and MATCHBOX_BUCKET set, or with --stack, the command works on a DynamoDB table and an S3 "
    "bucket (store mode), on AWS or on AWS_ENDPOINT_URL_DYNAMODB and AWS_ENDPOINT_URL_S3; otherwise on a data "
    "directory."
)

_Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]
_Opens = Callable[[str, str], AbstractContextManager[Any]]
_Completes = Callable[[click.Context, click.Parameter, str], list[str]]


def _completed_by_the_shell(metavar: str) -> Callable[..., "list[CompletionItem]"] | None:
    kind = {"FILE": "file", "DIR": "dir"}.get(metavar.strip("[]."))

    def complete(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> "list[CompletionItem]":
        from click.shell_completion import CompletionItem

        return [CompletionItem(incomplete, type=kind or "")]

    return complete if kind else None


class Choice(click.Choice[str]):
    """One of some words; a wrong one is answered with what may have been meant."""

    def get_missing_message(self, param: click.Parameter, ctx: click.Context | None) -> str:  # noqa: ARG002
        """What to give, in the line of the message."""
        return f"Use one of {', '.join(self.choices)}."

    def get_invalid_choice_message(self, value: str, ctx: click.Context | None) -> str:
        """The message."""
        from matchboxctl.cli.names import did_you_mean

        message = super().get_invalid_choice_message(value, ctx)
        return message.removesuffix(".") + did_you_mean(value, lambda: self.choices)


def argument(name: str, metavar: str, **settings: Any) -> _Decorator:
    """An argument; the shell completes files and directories."""
    return click.argument(name, metavar=metavar, shell_complete=_completed_by_the_shell(metavar), **settings)


def option(*names: str, metavar: str, **settings: Any) -> _Decorator:
    """An option with a value; the shell completes files and directories."""
    return click.option(*names, metavar=metavar, shell_complete=_completed_by_the_shell(metavar), **settings)


def flag(
    name: str, metavar: str, what: str, default: str | int | None = "", *, shown: str = "", **settings: Any
) -> _Decorator:
    """An option that an environment variable, by default of its name, may set too; its help has the default `shown`."""
    return option(
        name,
        metavar=metavar,
        help=what,
        default=default,
        show_envvar=True,
        show_default=shown or True,
        **{"envvar": variable(name), **settings},
    )


def _or_before_the_command(context: click.Context, parameter: click.Parameter, value: str) -> str:
    """The value of the command's own flag, of the same flag before the command, or of the environment."""
    above = _where_given(context, parameter.name)
    given: str = value if above is None else above.params.get(parameter.name, value)
    return given


def _where_given(context: click.Context | None, name: str | None) -> click.Context | None:
    """The command, or the nearest above it, after which the command line has the flag."""
    while context is not None and context.get_parameter_source(name or "") is not ParameterSource.COMMANDLINE:
        context = context.parent
    return context


def is_given(name: str) -> bool:
    """Whether the command line itself has the flag of this parameter."""
    return _where_given(click.get_current_context(), name) is not None


def store_flags(what: str = "matchbox's data directory") -> _Decorator:
    """`--data-path` and `--stack`; they are empty if neither flag nor environment gives them."""
    data_path = flag("--data-path", "DIR", what, shown=DATA_PATH, callback=_or_before_the_command)
    return lambda command: data_path(stack_flag(command))


def opened_by(opens: _Opens, what: str = "matchbox's data directory") -> _Decorator:
    """The flags of `store_flags`, in place of which the command is given what `opens` opens by their values."""

    def decorated(command: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(command)
        def run(data_path: str, stack: str, **others: Any) -> None:
            with opens(data_path, stack) as opened:
                command(opened, **others)

        return store_flags(what)(run)

    return decorated


def completed_by(opens: _Opens, names: Callable[[Any, str], Iterable[str]], given: str = "") -> _Completes:
    """A shell's completion by the names in what `opens` opens, but for those that the argument `given` has already.

    `names` is given the beginning as well.
    """

    def complete(context: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
        from matchboxctl.cli.names import completions

        def found() -> Iterable[str]:
            with opens(context.params["data_path"], context.params["stack"]) as opened:
                return names(opened, incomplete)

        return completions(found, incomplete, context.params.get(given) or ())

    return complete


def stack_flag(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--stack`."""
    what = "CloudFormation stack whose table and bucket to use, in place of MATCHBOX_TABLE and MATCHBOX_BUCKET"
    return flag("--stack", "NAME", what, shown="none", callback=_or_before_the_command)(command)


def log_flags(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--log-level` and `--log-format`, which is None if it is not given."""
    levels = f"lowest level of the log on standard error: {', '.join(LEVELS)}"
    formats = "format of the log: text, short lines with colours unless NO_COLOR is set, or json"
    shown = "text on a terminal, json elsewhere"
    command = flag("--log-format", "FORMAT", formats, None, shown=shown, type=Choice(FORMATS))(command)
    return flag("--log-level", "LEVEL", levels, "info", type=_level)(command)


def _level(text: str) -> str:
    try:
        return log_level(text)
    except ValueError as error:
        from matchboxctl.cli.names import did_you_mean

        raise click.BadParameter(f"{error}{did_you_mean(text, lambda: LEVELS)}") from error


def boolean(text: str) -> bool:
    """The type of a flag with a value, in matchbox's spellings."""
    value = click.BOOL.str_to_bool(text)
    if value is None:
        raise click.BadParameter(f"{text!r} is neither true nor false")
    return value


def share_option() -> _Decorator:
    """`--share`, where other programs look for files about the command."""
    return click.option(
        "--share",
        metavar="DIR",
        type=click.Path(path_type=Path),
        default=share,
        show_default="/usr/local/share as root, else XDG_DATA_HOME or ~/.local/share",
        help="the directory of files for other programs",
    )


def label_option() -> _Decorator:
    """`--label`, which may be repeated."""
    what = "a label of the machine, such as mac=52:54:00:12:34:56; may be repeated"
    return click.option("--label", "labels", metavar="KEY=VALUE", multiple=True, help=what)


def output_option(text: str = "table", *others: str) -> _Decorator:
    """`-o`; `text` names the default, which is for people."""
    formats = Choice((text, "json", "yaml", *others))
    return click.option("-o", "--output", type=formats, default=text, help="the format")
