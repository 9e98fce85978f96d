"""The manual page, made of the help of every command."""

import inspect
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import click

from matchboxctl import __version__
from matchboxctl.cli.shared_files import MADE

_EXIT_STATUS = (
    ("0", "done"),
    ("1", "failed or partly done; standard error has the rest"),
    ("2", "not possible as requested"),
    ("4", "nothing has the given id or name"),
    ("130, 141", "interrupted; the reader of the output has ended"),
)


def page(command: click.Command) -> str:
    """The page in roff, for man(1)."""
    context = click.Context(command, info_name=command.name, **command.context_settings)
    formatter = _Roff(command.epilog or "")
    name, summary = _escaped(command.name or ""), _escaped((command.help or "").rstrip(".").lower())
    formatter.write(f'.\\" {MADE}\n.TH {name.upper()} 1 "" "Lambda matchbox {__version__}" "User Commands"\n')
    formatter.write(f".nh\n.ad l\n.SH NAME\n{name} \\- {summary}\n.SH SYNOPSIS\n")
    command.format_usage(context, formatter)
    formatter.write(f".SH DESCRIPTION\n{_escaped(command.epilog or '')}\n.SH OPTIONS\n")
    click.Command.format_options(command, context, formatter)
    formatter.write(".SH COMMANDS\n")
    for inner in commands(context):
        formatter.write(f".SS {_escaped(inner.command_path)}\n")
        inner.command.format_help(inner, formatter)
    formatter.write(".SH EXIT STATUS\n")
    formatter.write_dl(_EXIT_STATUS)
    return formatter.getvalue()


def commands(context: click.Context) -> Iterator[click.Context]:
    """The contexts of all commands below that do something themselves, without their --help."""
    group = context.command
    if not isinstance(group, click.Group):
        yield context
        return
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is not None:
            yield from commands(click.Context(command, context, name, help_option_names=[]))


class _Roff(click.HelpFormatter):
    """Takes the parts of a help, and writes macros of man(7) in place of columns."""

    def __init__(self, known: str) -> None:
        super().__init__()
        self._known = known
        self._is_example = False

    def write_paragraph(self) -> None:
        """Write nothing: every part begins a paragraph."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:  # noqa: ARG002
        """Write the command in bold, and its arguments."""
        self.write(f".B {_escaped(prog)}\n{_escaped(args)}\n")

    def write_text(self, text: str) -> None:
        """Write paragraphs, or an example on a line of its own."""
        if self._is_example:
            self.write(f"{_escaped(text)}\n.br\n")
            return
        # What most commands end with is said once.
        paragraphs = [] if text == self._known else re.split(r"\n\s*\n", inspect.cleandoc(text))
        for paragraph in paragraphs:
            self.write(f".PP\n{_escaped(' '.join(paragraph.split()))}\n")

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:  # noqa: ARG002
        """Write terms, and what they mean below them."""
        for term, meaning in rows:
            self.write(f".TP\n.B {_escaped(term.strip())}\n{_escaped(meaning)}\n")

    @contextmanager
    def section(self, name: str) -> Iterator[None]:
        """Let examples have their lines; options need no heading."""
        self._is_example = name == "Examples"
        if self._is_example:
            self.write(".PP\nExamples:\n.RS 4\n")
        yield
        if self._is_example:
            self.write(".RE\n")
        self._is_example = False


def _escaped(text: str) -> str:
    """The text for roff, where a backslash escapes and a dot or a quote at the beginning makes a macro."""
    text = (
        text.replace("\\", "\\e").replace("-", "\\-").replace("^", "\\(ha").replace("~", "\\(ti").replace("`", "\\(ga")
    )
    text = re.sub(r"[^\x00-\x7f]", lambda found: f"\\[u{ord(found[0]):04X}]", text)
    return re.sub(r"^(?=[.'])", r"\\&", text, flags=re.MULTILINE)
