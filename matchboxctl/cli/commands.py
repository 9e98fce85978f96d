"""Commands and groups of Click whose long flags have one dash or two, and whose help has examples."""

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any, NamedTuple

import click

from matchboxctl.cli.help_text import HelpText

CONTEXT: dict[str, Any] = {"help_option_names": ["-h", "--help"], "max_content_width": 120, "show_default": True}
"""Settings of the command line, which its commands inherit."""


class _Flags(click.Command):
    """matchbox's manner of writing flags: `-address :8080`, `--address=:8080`, `-o json`, `-ojson` and `-o=json`."""

    def __init__(self, *arguments: Any, examples: Sequence[str] = (), **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self._examples = examples

    def make_parser(self, ctx: click.Context) -> Any:
        """The parser, which also knows long flags with one dash."""
        parser = super().make_parser(ctx)
        long, short = parser._long_opt, parser._short_opt  # noqa: SLF001 (Click has no setting for it)
        long.update({flag.removeprefix("-"): option for flag, option in long.items()} | short)
        return parser

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse; an unknown flag is named as it was written, with what may have been meant."""
        given = [*args]
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            flag = next(arg for arg in given if arg.startswith(error.option_name)).partition("=")[0]
            raise self.unknown_flag(ctx, flag, given) from None

    def get_help(self, ctx: click.Context) -> str:
        """The help, in lines of the terminal's width."""
        text = HelpText(width=ctx.terminal_width, max_width=ctx.max_content_width)
        self.format_help(ctx, text)
        return text.getvalue().rstrip("\n")

    def get_short_help_str(self, limit: int = 0) -> str:  # noqa: ARG002
        """The summary in a list of commands, which wraps it."""
        return super().get_short_help_str(sys.maxsize)

    def has_flag(self, flag: str, ctx: click.Context) -> bool:
        """Whether the command has this flag, written with one dash or two."""
        return any(flag in (name, name.removeprefix("-")) for each in self.get_params(ctx) for name in each.opts)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples and the epilog."""
        if self._examples:
            with formatter.section("Examples"):
                for example in self._examples:
                    formatter.write_text(example)
        super().format_epilog(ctx, formatter)

    def flags_like(self, flag: str, ctx: click.Context) -> list[str]:
        """The long flags that may be meant by one that the command does not have."""
        flags = [name for each in self.get_params(ctx) for name in each.opts if name.startswith("--")]
        return _alike(flag if flag.startswith("--") else f"-{flag}", flags)

    def unknown_flag(self, ctx: click.Context, flag: str, given: Sequence[str]) -> click.UsageError:  # noqa: ARG002
        """The error that the command has no such flag among what was given."""
        return click.UsageError(f"No such option '{flag}'.{_did_you_mean(self.flags_like(flag, ctx))}", ctx)


class Command(_Flags):
    """A command."""


class Group(_Flags, click.Group):
    """A command of several commands."""

    command_class = Command

    def unknown_flag(self, ctx: click.Context, flag: str, given: Sequence[str]) -> click.UsageError:
        """The error, which says where a flag of one of the commands goes."""
        for place, name in enumerate(given):
            command = self.get_command(ctx, name)
            if isinstance(command, _Flags):
                inner = click.Context(command, ctx, name)
                if command.has_flag(flag, inner):
                    return click.UsageError(f"{flag} goes after the command: {inner.command_path} {flag} ...", ctx)
                if isinstance(command, Group):
                    return command.unknown_flag(inner, flag, given[place + 1 :])
                meant = [f"{inner.command_path} {one} ..." for one in command.flags_like(flag, inner)]
                return click.UsageError(f"No such option '{flag}'.{_did_you_mean(meant)}", ctx)
        return super().unknown_flag(ctx, flag, given)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is named first; an unknown one is answered with what may have been meant."""
        try:
            return super().resolve_command(ctx, args)
        except click.NoSuchCommand as error:
            name = error.command_name
            flags = [one for one in self.flags_like(f"--{name}", ctx) if one == f"--{name}"]
            meant = flags or _alike(name, self.list_commands(ctx)) or self._commands_of_commands(ctx, name)
            raise click.UsageError(f"No such command '{name}'.{_did_you_mean(meant)}", ctx) from None

    def _commands_of_commands(self, ctx: click.Context, name: str) -> list[str]:
        """`group list` and others for `list`."""
        commands = ((outer, self.get_command(ctx, outer)) for outer in self.list_commands(ctx))
        return [f"{outer} {name}" for outer, one in commands if isinstance(one, click.Group) and name in one.commands]


class Line(NamedTuple):
    """A line of the list of commands, and where the command is, as `module:name`."""

    name: str
    summary: str
    where: str


class LazyGroup(Group):
    """A group that imports a command when it is used; its help lists the commands in sections."""

    def __init__(self, *arguments: Any, sections: dict[str, Sequence[Line]], **settings: Any) -> None:
        self._sections = sections
        self._where = {line.name: line.where for lines in sections.values() for line in lines}
        # Click takes from them what it suggests.
        unloaded = {name: click.Command(name) for name in self._where}
        super().__init__(*arguments, commands=unloaded, **settings)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command, imported."""
        if cmd_name not in self._where:
            return None
        module, _, name = self._where[cmd_name].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the sections."""
        width = max(map(len, self._where))
        for heading, lines in self._sections.items():
            with formatter.section(heading):
                formatter.write_dl([(f"{line.name:{width}}", line.summary) for line in lines])


def _alike(name: str, names: Sequence[str]) -> list[str]:
    """Those that are like the name, or begin with it."""
    from difflib import get_close_matches

    return get_close_matches(name, names) or [one for one in names if one.startswith(name)]


def _did_you_mean(names: Sequence[str]) -> str:
    return f" Did you mean {' or '.join(map(repr, names))}?" if names else ""
