"""Commands and groups of Click whose long flags have one dash or two, and whose help has examples."""

from collections.abc import Sequence
from importlib import import_module
from typing import Any, NamedTuple

import click

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 120, "show_default": True}
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

    def unknown_flag(self, ctx: click.Context, flag: str, given: Sequence[str]) -> click.UsageError:  # noqa: ARG002
        """The error that the command has no such flag among what was given."""
        flags = [name for each in self.get_params(ctx) for name in each.opts if name.startswith("--")]
        name = flag if flag.startswith("--") else f"-{flag}"
        return click.NoSuchOption(name, f"No such option '{flag}'.", possibilities=flags, ctx=ctx)


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
        return super().unknown_flag(ctx, flag, given)


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
