"""The commands on resources, over a data directory and over table and bucket."""

import json
import os

import pytest
import yaml

from tests.support.commands import Ended
from tests.support.resource_commands import ResourceCommands
from tests.support.serving import started

GROUP = {
    "id": "node1",
    "name": "Node one",
    "profile": "worker",
    "selector": {"mac": ["52:54:00:00:00:01", "52:54:00:00:00:02", "52:54:00:00:00:03"], "os": "a"},
    "metadata": {"big": 12345678901234567890, "half": 0.5, "list": [1, None, True], "word": "yes"},
}
PROFILE = {
    "id": "worker",
    "name": "Worker",
    "ignition_id": "worker.ign",
    "boot": {"kernel": "/assets/k", "initrd": ["/assets/i1", "/assets/i2"], "args": ["console=ttyS0", "quiet"]},
    "generic_id": "worker.txt",
    "metadata": {"site": "<north>"},
}
IGNITION = '{"ignition": {"version": "3.4.0"}}'
TEMPLATES = ("ignition", "cloud", "generic")


def filled(commands: ResourceCommands) -> None:
    commands.ok("ignition", "create", "-f", commands.file("worker.ign", IGNITION))
    commands.ok("generic", "create", "-f", commands.file("worker.txt", "text {{.word}}\n"))
    commands.ok("profile", "create", "-f", commands.file("p", json.dumps(PROFILE)))
    commands.ok("group", "create", "-f", commands.file("g", json.dumps(GROUP)))
    commands.run("group", "create", "-f", commands.file("g", '{"id": "a", "profile": "gone"}'))


def test_list_is_a_table_ordered_by_id(commands: ResourceCommands) -> None:
    filled(commands)
    assert (
        "ID     GROUP NAME  SELECTORS                                          PROFILE\n"
        "a      -           -                                                  gone\n"
        "node1  Node one    mac=52:54:00:00:00:01|52:54:00:00:00:02|(+1),os=a  worker\n"
    ) == commands.ok("group", "list")
    assert (
        "ID      PROFILE NAME  IGNITION    CLOUD  GENERIC\nworker  Worker        worker.ign  -      worker.txt\n"
    ) == commands.ok("profile", "list")
    assert "NAME        SIZE\nworker.ign  34\n" == commands.ok("ignition", "list")
    assert "NAME        SIZE\nworker.txt  15\n" == commands.ok("generic", "list")
    assert "NAME  SIZE\n" == commands.ok("cloud", "list")


def test_describe_shows_fields_and_missing_profiles(commands: ResourceCommands) -> None:
    filled(commands)
    assert (
        "ID:         node1\n"
        "Name:       Node one\n"
        "Selectors:  mac=52:54:00:00:00:01\n"
        "            mac=52:54:00:00:00:02\n"
        "            mac=52:54:00:00:00:03\n"
        "            os=a\n"
        "Profile:    worker\n"
        "Metadata:   {\n"
        '              "big": 12345678901234567890,\n'
        '              "half": 0.5,\n'
        '              "list": [\n'
        "                1,\n"
        "                null,\n"
        "                true\n"
        "              ],\n"
        '              "word": "yes"\n'
        "            }\n"
    ) == commands.ok("group", "describe", "node1")
    assert (
        "ID:         a\nName:       -\nSelectors:  -\nProfile:    gone\n            (profile 'gone' does not exist)\n"
        "Metadata:   -\n"
    ) == commands.ok("group", "describe", "a")
    assert (
        "ID:        worker\n"
        "Name:      Worker\n"
        "Ignition:  worker.ign\n"
        "Cloud:     -\n"
        "Generic:   worker.txt\n"
        "Kernel:    /assets/k\n"
        "Initrd:    /assets/i1\n"
        "           /assets/i2\n"
        "Args:      console=ttyS0\n"
        "           quiet\n"
        "Metadata:  {\n"
        '             "site": "<north>"\n'
        "           }\n"
    ) == commands.ok("profile", "describe", "worker")
    assert "Name:      worker.txt\nSize:      15 bytes\nProfiles:  worker\n" == commands.ok(
        "generic", "describe", "worker.txt"
    )


def test_json_and_yaml_have_everything(commands: ResourceCommands) -> None:
    filled(commands)
    for output, load in (("json", json.loads), ("yaml", yaml.safe_load)):
        for verb in ("get", "describe"):
            assert GROUP == load(commands.ok("group", verb, "node1", "-o", output))
            assert PROFILE == load(commands.ok("profile", verb, "worker", "--output", output))
        assert [{"id": "a", "profile": "gone"}, GROUP] == load(commands.ok("group", "list", "-o", output))
        assert [PROFILE] == load(commands.ok("profile", "list", "-o", output))
        assert [{"name": "worker.txt", "size": 15}] == load(commands.ok("generic", "list", "-o", output))
        assert [] == load(commands.ok("cloud", "list", "-o", output))
        assert {"name": "worker.txt", "size": 15, "profiles": ["worker"]} == load(
            commands.ok("generic", "describe", "worker.txt", "-o", output)
        )
        assert {"name": "worker.txt", "size": 15, "config": "text {{.word}}\n"} == load(
            commands.ok("generic", "get", "worker.txt", "-o", output)
        )


@pytest.mark.parametrize("output", [[], ["-o", "json"], ["-o", "yaml"]])
def test_get_and_create_round_trip(commands: ResourceCommands, output: list[str]) -> None:
    filled(commands)
    for resource, name in (("group", "node1"), ("profile", "worker")):
        before = commands.ok(resource, "get", name, *output)
        assert f"{resource} {name} replaced\n" == commands.ok(resource, "create", "-f", "-", stdin=before.encode())
        assert before == commands.ok(resource, "get", name, *output)


@pytest.mark.parametrize("resource", TEMPLATES)
def test_templates_hold_any_bytes(commands: ResourceCommands, resource: str) -> None:
    """Each kind has its own names."""
    body = bytes(range(256)) * 200
    file = commands.file("a.tmpl", body)
    assert f"{resource} a.tmpl created\n" == commands.ok(resource, "create", "-f", file)
    assert f"{resource} deep/er/b created\n" == commands.ok(resource, "create", "-f", file, "--name", "deep/er/b")
    assert f"{resource} c created\n" == commands.ok(resource, "create", "-f", "-", "--name", "c", stdin=b"")
    assert "NAME       SIZE\na.tmpl     51200\nc          0\ndeep/er/b  51200\n" == commands.ok(resource, "list")
    assert "config_base64" in json.loads(commands.ok(resource, "get", "a.tmpl", "-o", "json"))
    assert f"{resource} c replaced\n" == commands.ok(resource, "create", "-f", "-", "--name", "c", stdin=b"\xffnew")
    assert f"{resource} deep/er/b deleted\n" == commands.ok(resource, "delete", "deep/er/b")
    for other in TEMPLATES:
        left = ["a.tmpl", "c"] if other == resource else []
        assert left == [one["name"] for one in json.loads(commands.ok(other, "list", "-o", "json"))]


def test_get_prints_the_bytes_of_a_template(commands: ResourceCommands) -> None:
    body = bytes(range(256))
    commands.ok("generic", "create", "-f", commands.file("t", body))
    assert body == commands.written("generic", "get", "t")


@pytest.mark.parametrize("resource", ["group", "profile", *TEMPLATES])
def test_missing_resource_exits_with_4(commands: ResourceCommands, resource: str) -> None:
    for verb in ("get", "describe", "delete"):
        assert Ended(4, "", f"matchboxctl: no {resource} 'x'\n") == commands.run(resource, verb, "x")


def test_delete_deletes_the_rest_of_missing_ones(commands: ResourceCommands) -> None:
    filled(commands)
    ended = commands.run("group", "delete", "x", "node1", "y", "node1")
    assert Ended(4, "group node1 deleted\n", "matchboxctl: no group 'x', 'y'\n") == ended
    assert ["a"] == [group["id"] for group in json.loads(commands.ok("group", "list", "-o", "json"))]


def test_delete_of_used_resource_needs_confirmation(commands: ResourceCommands) -> None:
    """Or --yes."""
    filled(commands)
    asked = "delete anyway? [y/N] "
    for resource, name, user in (("profile", "worker", "group node1"), ("generic", "worker.txt", "profile worker")):
        said = f"{resource} {name} is used by {user}\n"
        refused = commands.run(resource, "delete", name)
        why = "matchboxctl: nothing was deleted: stdin is not a terminal; use --yes\n"
        assert Ended(1, "", said + why) == refused
        for answer in ("n\n", "\n", "\x04", os.fsdecode(b"\xff\n")):
            no = Ended(1, "", f"{said}{asked}matchboxctl: nothing was deleted\n")
            assert no == commands.answered(answer, resource, "delete", name)
        assert Ended(4, "", f"matchboxctl: no {resource} 'x'\n") == commands.run(resource, "delete", "x")
        assert 0 == commands.run(resource, "get", name).code
        assert Ended(0, f"{resource} {name} deleted\n", said + asked) == commands.answered(
            "y\n", resource, "delete", name
        )
        # The users are still there, so that it is only missed.
        assert 4 == commands.run(resource, "delete", name).code
        if resource == "profile":
            commands.ok("profile", "create", "-f", commands.file("p", json.dumps(PROFILE)))
    assert "profile worker deleted\n" == commands.ok("profile", "delete", "worker", "--yes")


def test_yaml_with_unnormalised_addresses(commands: ResourceCommands) -> None:
    ended = commands.run(
        "group",
        "create",
        "-f",
        commands.file(
            "g.yaml", "ID: g\nprofile: p\ncolour: red\nselector:\n  MAC: 52-54-00-AB-00-01\n  os: [b, a, b]\n"
        ),
    )
    notes = f"note: {commands.files}/g.yaml: line 3: unknown key 'colour' is ignored\n"
    assert Ended(0, "group g created\n", f"{notes}note: group g: profile 'p' does not exist\n") == ended
    assert {"id": "g", "profile": "p", "selector": {"MAC": "52:54:00:ab:00:01", "os": ["b", "a"]}} == json.loads(
        commands.ok("group", "get", "g", "-o", "json")
    )
    ended = commands.run("profile", "create", "-f", "-", stdin=b'{"id": "p", "boot": {"cmdline": 1}, "cloud_id": "c"}')
    notes = "note: standard input: line 1: unknown key 'boot.cmdline' is ignored\n"
    assert Ended(0, "profile p created\n", f"{notes}note: profile p: cloud template 'c' does not exist\n") == ended


def test_control_characters_in_ids_are_escaped(commands: ResourceCommands) -> None:
    odd = "\x1b[31mü \n\x9b1m-"
    commands.ok("profile", "create", "-f", commands.file("p", json.dumps({"id": odd})))
    assert "\\x1b[31mü \\n\\x9b1m-" == commands.ok("profile", "list").splitlines()[1].split("  ")[0]
    for output in ([], ["-o", "json"], ["-o", "yaml"]):
        text = commands.ok("profile", "get", odd, *output)
        assert [] == [one for one in text if not one.isprintable() and one not in "\n\t"]
        assert odd == yaml.safe_load(text.replace("\t", " "))["id"]
    commands.ok("profile", "delete", "--", odd)
    commands.ok("profile", "create", "-f", commands.file("p", '{"id": "-dash"}'))
    assert '{"id": "-dash"}' == json.dumps(json.loads(commands.ok("profile", "get", "-o", "json", "--", "-dash")))


@pytest.mark.parametrize("field", ["kernel", "initrd", "args"])
def test_line_breaks_in_a_boot_section_are_refused(commands: ResourceCommands, field: str) -> None:
    boot = {field: "/k\nshell" if field == "kernel" else ["/a", "/b\nshell"]}
    ended = commands.run("profile", "create", "-f", commands.file("p", json.dumps({"id": "p", "boot": boot})))
    where = "boot.kernel" if field == "kernel" else f"boot.{field}.1"
    assert (1, "") == (ended.code, ended.out)
    assert f"line 1: {where}: the control character '\\n' could begin a new line" in ended.err
    assert "p" not in commands.ok("profile", "list").split()


def test_changes_are_served_at_once(commands: ResourceCommands) -> None:
    environment = None if commands.data else dict(commands.environment)
    with started("--address", "127.0.0.1:0", "--log-level", "error", environment=environment) as serve:
        assert 404 == serve.get("/ipxe?os=a").status
        filled(commands)
        wanted = b"#!ipxe\nkernel /assets/k console=ttyS0 quiet\ninitrd /assets/i1\ninitrd /assets/i2\nboot\n"
        assert wanted == serve.get("/ipxe?os=a&mac=52-54-00-00-00-02").body
        assert b"text yes\n" == serve.get("/generic?os=a&mac=52:54:00:00:00:02").body
        commands.ok("generic", "create", "-f", "-", "--name", "worker.txt", stdin=b"new")
        assert b"new" == serve.get("/generic?os=a&mac=52:54:00:00:00:02").body
        commands.ok("group", "delete", "node1", "a")
        assert 404 == serve.get("/ipxe?os=a&mac=52:54:00:00:00:02").status
        serve.end()
