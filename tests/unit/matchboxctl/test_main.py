"""The command line: help, version, flags in every position, and what is imported for it."""

import importlib.metadata
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from matchboxctl import __version__
from matchboxctl.cli.commands import Group
from matchboxctl.commands import SECTIONS
from matchboxctl.main import command_line
from tests.support.commands import Commands, Ended
from tests.support.paths import PROJECT

NAMES = [line.name for lines in SECTIONS.values() for line in lines]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "groups").mkdir()
    for name in ("node1", "node2", "other"):
        (tmp_path / f"groups/{name}.json").write_text("{}")
    return tmp_path


@pytest.fixture
def run(capsysbinary: pytest.CaptureFixture[bytes]) -> Commands:
    return Commands(capsysbinary)


def all_commands() -> Iterator[tuple[str, ...]]:
    """The words of each command."""
    root = click.Context(command_line)
    for name in NAMES:
        yield (name,)
        command = command_line.get_command(root, name)
        if isinstance(command, Group):
            yield from ((name, verb) for verb in command.list_commands(root))


def test_version(run: Commands) -> None:
    assert Ended(0, f"matchboxctl {__version__}\n", "") == run("--version")


def test_help_lists_commands_in_sections(run: Commands) -> None:
    shown = run("--help").out
    for heading, lines in SECTIONS.items():
        section = shown.partition(f"\n{heading}:\n")[2].partition("\n\n")[0]
        assert [line.name for line in lines] == [line.split()[0] for line in section.splitlines()]


@pytest.mark.parametrize("name", NAMES)
def test_summary_in_the_list_begins_the_help(name: str) -> None:
    (summary,) = [line.summary for lines in SECTIONS.values() for line in lines if line.name == name]
    command = command_line.get_command(click.Context(command_line), name)
    assert command is not None
    assert (command.help or "").replace("\n", " ").lower().startswith(summary.lower())


@pytest.mark.parametrize("words", [*all_commands()], ids=" ".join)
def test_help_of_each_command(run: Commands, words: tuple[str, ...]) -> None:
    shown = run(*words, "--help")
    assert (0, "") == (shown.code, shown.err)
    assert shown.out.startswith(f"Usage: matchboxctl {' '.join(words)} ")
    assert shown == run(*words, "-h") == run(*words, "-help") == run("help", *words)


@pytest.mark.parametrize("columns", [60, 80, 110])
@pytest.mark.parametrize("words", [(), *all_commands()], ids=" ".join)
def test_help_fits_the_terminal(
    run: Commands, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    shown = run("help", *words).out
    assert columns > max(map(len, shown.splitlines()))
    if columns == 80:
        examples = getattr(command_line.get_command(click.Context(command_line), " ".join(words)), "_examples", ())
        assert [] == [example for example in examples if f"  {example}\n" not in shown]
    if words == ("serve",) and columns == 110:
        assert 100 < max(map(len, shown.splitlines()))


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["rendr"], "render"),
        (["grop", "list"], "group"),
        (["group", "lst"], "list"),
        (["help", "serv"], "serve"),
        (["help", "group", "delet"], "delete"),
        (["version"], "--version"),
        (["-v"], "--version"),
        (["list"], "cloud list"),
        (["approve"], "machine approve"),
        (["--adress", "x", "serve"], "matchboxctl serve --address ..."),
    ],
)
def test_unknown_command_is_like_another(run: Commands, words: list[str], meant: str) -> None:
    """Or like a flag, or one of another command's."""
    assert f"Did you mean {meant!r}" in run.refused(*words)[-1]


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ("fetch flatcarr", "'flatcarr' is not one of 'flatcar', 'fedora-coreos'; did you mean 'flatcar'?"),
        ("fetch", "Missing argument 'PROJECT'. Use one of flatcar, fedora-coreos."),
        ("group list -o jsn", "'jsn' is not one of 'table', 'json', 'yaml'; did you mean 'json'?"),
        ("serve --log-level warnin", "debug, trace; did you mean 'warning'?"),
        ("serve --web-ssl=maybe", "'maybe' is neither true nor false"),
    ],
)
def test_wrong_value_shows_the_usage_of_its_command(run: Commands, words: str, what: str) -> None:
    usage, see, error = run.refused(*words.split())
    command = words.partition(" -")[0].removesuffix(" flatcarr")
    assert usage.startswith(f"Usage: matchboxctl {command} [OPTIONS]")
    assert f"See `matchboxctl help {command}`." == see
    assert error.endswith(what)


def test_port_that_does_not_exist_is_named(run: Commands) -> None:
    error = "matchboxctl: invalid --address '127.0.0.1:65536': ports end at 65535"
    assert error == run.refused("serve", "--address", "127.0.0.1:65536", "--data-path", "/")[-1]


def test_summaries_of_verbs_are_whole(run: Commands) -> None:
    assert "..." not in run("machine", "--help").out.partition("Commands:")[2]


@pytest.mark.parametrize("flag", ["--lable", "-lable", "--lable=x"])
def test_unknown_flag_shows_the_usage_of_its_command(run: Commands, flag: str) -> None:
    usage, see, error = run.refused("render", "ipxe", flag, "mac=x")
    assert "Usage: matchboxctl render [OPTIONS] ROUTE" == usage
    assert "See `matchboxctl help render`." == see
    assert f"matchboxctl: No such option '{flag.partition('=')[0]}'. Did you mean '--label'?" == error


def test_flags_are_not_abbreviated(run: Commands) -> None:
    assert run.refused("render", "ipxe", "--lab", "mac=x")[-1].startswith("matchboxctl: No such option '--lab'.")


@pytest.mark.parametrize(
    ("words", "where"),
    [
        (["--label", "a=b", "render", "ipxe"], "--label goes after the command: matchboxctl render --label ..."),
        (["-label=a=b", "render", "ipxe"], "-label goes after the command: matchboxctl render -label ..."),
        (["-o", "json", "group", "list"], "-o goes after the command: matchboxctl group list -o ..."),
        (["group", "--output", "json", "list"], "--output goes after the command: matchboxctl group list --output ..."),
    ],
)
def test_flag_before_its_command_is_told_where_it_goes(run: Commands, words: list[str], where: str) -> None:
    assert f"matchboxctl: {where}" == run.refused(*words)[-1]


def test_data_path_may_be_before_the_command(
    run: Commands, monkeypatch: pytest.MonkeyPatch, data: Path, tmp_path: Path
) -> None:
    """The one after the command counts, then that before it, then the environment's."""
    for flags in (["--data-path", data], ["-data-path", data], [f"--data-path={data}"]):
        assert "node1" in run(*flags, "group", "list").out
    assert "node1" in run("--data-path", tmp_path / "x", "group", "list", "--data-path", data).out
    monkeypatch.setenv("MATCHBOX_DATA_PATH", "/nowhere")
    assert "node1" in run("--data-path", data, "group", "list").out
    assert "/nowhere is not a directory" in run.refused("group", "list")[-1]


@pytest.mark.parametrize("verb", ["get", "describe", "delete"])
def test_unknown_id_is_like_another(run: Commands, data: Path, verb: str) -> None:
    flags = ("--data-path", data)
    assert Ended(4, "", "matchboxctl: no group 'oter'; did you mean 'other'?\n") == run("group", verb, "oter", *flags)
    assert Ended(4, "", "matchboxctl: no group 'zzz'\n") == run("group", verb, "zzz", *flags)


@pytest.mark.parametrize("command", ["rollback", "releases", "follow", "withdraw", "sync"])
def test_unknown_source_is_like_another(run: Commands, data: Path, command: str) -> None:
    shutil.copytree(PROJECT / "examples/talos/sources", data / "sources")
    (error,) = run.refused(command, "talos-arm6", "--data-path", data)
    assert error.endswith("; did you mean 'talos-arm64'?")
    (error,) = run.refused(command, "other", "--data-path", data)
    assert error.startswith("matchboxctl: no source 'other' in ")
    assert error.endswith("; available: talos-arm64")


def test_source_without_a_release_needs_a_sync(run: Commands, data: Path) -> None:
    shutil.copytree(PROJECT / "examples/talos/sources", data / "sources")
    (error,) = run.refused("releases", "talos-arm64", "--data-path", data)
    assert error.endswith("; run `matchboxctl sync talos-arm64`")


def test_no_command_shows_the_help(run: Commands) -> None:
    for words in ((), ("group",)):
        ended = run(*words)
        assert (2, "") == ended[:2]
        assert run(*words, "--help").out == ended.err


def test_two_dashes_end_the_flags(run: Commands, data: Path) -> None:
    ended = run("group", "get", "--data-path", data, "--", "-data-path")
    assert Ended(4, "", "matchboxctl: no group '-data-path'\n") == ended


@pytest.mark.system
@pytest.mark.parametrize(
    ("arguments", "imported"),
    [
        (["--version"], []),
        (["--help"], []),
        (["render", "ipxe"], ["render"]),
        (["group", "list"], ["resources"]),
        (["certs", "--check"], ["certs"]),
        (["serve", "--address", "192.0.2.1:1"], ["certs", "rpc", "serve"]),
    ],
)
def test_only_the_command_is_imported(data: Path, arguments: list[str], imported: list[str]) -> None:
    """Neither other commands nor libraries that take long; in directory mode no client of AWS.

    `serve` has read the directory by then, and cannot listen on the address.
    """
    packages = ["certs", "check", "releases", "render", "resources", "rpc", "serve", "transfer"]
    heavy = ["aiohttp", "boto3", "botocore", "grpc", "tqdm", "urllib3"]
    heavy += ["importlib.metadata", "pydantic", "yaml"] if not imported else []
    program = (
        f"import sys; from matchboxctl.main import main; main({arguments})\n"
        f"print(*(name for name in {packages} if f'matchboxctl.{{name}}.arguments' in sys.modules), end=';')\n"
        f"print(*(name for name in {heavy} if name in sys.modules))"
    )
    command = [sys.executable, "-c", program]
    environment = {"MATCHBOX_DATA_PATH": str(data)}
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True, env=environment)
    assert f"{' '.join(imported)};" == ended.stdout.splitlines()[-1]


@pytest.mark.system
@pytest.mark.parametrize("command", ["group list", "render ipxe", "validate", "serve --address 127.0.0.1:0", "import"])
def test_no_library_that_takes_long_is_imported_before_the_work(data: Path, command: str) -> None:
    """The work begins with the first file of the data directory; `import` has opened a session of boto3 by then."""
    heavy = ["aiohttp", "aws_lambda_powertools", "grpc", "importlib.metadata", "pydantic", "tqdm"]
    environment = {"MATCHBOX_DATA_PATH": str(data)}
    arguments = command.split()
    if command == "import":
        arguments.append(str(data))
        environment = {f"MATCHBOX_{name}": "name" for name in ("TABLE", "BUCKET")} | {"AWS_REGION": "eu-west-1"}
        heavy.remove("importlib.metadata")
    else:
        heavy += ["boto3", "urllib3"]
    program = (
        "import os, sys\n"
        "def end(event, arguments):\n"
        f"    if event in ('open', 'os.listdir', 'os.scandir') and str(arguments[0]).startswith({str(data)!r}):\n"
        f"        print('begins with', [name for name in {heavy} if name in sys.modules], flush=True)\n"
        "        os._exit(0)\n"
        "sys.addaudithook(end)\n"
        f"from matchboxctl.main import main; main({arguments})"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True, env=environment
    )
    assert "begins with []\n" == ended.stdout


def test_version_is_that_of_the_distribution() -> None:
    assert __version__ == importlib.metadata.version("lambda-matchbox")
