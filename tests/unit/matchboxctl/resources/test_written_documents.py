"""Documents that are written or deleted in a data directory: what is noted of them, and writes that end half way."""

import json
import os

import pytest

from tests.support.commands import Ended
from tests.support.resource_commands import ResourceCommands


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
