"""The commands on resources over a data directory: invalid files and documents, and exit codes."""

import json
import os
import subprocess
import sys

import pytest

from matchboxctl.main import main
from tests.support.commands import Ended
from tests.support.resource_commands import ResourceCommands

COMMAND = [sys.executable, "-m", "matchboxctl.main"]


@pytest.mark.parametrize(
    ("resource", "text", "why"),
    [
        ("group", '{"profile": "p"}', 'a group needs an "id"'),
        ("group", '{"id": "g"}', 'a group needs a "profile"'),
        (
            "group",
            '{"id": "g",\n"profil": "p"}',
            "a group needs a \"profile\"; line 2: unknown key 'profil' is ignored: did you mean 'profile'?",
        ),
        (
            "group",
            '{"idd": "g", "profile": "p"}',
            "a group needs an \"id\"; line 1: unknown key 'idd' is ignored: did you mean 'id'?",
        ),
        ("group", '{"id": "a/b", "profile": "p"}', "invalid id 'a/b': '/', NUL, '.' and '..' are not allowed"),
        (
            "group",
            '{"id": "g", "profile": "p",\n"selector": {"mac": "5"}}',
            "line 2: selector.mac: invalid MAC address '5': write it like 52:54:00:12:34:56",
        ),
        ("group", "id: g\nselector: 5\n", "line 2: selector: not an object"),
        ("group", '{"id": "g", "metadata": []}', "line 1: metadata: not an object"),
        ("profile", '{"id": "p"', "line 1: not JSON: expecting ',' delimiter"),
        ("profile", "a: [", "line 1: neither JSON nor YAML: expected the node content, but found '<stream end>'"),
        ("profile", "", "line 1: not a JSON object"),
        ("profile", "- [id]\n", "line 1: not a JSON object"),
        ("profile", "[[1]]", "line 1: not a JSON object"),
        ("profile", '[{"id": "p"}, {"id": "q"} 1]', "line 1: not JSON: expecting ',' delimiter"),
        ("profile", '[{"id": "p"}] 1', "line 1: not JSON: extra data"),
        ("profile", '[{"id": "p"},\n\n{"id": 5}]', "(document 2): line 3: id: not a string"),
        ("profile", "id: p\n---\nid:\n  - q\n", "(document 2): line 3: id: not a string"),
        ("profile", "id: p\n---\nname: q\n", '(document 2): a profile needs an "id"'),
        ("profile", "id: !!bool maybe\n", "line 1: JSON cannot represent this value"),
        ("profile", 'id: !!int ""\n', "line 1: JSON cannot represent this value"),
        ("profile", "id: !!timestamp x\n", "line 1: JSON cannot represent this value"),
        ("profile", '{"boot": {}}', 'a profile needs an "id"'),
    ],
)
def test_invalid_file_writes_nothing(commands: ResourceCommands, resource: str, text: str, why: str) -> None:
    good = commands.file("good", '{"id": "good", "profile": "good"}')
    bad = commands.file("bad", text)
    ended = commands.run(resource, "create", "-f", good, "-f", bad)
    said = f"{bad} {why}" if why.startswith("(") else f"{bad}: {why}"
    assert (1, f"matchboxctl: {said}\n") == (ended.code, ended.err.splitlines(keepends=True)[-1])
    assert 4 == commands.run(resource, "get", "good").code


def test_invalid_arguments(commands: ResourceCommands) -> None:
    assert Ended(1, "", "matchboxctl: /nowhere: cannot be read: No such file or directory\n") == commands.run(
        "profile", "create", "-f", "/nowhere"
    )
    one = commands.file("one", '{"id": "p"}')
    two = commands.file("two", '[{"id": "q"}, {"id": "p"}]')
    twice = f"matchboxctl: profile p is in {one} and in {two} (document 2): nothing was written\n"
    assert Ended(1, "", twice) == commands.run("profile", "create", "-f", one, "-f", two)
    assert 2 == commands.run("generic", "create", "-f", one, "-f", one, "--name", "n").code
    assert 2 == commands.run("profile", "create", "-f", "-", "-f", "-").code
    needs = "matchboxctl: standard input: a template needs a name: use --name\n"
    assert Ended(1, "", needs) == commands.run("generic", "create", "-f", "-")
    assert 1 == commands.run("generic", "create", "-f", one, "--name", "../n").code
    assert 1 == commands.run("profile", "create", "-f", "-", stdin=json.dumps({"id": "n" * 3000}).encode()).code


@pytest.mark.parametrize("flag", ["-ojson", "-o=json", "-output=json", "--output=json"])
def test_one_letter_flag_with_attached_value(commands: ResourceCommands, flag: str) -> None:
    commands.ok("profile", "create", "-f=" + commands.file("p", '{"id": "p"}'))
    assert '[\n  {\n    "id": "p"\n  }\n]\n' == commands.ok("profile", "list", flag)


def test_invalid_names(commands: ResourceCommands) -> None:
    for resource in ("group", "profile", "ignition", "cloud", "generic"):
        for verb in ("get", "describe", "delete"):
            assert [2, 2] == [commands.run(resource, verb, name).code for name in ("../x", "")]
    assert [2] == [commands.run("group", "get", "a/b").code]
    assert [4] == [commands.run("generic", "get", "a/b").code]


def test_missing_data_directory_is_not_created(commands: ResourceCommands) -> None:
    ended = commands.run("group", "list", "-data-path", "/nowhere")
    why = "matchboxctl: /nowhere is not a directory: set --data-path to matchbox's data directory\n"
    assert Ended(2, "", why) == ended


def test_usage_of_create_shows_that_it_needs_a_file(commands: ResourceCommands) -> None:
    usage = commands.run("group", "create", "--help").out.partition("\n")[0]
    assert "Usage: matchboxctl group create -f FILE [OPTIONS] [FILE]..." == usage


def test_list_warns_of_damaged_documents(commands: ResourceCommands) -> None:
    """They can be replaced and deleted."""
    assert commands.data is not None
    groups = commands.data / "groups"
    groups.mkdir()
    (groups / "bad\x1b.json").write_text("{")
    (groups / "mac.json").write_text('{"selector": {"mac": "x"}}')
    (groups / "directory.json").mkdir()
    (groups / os.fsdecode(b"\xff.json")).write_text("{}")
    (groups / "good.json").write_text("{}")
    ended = commands.run("group", "list")
    assert (1, "ID    GROUP NAME  SELECTORS  PROFILE\ngood  -           -          -\n") == ended[:2]
    assert [
        f"matchboxctl: {groups}/\\udcff.json: its name is not UTF-8",
        f"matchboxctl: {groups}/bad\\x1b.json: line 1: not JSON: expecting property name enclosed in double quotes",
        f"matchboxctl: {groups}/mac.json: invalid MAC address 'x': write it like 52:54:00:12:34:56",
        "matchboxctl: 4 could not be listed (see the warnings above); the rest is listed",
        f"matchboxctl: open {groups}/directory.json: is a directory",
    ] == sorted(ended.err.splitlines())
    ended = commands.run("group", "get", "bad\x1b")
    why = "line 1: not JSON: expecting property name enclosed in double quotes"
    assert Ended(1, "", f"matchboxctl: group bad\\x1b cannot be read: {why}\n") == ended
    (commands.data / "profiles").mkdir()
    (commands.data / "profiles/mac.json").write_text("{")
    assert "profile mac replaced\n" == commands.ok("profile", "create", "-f", "-", stdin=b'{"id": "mac"}')
    assert 0 == commands.run("profile", "delete", "mac").code
    assert "group mac deleted\n" == commands.ok("group", "delete", "mac")


def test_keys_in_messages_are_escaped(commands: ResourceCommands) -> None:
    assert commands.data is not None
    text = '{"id": "g", "profile": "p", "selector": {"\\u001b[31m": 5}}'
    (commands.data / "groups").mkdir()
    (commands.data / "groups/g.json").write_text(text)
    why = "line 1: selector.\\x1b[31m: neither a string nor a list of strings\n"
    for arguments in (["get", "g"], ["create", "-f", commands.file("f", text)]):
        ended = commands.run("group", *arguments)
        assert (1, True) == (ended.code, ended.err.endswith(why))


def test_deep_metadata_is_not_shown(commands: ResourceCommands) -> None:
    """The table of groups needs no metadata."""
    assert commands.data is not None
    (commands.data / "groups").mkdir()
    depth = 600
    (commands.data / "groups/g.json").write_text(f'{{"metadata": {{"a": {"[" * depth}{"]" * depth}}}}}')
    for arguments in (
        ["get", "g"],
        ["get", "g", "-o", "yaml"],
        ["describe", "g", "-o", "yaml"],
        ["list", "-o", "yaml"],
    ):
        why = "matchboxctl: metadata is nested too deeply to be shown\n"
        assert Ended(1, "", why) == commands.run("group", *arguments)
    assert "g   -           -          -" == commands.ok("group", "list").splitlines()[1]


def test_names_with_nul_do_not_exist(commands: ResourceCommands) -> None:
    written = commands.run("group", "create", "-f", "-", stdin=rb'{"id": "g", "profile": "p\u0000"}')
    assert Ended(0, "group g created\n", "note: group g: profile 'p\\x00' does not exist\n") == written
    assert "p\\x00\n" in commands.ok("group", "describe", "g")
    written = commands.run("profile", "create", "-f", "-", stdin=rb'{"id": "p", "cloud_id": "t\u0000"}')
    assert Ended(0, "profile p created\n", "note: profile p: cloud template 't\\x00' does not exist\n") == written


def test_closed_standard_input(commands: ResourceCommands) -> None:
    commands.ok("profile", "create", "-f", "-", stdin=b'{"id": "p"}')
    commands.ok("group", "create", "-f", "-", stdin=b'{"id": "g", "profile": "p"}')
    commands.monkeypatch.setattr(sys, "stdin", None)
    assert 1 == main(["profile", "create", "-f", "-"])
    assert b"matchboxctl: standard input is closed\n" == commands.capture.readouterr().err
    assert 1 == main(["profile", "delete", "p"])
    assert commands.capture.readouterr().err.endswith(b": stdin is not a terminal; use --yes\n")


@pytest.mark.system
def test_closed_output_ends_silently(commands: ResourceCommands) -> None:
    """The exit code is that of tools that SIGPIPE ends."""
    commands.ok("generic", "create", "-f", commands.file("t", b"x" * 10_000_000))
    arguments = [*COMMAND, "generic", "get", "t"]
    with subprocess.Popen(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, **commands.environment}
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert b"x" == process.stdout.read(1)
        process.stdout.close()
        assert b"" == process.stderr.read()
        assert 141 == process.wait(30)
