"""What zsh and fish complete by the scripts of `matchboxctl completion`; the quick tests ask bash."""

import os
import pty
import re
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.rigs.install import on_path

pytestmark = pytest.mark.real

LIMIT = 60
PRESSES = 5
"""How often the key is pressed where nothing comes: the five seconds may end before a busy machine has names."""

# Ctrl-X shows the line as it stands, after the key that completes it.
ZSHRC = """
PS1=
fpath=(~/share/zsh/site-functions $fpath)
autoload -Uz compinit && compinit -u -D
[[ -d ~/share ]] || eval "$(matchboxctl completion zsh)"
shown() { print -r -- "<<$BUFFER>>" }
zle -N shown
bindkey '^X' shown
print READY
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    groups = tmp_path / "data" / "groups"
    groups.mkdir(parents=True)
    for name in ("node1", "node2", "other"):
        (groups / f"{name}.json").write_text("{}")
    return {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "ZDOTDIR": str(tmp_path),
        "TERM": "dumb",
        "MATCHBOX_DATA_PATH": str(tmp_path / "data"),
    }


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("group d", ["delete", "describe"]),
        ("group describe n", ["node1", "node2"]),
        ("group list -o ", ["json", "table", "yaml"]),
    ],
)
def test_fish(environment: dict[str, str], line: str, words: list[str]) -> None:
    """fish is given commands, ids and values."""
    program = f"matchboxctl completion fish | source; complete -C 'matchboxctl {line}'"
    for _ in range(PRESSES):
        ended = subprocess.run(
            [on_path("fish", "fish"), "--no-config", "-c", program],
            env=environment,
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=True,
        )
        if ended.stdout:
            break
    # Behind a tab fish has what the word means.
    assert words == [each.partition("\t")[0] for each in ended.stdout.splitlines() if each]


@pytest.mark.parametrize(
    ("line", "whole"),
    [("group li", "group list "), ("group describe n", "group describe node"), ("group get o", "group get other ")],
)
def test_zsh(environment: dict[str, str], tmp_path: Path, line: str, whole: str) -> None:
    """zsh completes commands and ids as far as they agree."""
    (tmp_path / ".zshrc").write_text(ZSHRC)
    ours, its = pty.openpty()
    with subprocess.Popen(
        [on_path("zsh", "zsh"), "-i"], env=environment, stdin=its, stdout=its, stderr=its, start_new_session=True
    ) as shell:
        os.close(its)
        try:
            _shown(ours, "READY()")
            typed = f"matchboxctl {line}"
            os.write(ours, typed.encode())
            for _ in range(PRESSES):
                os.write(ours, b"\t\x18")
                shown = _shown(ours, "<<(.*?)>>")
                if shown != typed:
                    break
            assert f"matchboxctl {whole}" == shown
        finally:
            shell.kill()
            os.close(ours)


def test_installed_scripts_are_found(environment: dict[str, str], tmp_path: Path) -> None:
    """By zsh in the directory that the hint names, by fish in that of the user."""
    share = {"XDG_DATA_HOME": str(tmp_path / "share")}
    subprocess.run(["matchboxctl", "completion", "install", "--share", tmp_path / "share"], env=environment, check=True)
    test_zsh(environment, tmp_path, "group li", "group list ")
    command = [on_path("fish", "fish"), "-c", "complete -C 'matchboxctl group li'"]
    ended = subprocess.run(command, env=environment | share, capture_output=True, text=True, timeout=LIMIT, check=True)
    assert ended.stdout.startswith("list")


def _shown(terminal: int, pattern: str) -> str:
    """The first group of what the terminal shows of that pattern."""
    said, end = "", time.monotonic() + LIMIT
    while not (found := re.search(pattern, said)):
        assert select.select([terminal], [], [], end - time.monotonic())[0], said
        said += os.read(terminal, 4096).decode(errors="replace")
    return found[1]
