import re

import click
import pytest

from matchboxctl.cli.commands import CONTEXT
from matchboxctl.main import PROGRAM, command_line
from matchboxctl.man.page import commands


@pytest.mark.parametrize("width", [80, 120])
def test_lines_end_between_words(width: int) -> None:
    """Neither at a hyphen nor within `[env var: NAME`; and none is wider than the terminal."""
    context = click.Context(command_line, info_name=PROGRAM, terminal_width=width, **CONTEXT)
    helps = [command_line.get_help(context), *(each.command.get_help(each) for each in commands(context))]
    lines = "\n".join(helps).splitlines()
    assert len(lines) > 1000
    assert [] == [line for line in lines if len(line) > width]
    assert [] == [line for line in lines if re.search(r"\w-$|\[env$|default:$", line)]
    whole = set(re.findall(r"MATCHBOX_\w+", "\n".join(lines)))
    assert {"MATCHBOX_MAX_CONNECTIONS_PER_ADDRESS", "MATCHBOX_DATA_PATH"} <= whole
    assert not {"MATCHBOX_", "MATCHBOX"} & whole
    assert set("\u2011\u00a0").isdisjoint("".join(lines))
