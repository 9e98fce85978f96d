"""`matchboxctl secret` does the same in a data directory and in Parameter Store."""

import json
import re
from typing import Any

import pytest

from matchboxctl.completion.shells import complete
from matchboxctl.main import command_line
from tests.support.resource_commands import ResourceCommands

TIME = re.compile(r"20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]Z")
VALUE = "s3cr3t-välue"


def put(commands: ResourceCommands, name: str, value: str = VALUE) -> str:
    return commands.ok("secret", "set", name, "-f", "-", stdin=value.encode())


def found(commands: ResourceCommands, *arguments: str) -> Any:
    return json.loads(commands.run("secret", *arguments, "-o", "json").out)


def value(commands: ResourceCommands, name: str) -> str:
    return commands.ok("secret", "get", name, "--reveal")


def template(commands: ResourceCommands, kind: str, name: str, text: str) -> None:
    assert 0 == commands.run(kind, "create", "-f", commands.file(name, text)).code


def test_secret_is_set_listed_described_and_deleted(secret_store: ResourceCommands) -> None:
    assert "secret talos/prod/token created\n" == put(secret_store, "talos/prod/token")
    assert VALUE == value(secret_store, "talos/prod/token")
    (listed,) = found(secret_store, "list")
    assert "talos/prod/token" == listed["name"]
    assert TIME.fullmatch(listed["changed"])
    assert listed.items() <= found(secret_store, "describe", "talos/prod/token").items()
    assert "secret talos/prod/token deleted\n" == secret_store.ok("secret", "delete", "talos/prod/token")
    assert [] == found(secret_store, "list")
    assert 4 == secret_store.run("secret", "describe", "talos/prod/token").code


def test_set_says_whether_it_changed_anything(secret_store: ResourceCommands) -> None:
    assert "secret a created\n" == put(secret_store, "a", "1")
    assert "secret a unchanged\n" == put(secret_store, "a", "1")
    assert "secret a changed\n" == put(secret_store, "a", "2")
    assert "2" == value(secret_store, "a")


def test_one_final_newline_is_no_part_of_the_value(secret_store: ResourceCommands) -> None:
    for content, kept in {"x": "x", "x\n": "x", "x\r\n": "x", "x\n\n": "x\n", "a\nb\n": "a\nb", " x ": " x "}.items():
        secret_store.ok("secret", "set", "from-file", "-f", secret_store.file("value", content))
        put(secret_store, "from-input", content)
        assert [kept, kept] == [value(secret_store, "from-file"), value(secret_store, "from-input")]


def test_a_dash_is_standard_input(secret_store: ResourceCommands) -> None:
    secret_store.ok("secret", "set", "a", "-", stdin=b"x\n")
    assert "x" == value(secret_store, "a")


def test_what_cannot_be_a_value_is_refused_and_nothing_is_written(secret_store: ResourceCommands) -> None:
    for content, reason in (
        (b"", "the value is empty"),
        (b"\n", "the value is empty"),
        (b"\xff\xfe", "base64"),
        (b"x" * (1 << 20) + b"xx", "more than 1,048,576 bytes"),
    ):
        ended = secret_store.run("secret", "set", "a", "-f", "-", stdin=content)
        assert (1, "") == ended[:2]
        assert reason in ended.err
    assert [] == found(secret_store, "list")


def test_without_a_terminal_a_file_is_needed(secret_store: ResourceCommands) -> None:
    ended = secret_store.run("secret", "set", "a")
    assert 2 == ended.code
    assert "use -f FILE, or -f -" in ended.err


def test_get_prints_the_value_only_with_reveal(secret_store: ResourceCommands) -> None:
    put(secret_store, "a")
    ended = secret_store.run("secret", "get", "a")
    assert (2, "") == ended[:2]
    assert "--reveal" in ended.err
    assert {"name": "a", "value": VALUE} == found(secret_store, "get", "a", "--reveal")


@pytest.mark.parametrize("verb", [["describe"], ["get", "--reveal"], ["delete"]])
def test_absent_secret_ends_with_4_and_the_name_that_was_meant(secret_store: ResourceCommands, verb: list[str]) -> None:
    put(secret_store, "talos/prod/token")
    ended = secret_store.run("secret", *verb, "talos/prod/tokens")
    assert (4, "") == ended[:2]
    assert "did you mean 'talos/prod/token'" in ended.err


IMPOSSIBLE = ["", "/a", "a/", "a//b", "../a", "a/./b", "ä", "a b", "a\nb", "x" * 513, ".gitignore", "a/.b", "-a"]


def test_invalid_name_is_refused(secret_store: ResourceCommands) -> None:
    for name in IMPOSSIBLE:
        for verb in (["set", "-f", "-"], ["describe"], ["get", "--reveal"], ["delete"]):
            ended = secret_store.run("secret", *verb, "--", name, stdin=b"x")
            assert (2, "") == ended[:2]
            assert "secret" in ended.err


def test_used_names_missing_and_unused_secrets(secret_store: ResourceCommands) -> None:
    template(secret_store, "ignition", "a.yaml", '{{secret "used"}} {{secret "gone" "key"}}')
    template(secret_store, "cloud", "c", '{{secret "used" "other"}}')
    put(secret_store, "used")
    put(secret_store, "idle")
    ended = secret_store.run("secret", "used", "-o", "json")
    assert 1 == ended.code
    assert "1 secret is missing" in ended.err
    assert [
        {"name": "gone", "state": "missing", "templates": ["ignition/a.yaml"]},
        {"name": "idle", "state": "unused", "templates": []},
        {"name": "used", "state": "used", "templates": ["cloud/c", "ignition/a.yaml"]},
    ] == json.loads(ended.out)
    assert ["cloud/c", "ignition/a.yaml"] == found(secret_store, "describe", "used")["templates"]
    put(secret_store, "gone")
    assert "idle" in secret_store.ok("secret", "used")


def test_deletion_of_a_secret_that_templates_name_asks_first(secret_store: ResourceCommands) -> None:
    template(secret_store, "ignition", "a.yaml", '{{secret "used"}}')
    put(secret_store, "used")
    put(secret_store, "idle")
    assert "secret idle deleted\n" == secret_store.ok("secret", "delete", "idle")
    ended = secret_store.run("secret", "delete", "used")
    assert (1, "") == ended[:2]
    assert "secret used is used by ignition/a.yaml" in ended.err
    assert "nothing was deleted" in ended.err
    assert 1 == secret_store.answered("n\n", "secret", "delete", "used").code
    assert "secret used deleted\n" == secret_store.answered("y\n", "secret", "delete", "used").out
    put(secret_store, "used")
    assert "secret used deleted\n" == secret_store.ok("secret", "delete", "--yes", "used")


def test_template_that_does_not_parse_may_name_any_secret(secret_store: ResourceCommands) -> None:
    template(secret_store, "cloud", "c", '{{secret "used"}} {{secret .name}}')
    put(secret_store, "used")
    ended = secret_store.run("secret", "used")
    assert 1 == ended.code
    assert "cloud: template 'c', line 1: the first argument of secret must be a string literal: whether it" in ended.err
    ended = secret_store.run("secret", "delete", "used")
    assert (1, "") == ended[:2]
    assert "nothing was deleted" in ended.err
    assert "secret used deleted\n" == secret_store.run("secret", "delete", "--yes", "used").out


def test_several_are_deleted_and_absent_ones_named(secret_store: ResourceCommands) -> None:
    put(secret_store, "a")
    put(secret_store, "b/c")
    ended = secret_store.run("secret", "delete", "a", "x", "b/c")
    assert (4, "secret a deleted\nsecret b/c deleted\n") == ended[:2]
    assert "'x'" in ended.err
    assert [] == found(secret_store, "list")


def test_names_are_completed(secret_store: ResourceCommands) -> None:
    put(secret_store, "talos/prod/token")
    secret_store.monkeypatch.setenv("COMP_WORDS", "matchboxctl\nsecret\ndescribe\ntalos/")
    secret_store.monkeypatch.setenv("COMP_CWORD", "3")
    # Not by `main`, which would end this process at the next Ctrl-C.
    secret_store.capture.readouterr()
    assert 0 == complete(command_line, "bash_complete")
    assert b"talos/prod/token" in secret_store.capture.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        ["set", "a", "HUNTER2"],
        ["set", "a", "-", "HUNTER2"],
        ["set", "a", "--value", "HUNTER2"],
        ["set", "a", "--value=HUNTER2"],
        ["set", "a", "-HUNTER2"],
        ["set", "-f", "-", "a", "HUNTER2"],
    ],
)
def test_a_value_in_an_argument_is_refused_and_not_repeated(
    secret_store: ResourceCommands, arguments: list[str]
) -> None:
    ended = secret_store.run("secret", *arguments, stdin=b"x")
    assert (2, "") == ended[:2]
    assert "HUNTER2" not in ended.err
    assert "ps and the shell's history" in " ".join(ended.err.split())
    assert [] == found(secret_store, "list")


def created(commands: ResourceCommands, kind: str, document: dict[str, object]) -> str:
    ended = commands.run(kind, "create", "-f", commands.file("document", json.dumps(document)))
    assert 0 == ended.code
    return " ".join(ended.err.split())


def test_creation_names_groups_without_a_token_and_absent_secrets(secret_store: ResourceCommands) -> None:
    """Whichever of template, profile and group comes last."""
    absent = "secret 'a' does not exist: see `matchboxctl secret set`"
    open_policy = {"token": True, "approve": True}

    def groups(*ids: str) -> str:
        named = f"group{'' if len(ids) == 1 else 's'} {', '.join(ids)}"
        return f'machines of {named} get no secret (a): no "token": true in'

    template(secret_store, "generic", "t", '{{secret "a"}}')
    assert absent in created(secret_store, "profile", {"id": "p", "generic_id": "t"})
    with_token = {"id": "with", "profile": "p", "selector": {"os": "a"}, "boot": open_policy}
    assert f"note: group with: {absent}" == created(secret_store, "group", with_token)
    put(secret_store, "a")
    assert "" == created(secret_store, "group", with_token)
    without = {"id": "without", "profile": "p", "selector": {"os": "b"}}
    assert groups("without") in created(secret_store, "group", without)
    assert groups("without") in created(secret_store, "profile", {"id": "p", "generic_id": "t"})
    created(secret_store, "group", {"id": "another", "profile": "p", "selector": {"os": "c"}})
    ended = secret_store.run("generic", "create", "-f", secret_store.file("t", '{{secret "a"}} {{secret "b"}}'))
    err = " ".join(ended.err.split())
    assert 'machines of groups another, without get no secret (a, b): no "token": true in' in err
    assert "secret 'b' does not exist" in err


@pytest.mark.parametrize("secret_store", ["directory"], indirect=True)
def test_creation_names_files_that_others_may_read(secret_store: ResourceCommands) -> None:
    assert secret_store.data is not None
    put(secret_store, "a")
    (secret_store.data / "secrets/a").chmod(0o644)
    ended = secret_store.run("generic", "create", "-f", secret_store.file("t", '{{secret "a"}}'))
    assert "note: generic t: secrets/a is not used, as others may read or write it (mode 0644)" in ended.err


def test_creation_of_a_template_with_an_impossible_name_says_so(secret_store: ResourceCommands) -> None:
    for text, reason in (("{{secret .mac}}", "string literal"), ('{{secret "../a"}}', "not the name of a secret")):
        ended = secret_store.run("generic", "create", "-f", secret_store.file("t", text))
        assert "machines get an error" in ended.err
        assert reason in ended.err
