"""Configurations of DHCP servers in files are what `matchboxctl dhcp` prints."""

import re
import shlex
from pathlib import Path

import pytest

from tests.support.commands import Commands
from tests.support.paths import PROJECT

COMPOSE = PROJECT / "deploy" / "compose"
PAGE = PROJECT / "docs" / "dhcp.md"
BLOCKS = re.findall(r"```sh\n(matchboxctl dhcp [^\n]*)\n```\n\n```\w*\n(.*?)```\n", PAGE.read_text(), re.DOTALL)


@pytest.fixture
def run(capsysbinary: pytest.CaptureFixture[bytes]) -> Commands:
    return Commands(capsysbinary)


def printed(run: Commands, command: str) -> str:
    _, *arguments = shlex.split(command)
    ended = run(*arguments)
    assert 0 == ended.code, ended.err
    return ended.out


@pytest.mark.parametrize(("command", "block"), BLOCKS, ids=[command for command, _ in BLOCKS])
def test_blocks_of_the_page_are_what_their_commands_print(command: str, block: str, run: Commands) -> None:
    assert printed(run, command) == block


def test_the_page_on_secure_boot_has_what_grub_gets(run: Commands) -> None:
    text = (PROJECT / "docs" / "secure-boot.md").read_text()
    (command,) = re.findall(r"^(matchboxctl dhcp grub [^\n]*) > ", text, re.MULTILINE)
    assert f"```\n{printed(run, command)}```\n" in text


def test_the_page_has_every_server_and_no_other_configuration() -> None:
    servers = {command.split()[2] for command, _ in BLOCKS}
    assert {"dnsmasq", "kea", "isc", "routeros"} == servers
    blocks = PAGE.read_text().split("```")[1::2]
    assert [block for _, block in BLOCKS] == [each.partition("\n")[2] for each in blocks if not each.startswith("sh\n")]


@pytest.mark.parametrize("file", sorted(COMPOSE.glob("*.conf")), ids=lambda file: file.name)
def test_files_of_compose_are_what_their_first_line_prints(file: Path, run: Commands) -> None:
    text = file.read_text()
    assert printed(run, text.partition("\n")[0].removeprefix("# ")) == text
