"""Completion in a real bash."""

import json
import os
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from subprocess import PIPE, STDOUT

import pytest

from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.machines.events import Event
from lambda_matchbox.machines.history_stores import History
from lambda_matchbox.machines.identities import Identities
from lambda_matchbox.machines.state import MachineState
from matchboxctl.directory.history_file import DirectoryHistory
from matchboxctl.directory.machine_states import DirectoryMachines
from tests.rigs.service import Service
from tests.rigs.stores import new_stores

pytestmark = pytest.mark.system

# As bash does when the key is pressed at the end of the line.
PRESSED = """
eval "$(matchboxctl completion bash)"
COMP_LINE=$LINE; COMP_POINT=${#LINE}; COMP_TYPE=9
read -ra COMP_WORDS <<< "$(sed 's/[:=]/ & /g' <<< "$LINE")"
[[ $LINE == *" " ]] && COMP_WORDS+=("")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
# Only while a key is pressed it may be called.
compopt() { printf '%s\n' "$2"; }
_matchboxctl_completion matchboxctl
((${#COMPREPLY[@]})) && printf '%s\\n' "${COMPREPLY[@]}"
"""
PLAIN = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}


def completed(line: str, environment: Mapping[str, str] = PLAIN) -> list[str]:
    """What bash is offered for a line after the command's name; nothing else may be written."""
    ended = subprocess.run(
        ["bash", "-c", PRESSED],
        env={**environment, "LINE": f"matchboxctl {line}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "" == ended.stderr
    return sorted(word.strip() for word in ended.stdout.splitlines())


def offered(line: str, environment: Mapping[str, str] = PLAIN) -> list[str]:
    """What bash is offered after several attempts: on a busy machine one may take longer than five seconds."""
    return next(filter(None, (completed(line, environment) for _ in range(5))), [])


@pytest.fixture
def data(tmp_path: Path) -> Path:
    sources = ("sources/talos-amd64.json", "sources/talos-arm64.json")
    templates = ("ignition/deep/a.ign", "ignition/b")
    for path in ("groups/node1.json", "groups/node2.json", "groups/other.json", *sources, *templates):
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        # Ids are known without reading.
        file.write_text("not even JSON")
    return tmp_path


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("gr", ["group"]),
        ("group ", ["create", "delete", "describe", "get", "list"]),
        ("group d", ["delete", "describe"]),
        ("group list -o ", ["json", "table", "yaml"]),
        ("profile delete --", ["--data-path", "--help", "--stack", "--yes"]),
        ("group delete --", ["--data-path", "--help", "--stack"]),
        ("render ipxe --o", ["--others", "--output"]),
        ("completion ", ["bash", "fish", "install", "uninstall", "zsh"]),
    ],
)
def test_commands_verbs_flags_and_choices(line: str, words: list[str]) -> None:
    assert words == completed(line)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("group describe ", ["node1", "node2", "other"]),
        ("group get no", ["node1", "node2"]),
        ("group delete node1 n", ["node2"]),
        ("ignition get ", ["b", "deep/a.ign"]),
        ("source get ", ["talos-amd64", "talos-arm64"]),
        ("profile get ", []),
        ("rollback ", ["talos-amd64", "talos-arm64"]),
        ("sync talos-amd64 t", ["talos-arm64"]),
        ("check ", []),
    ],
)
def test_names_of_data_directory(data: Path, line: str, words: list[str]) -> None:
    """The flag's or the environment's."""
    press = offered if words else completed
    assert words == press(line, {**PLAIN, "MATCHBOX_DATA_PATH": str(data)})
    resource, *rest = line.split(" ")
    if resource in ("group", "ignition"):
        assert words == press(f"{resource} {rest[0]} --data-path {shlex.quote(str(data))} {' '.join(rest[1:])}")


def test_names_with_colons_and_spaces(data: Path) -> None:
    """To bash a colon ends a word: what comes after it is completed."""
    for name in ("52:54:00:00:00:01", "52:54:00:00:00:02", "a b"):
        (data / f"profiles/{name}.json").parent.mkdir(exist_ok=True)
        (data / f"profiles/{name}.json").write_text("")
    environment = {**PLAIN, "MATCHBOX_DATA_PATH": str(data)}
    assert ["01", "02"] == offered("profile get 52:54:00:00:00:", environment)
    assert ["02"] == offered("profile delete 52:54:00:00:00:01 52:54:00:00:00:", environment)
    assert ["'a b'"] == offered("profile get a", environment)
    assert ["node1", "node2"] == offered(f"group get --data-path={data} n")


def test_names_of_data_directory_before_the_command(data: Path) -> None:
    assert ["node1", "node2"] == offered(f"--data-path {data} group get n")


def test_names_of_table(moto_server: Service) -> None:
    stores = new_stores(moto_server, moto_server)
    stores.create()
    stores.writer().put_group(Group("node1", profile="p"))
    stores.writer().put_template("cloud", "c.yaml", b"")
    environment = {**stores.environment(), **PLAIN}
    assert ["node1"] == offered("group describe ", environment)
    assert ["c.yaml"] == offered("cloud get ", environment)
    assert [] == completed("generic get ", environment)


def test_machines_that_are_known_or_selected_by_a_policy(tmp_path: Path) -> None:
    """A MAC address in the spelling that was begun."""
    (tmp_path / "groups").mkdir()
    selector = {"mac": ["52:54:00:00:00:01", "52:54:00:00:00:02"]}
    group = {"profile": "p", "selector": selector, "boot": {"approve": True}}
    (tmp_path / "groups/g.json").write_text(json.dumps(group))
    (tmp_path / "groups/plain.json").write_text(json.dumps({"profile": "p", "selector": {"mac": "aa:bb:cc:00:00:00"}}))
    with closing(DirectoryMachines(tmp_path)) as machines:
        machines.write(None, MachineState(Identities("52:54:00:00:00:02", serial="SN-7"), approved=1))
    environment = {**PLAIN, "MATCHBOX_DATA_PATH": str(tmp_path)}
    assert ["52-54-00-00-00-02", "SN-7"] == offered("machine approve 52-54-00-00-00-01 52-54", environment) + offered(
        "machine describe S", environment
    )
    assert ["01", "02"] == offered("machine hold 52:54:00:00:00:", environment)
    with closing(DirectoryHistory(tmp_path)) as store:
        History(store).add([Event(1, "request", mac="52:54:00:00:00:03", uuid="4c4c4544-0038-4410-8052-b3c04f4b5931")])
    assert ["4c4c4544-0038-4410-8052-b3c04f4b5931"] == offered("machine history 4c4", environment)
    assert ["waiting"] == offered("machine list --state w", environment)
    assert ["plain"] == offered("machine list --group p", environment)


def test_files_and_directories() -> None:
    """bash itself completes them."""
    assert ["default"] == completed("group create -f ")
    assert ["dirnames"] == completed("serve --data-path ")
    assert ["dirnames"] == completed("serve --data-path=")
    assert ["dirnames"] == completed("export ")


def test_errors_are_silent(tmp_path: Path) -> None:
    """No directory, half the settings, no credentials."""
    assert [] == completed("group get ", {**PLAIN, "MATCHBOX_DATA_PATH": str(tmp_path / "none")})
    assert [] == completed("group get ", {**PLAIN, "MATCHBOX_TABLE": "t"})
    both = {**PLAIN, "MATCHBOX_TABLE": "t", "MATCHBOX_BUCKET": "b", "AWS_REGION": "eu-west-1", "HOME": str(tmp_path)}
    assert [] == completed("group get ", {**both, "AWS_EC2_METADATA_DISABLED": "true"})


@pytest.fixture
def silent() -> Iterator[tuple[socket.socket, Mapping[str, str]]]:
    """A listening socket, and the environment of a command for which it is AWS."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        listening.settimeout(60)
        yield (
            listening,
            {
                **PLAIN,
                "MATCHBOX_TABLE": "t",
                "MATCHBOX_BUCKET": "b",
                "AWS_REGION": "eu-west-1",
                "AWS_ACCESS_KEY_ID": "a",
                "AWS_SECRET_ACCESS_KEY": "s",
                "AWS_ENDPOINT_URL": f"http://127.0.0.1:{listening.getsockname()[1]}",
            },
        )


def test_hanging_store_has_no_completions(silent: tuple[socket.socket, Mapping[str, str]]) -> None:
    listening, environment = silent
    with ThreadPoolExecutor(1) as beside:
        pressed = beside.submit(completed, "group get ", environment)
        connection, _ = listening.accept()
        with connection:
            assert [] == pressed.result()


def test_interrupted_completion_prints_nothing(silent: tuple[socket.socket, Mapping[str, str]]) -> None:
    listening, environment = silent
    asked = {"_MATCHBOXCTL_COMPLETE": "bash_complete", "COMP_WORDS": "matchboxctl\ngroup\nget\n", "COMP_CWORD": "3"}
    with subprocess.Popen(["matchboxctl"], env={**environment, **asked}, stdout=PIPE, stderr=STDOUT) as process:
        connection, _ = listening.accept()
        with connection:
            process.send_signal(signal.SIGINT)
            assert (b"", None) == process.communicate(timeout=60)
    assert -signal.SIGINT == process.returncode


@pytest.mark.parametrize(("shell", "word"), [("bash", "complete -o"), ("zsh", "compdef"), ("fish", "--command")])
def test_each_shell_has_a_script(shell: str, word: str) -> None:
    command = ["matchboxctl", "completion", shell]
    ended = subprocess.run(command, env=PLAIN, capture_output=True, text=True, timeout=60, check=True)
    assert word in ended.stdout


def test_scripts_are_installed_where_each_shell_looks_and_removed(tmp_path: Path) -> None:
    def run(verb: str) -> str:
        command = ["matchboxctl", "completion", verb, "--share", str(tmp_path)]
        return subprocess.run(command, env=PLAIN, capture_output=True, text=True, timeout=60, check=True).stdout

    files = ("bash-completion/completions/matchboxctl", "zsh/site-functions/_matchboxctl")
    files += ("fish/vendor_completions.d/matchboxctl.fish",)
    hint = f"zsh needs in ~/.zshrc, before compinit: fpath=({tmp_path}/zsh/site-functions $fpath)"
    assert [*(f"wrote {tmp_path}/{file}" for file in files), hint] == run("install").splitlines()
    assert (tmp_path / files[1]).read_text().startswith("#compdef matchboxctl\n")
    assert [f"removed {tmp_path}/{file}" for file in files] == run("uninstall").splitlines()
    assert "" == run("uninstall")
