"""The manual page as man shows it."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

from matchboxctl.main import PROGRAM, command_line
from matchboxctl.man.page import commands
from tests.rigs.install import on_path

pytestmark = pytest.mark.real

MATCHBOXCTL = Path(sys.executable).with_name(PROGRAM)
COLUMNS = 80


def run(*command: str | Path, home: Path, given: str | None = None) -> str:
    """What a command prints for a user; it must succeed and complain about nothing."""
    environment = {
        "PATH": f"{home}/.local/bin:{os.environ['PATH']}",
        "HOME": str(home),
        "XDG_DATA_HOME": f"{home}/.local/share",
        "MANWIDTH": str(COLUMNS),
        "LC_ALL": "C.UTF-8",
    }
    ended = subprocess.run(command, env=environment, input=given, capture_output=True, text=True, check=False)
    assert (0, "") == (ended.returncode, ended.stderr)
    return ended.stdout


def test_page_has_every_command_and_flag_and_no_fault(tmp_path: Path) -> None:
    shown = run(on_path("man", "man-db"), "--warnings=w", "-l", "-", home=tmp_path, given=page(tmp_path))
    assert [] == [line for line in shown.splitlines() if len(line) > COLUMNS]
    heads = re.split(r"^   (?=matchboxctl)", shown, flags=re.MULTILINE)
    found = {head.partition("\n")[0]: head for head in heads[1:]}
    contexts = {each.command_path: each for each in commands(click.Context(command_line, info_name=PROGRAM))}
    assert contexts.keys() == found.keys()
    for path, context in contexts.items():
        flags = [
            name
            for each in context.command.params
            if isinstance(each, click.Option) and not each.hidden
            for name in each.opts
        ]
        assert [] == [flag for flag in flags if flag not in found[path]]


def test_mandoc_takes_it(tmp_path: Path) -> None:
    """Other systems have it in place of groff; that a page has no date, it can do without."""
    command = [on_path("mandoc", "mandoc"), "-Tlint", "-Wwarning"]
    ended = subprocess.run(command, input=page(tmp_path), capture_output=True, text=True, check=False)
    assert ['missing date, using "": TH'] == [line.partition("WARNING: ")[2] for line in ended.stdout.splitlines()]


def test_installed_page_is_found_and_gone_when_it_is_removed(tmp_path: Path) -> None:
    (tmp_path / ".local" / "bin").mkdir(parents=True)
    share = tmp_path / ".local" / "share"
    assert f"wrote {share}/man/man1/matchboxctl.1\n" == run(
        MATCHBOXCTL, "man", "install", "--share", share, home=tmp_path
    )
    assert "network boot as with matchbox" in run(on_path("man", "man-db"), PROGRAM, home=tmp_path)
    run(MATCHBOXCTL, "man", "uninstall", "--share", share, home=tmp_path)
    assert [] == [path for path in share.rglob("*") if path.is_file()]


def test_page_elsewhere_is_found_by_what_its_installation_says(tmp_path: Path) -> None:
    share = tmp_path / "my data"
    [_, said] = run(MATCHBOXCTL, "man", "install", "--share", share, home=tmp_path).splitlines()
    script = f"{said.partition(': ')[2]}; {shlex.quote(str(on_path('man', 'man-db')))} {PROGRAM}"
    assert "network boot as with matchbox" in run("sh", "-c", script, home=tmp_path)


def page(home: Path) -> str:
    return run(MATCHBOXCTL, "man", "page", home=home)
