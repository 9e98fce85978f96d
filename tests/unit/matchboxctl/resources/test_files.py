"""The commands on resources over a data directory: invalid files and documents, and exit codes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from matchboxctl.main import main
from tests.support.commands import Ended
from tests.support.resource_commands import ResourceCommands

COMMAND = [sys.executable, "-m", "matchboxctl.main"]


@pytest.fixture
def commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> ResourceCommands:
    files, data = tmp_path / "files", tmp_path / "data"
    files.mkdir()
    data.mkdir()
    monkeypatch.setenv("MATCHBOX_DATA_PATH", str(data))
    return ResourceCommands(files, capsysbinary, monkeypatch, {"MATCHBOX_DATA_PATH": str(data)}, data)


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
        ("group", "id: g\nselector: 5\n", "line 2: selector: Input should be a valid dictionary"),
        ("group", '{"id": "g", "metadata": []}', "line 1: metadata: Input should be a valid dictionary"),
        ("profile", '{"id": "p"', "line 1: not JSON: expecting ',' delimiter"),
        ("profile", "a: [", "line 1: neither JSON nor YAML: expected the node content, but found '<stream end>'"),
        ("profile", "", "line 1: not a JSON object"),
        ("profile", "- [id]\n", "line 1: not a JSON object"),
        ("profile", "[[1]]", "line 1: not a JSON object"),
        ("profile", '[{"id": "p"}, {"id": "q"} 1]', "line 1: not JSON: expecting ',' delimiter"),
        ("profile", '[{"id": "p"}] 1', "line 1: not JSON: extra data"),
        ("profile", '[{"id": "p"},\n\n{"id": 5}]', "(document 2): line 3: id: Input should be a valid string"),
        ("profile", "id: p\n---\nid:\n  - q\n", "(document 2): line 3: id: Input should be a valid string"),
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


def test_unreadable_groups_are_noted_before_a_profile_is_deleted(commands: ResourceCommands) -> None:
    assert commands.data is not None
    commands.ok("profile", "create", "-f", "-", stdin=b'{"id": "p"}')
    (commands.data / "groups").mkdir()
    (commands.data / "groups/bad.json").write_text("[]")
    ended = commands.run("profile", "delete", "p")
    why = f"{commands.data}/groups/bad.json: line 1: not a JSON object: it may refer to what is to be deleted"
    assert Ended(0, "profile p deleted\n", f"note: {why}\n") == ended


def test_many_referrers_are_counted(commands: ResourceCommands) -> None:
    for number in range(7):
        text = json.dumps({"id": f"g{number}", "profile": "p"})
        commands.run("group", "create", "-f", commands.file("g", text))
    commands.ok("profile", "create", "-f", "-", stdin=b'{"id": "p"}')
    ended = commands.run("profile", "delete", "p")
    said = "profile p is used by group g0, group g1, group g2, group g3, group g4 and 2 more"
    assert (1, said) == (ended.code, ended.err.splitlines()[0])


def test_unknown_key_is_noted(commands: ResourceCommands) -> None:
    """A group without a selector matches every machine."""
    ended = commands.run("group", "create", "-f", "-", stdin=b'{"id": "g", "profile": "p", "selectors": {"os": "x"}}')
    assert [
        "note: standard input: line 1: unknown key 'selectors' is ignored: did you mean 'selector'?",
        "note: standard input: without a selector, the group matches every machine that no other group does",
        "note: group g: profile 'p' does not exist",
    ] == ended.err.splitlines()


@pytest.mark.parametrize(
    ("resource", "name", "text", "why"),
    [
        ("generic", "t", "{{.a}}\n{{if}}", "template 't', line 2: "),
        ("cloud", "t", "{{nope}}", "template 't', line 1: "),
        ("ignition", "t.ign", '{"ignition": {"version": "9"}}', "template 't.ign': "),
        ("ignition", "t.yaml", "{{end}}", "template 't.yaml', line 1: "),
    ],
)
def test_invalid_template_is_noted(commands: ResourceCommands, resource: str, name: str, text: str, why: str) -> None:
    ended = commands.run(resource, "create", "--name", name, "-f", "-", stdin=text.encode())
    (line,) = ended.err.splitlines()
    assert (0, f"{resource} {name} created\n") == (ended.code, ended.out)
    assert line.startswith(f"note: machines get an error: {why}")


def test_problems_of_a_groups_machines_are_noted(commands: ResourceCommands) -> None:
    commands.ok("generic", "create", "--name", "t", "-f", "-", stdin=b"{{.host}}")
    commands.run("profile", "create", "-f", "-", stdin=b'{"id": "p", "generic_id": "t", "cloud_id": "c"}')
    group = '{"id": "g", "profile": "p", "metadata": {"%s": "h"}}'
    ended = commands.run("group", "create", "-f", "-", stdin=(group % "hots").encode())
    assert [
        "note: group g: cloud template 'c' does not exist",
        "note: group g: template 't', line 1: there is no value for host",
    ] == [line.partition(" (tried")[0] for line in ended.err.splitlines()]
    ended = commands.run("group", "create", "-f", "-", stdin=(group % "host").encode())
    assert ["note: group g: cloud template 'c' does not exist"] == ended.err.splitlines()


def test_interrupted_write_changes_nothing(commands: ResourceCommands) -> None:
    assert commands.data is not None
    commands.ok("generic", "create", "--name", "t", "-f", "-", stdin=b"old")

    def interrupted(_: int) -> None:
        raise KeyboardInterrupt

    commands.monkeypatch.setattr(os, "fsync", interrupted)
    ended = commands.run("generic", "create", "--name", "t", "-f", "-", stdin=b"new")
    assert Ended(130, "", "matchboxctl: interrupted\n") == ended
    assert ["generic", "t"] == [path.name for path in sorted(commands.data.rglob("*"))]
    assert b"old" == commands.written("generic", "get", "t")


@pytest.mark.parametrize(
    ("error", "code", "why"),
    [(KeyboardInterrupt(), 130, "interrupted"), (OSError(28, "No space left on device"), 1, "no space left on device")],
)
def test_write_that_ends_half_way_says_what_was_written(
    commands: ResourceCommands, error: BaseException, code: int, why: str
) -> None:
    given = json.dumps([{"id": name} for name in "abc"]).encode()
    fsync, calls = os.fsync, 0

    def failing(descriptor: int) -> None:
        nonlocal calls
        calls += 1
        # Of the file and of its directory.
        if calls == 3:
            raise error
        fsync(descriptor)

    commands.monkeypatch.setattr(os, "fsync", failing)
    ended = commands.run("profile", "create", "-f", "-", stdin=given)
    assert (code, "profile a created\n") == (ended.code, ended.out)
    left, last = ended.err.splitlines()
    assert "matchboxctl: 1 of 3 were written; the same command writes all of them" == left
    assert last.endswith(why)
    done = "profile a replaced\nprofile b created\nprofile c created\n"
    assert Ended(0, done, "") == commands.run("profile", "create", "-f", "-", stdin=given)


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
