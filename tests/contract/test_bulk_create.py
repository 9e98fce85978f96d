"""`create` of many documents at once, over a data directory and over table and bucket."""

import json
from pathlib import Path

import pytest

from tests.support.commands import Ended
from tests.support.resource_commands import ResourceCommands

GROUPS = [
    {
        "id": f"node{number}",
        "profile": "worker",
        "selector": {"mac": [f"52:54:00:00:00:0{number}", f"52:54:00:00:01:0{number}"]},
        "metadata": {"big": 12345678901234567890, "half": 0.5, "list": [1, None, True], "word": "no", "text": "a\nb\n"},
    }
    for number in range(3)
]
PROFILES = [{"id": "a", "name": "<é\u2028>"}, {"id": "b", "boot": {"kernel": "/assets/k", "args": ["x y", "1e3"]}}]
SOURCES = [
    {"id": "amd64", "image": "ghcr.io/team/boot:stable", "assets": "talos/amd64", "platform": "linux/amd64"},
    {"id": "arm64", "image": "ghcr.io/team/boot:stable", "assets": "talos/arm64", "interval": "600s", "keep": 2},
]
DOCUMENTS = [("group", GROUPS), ("profile", PROFILES), ("source", SOURCES)]


def files_below(root: Path | None) -> dict[str, bytes]:
    """In a data directory its files; nothing of table and bucket."""
    return {} if root is None else {str(path): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.mark.parametrize(("resource", "documents"), DOCUMENTS)
@pytest.mark.parametrize("output", ["json", "yaml"])
def test_what_list_has_printed_is_created_again(
    commands: ResourceCommands, resource: str, documents: list[dict[str, str]], output: str
) -> None:
    commands.run(resource, "create", "-f", "-", stdin=json.dumps(documents).encode())
    before, files = commands.ok(resource, "list", "-o", output), files_below(commands.data)
    ids = [document["id"] for document in documents]
    commands.ok(resource, "delete", *ids)
    assert "[]\n" == commands.ok(resource, "list", "-o", output)
    ended = commands.run(resource, "create", "-f", "-", stdin=before.encode())
    assert (0, "".join(f"{resource} {name} created\n" for name in ids)) == (ended.code, ended.out)
    assert before == commands.ok(resource, "list", "-o", output)
    assert files == files_below(commands.data)


def test_empty_list_creates_nothing(commands: ResourceCommands) -> None:
    ended = commands.run("group", "create", "-f", "-", stdin=commands.ok("group", "list", "-o", "yaml").encode())
    assert Ended(0, "", "note: -: nothing in it\n") == ended


def test_files_directories_and_documents_are_taken_together(commands: ResourceCommands) -> None:
    directory = commands.files / "profiles"
    (directory / "deeper").mkdir(parents=True)
    (directory / "deeper/z.json").write_text("not read")
    (directory / "README.md").write_text("not read")
    (directory / "one.json").write_text('{"id": "one"}')
    (directory / "more.yaml").write_text("# two\nid: two\n---\n---\n- id: three\n- {id: four}\n---\nid: five\n")
    (directory / "more.yml").write_text("- id: six")
    last = commands.file("last", "--- \nid: last\n")
    out = commands.ok("profile", "create", "-f", str(directory), last, "-f", "-", stdin=b'\n[{"id": "in"}]\n')
    created = [line.split()[1] for line in out.splitlines()]
    assert ["two", "three", "four", "five", "six", "one", "in", "last"] == created
    assert set(created) == {each["id"] for each in json.loads(commands.ok("profile", "list", "-o", "json"))}


def test_directory_of_templates_gives_names_below_it(commands: ResourceCommands) -> None:
    directory = commands.files / "generic"
    (directory / "deep").mkdir(parents=True)
    (directory / "a.txt").write_bytes(b"a")
    # Of a template every byte counts.
    (directory / "deep/b").write_bytes(b"[1]\n---\n\xff")
    out = commands.ok("generic", "create", "-f", str(directory))
    assert "generic a.txt created\ngeneric deep/b created\n" == out
    assert b"[1]\n---\n\xff" == commands.written("generic", "get", "deep/b")
    ended = commands.run("generic", "create", "-f", str(directory), "--name", "x")
    why = f"matchboxctl: {directory} is a directory: --name is for a single file\n"
    assert Ended(2, "", why) == ended


@pytest.mark.parametrize("resource", ["profile", "ignition"])
def test_directory_without_documents_is_an_error(commands: ResourceCommands, resource: str) -> None:
    ended = commands.run(resource, "create", "-f", str(commands.files))
    what = "no .json, .yaml or .yml file" if resource == "profile" else "no file"
    assert Ended(1, "", f"matchboxctl: {commands.files}: {what} in this directory\n") == ended


def test_document_that_the_store_cannot_hold_is_found_before_the_first_write(commands: ResourceCommands) -> None:
    given = json.dumps([{"id": "good"}, {"id": "n" * 3000}]).encode()
    ended = commands.run("profile", "create", "-f", "-", stdin=given)
    assert (1, "") == (ended.code, ended.out)
    assert "[]\n" == commands.ok("profile", "list", "-o", "json")


def test_sources_that_fill_the_same_assets_are_refused(commands: ResourceCommands) -> None:
    first, second = SOURCES
    within = second | {"assets": "talos/amd64/new"}
    said = (
        "matchboxctl: source amd64: assets: 'talos/amd64' overlaps 'talos/amd64/new' of the source 'arm64': "
        "nothing was written\n"
    )
    ended = commands.run("source", "create", "-f", "-", stdin=json.dumps([first, within]).encode())
    assert Ended(1, "", said) == ended
    commands.ok("source", "create", "-f", "-", stdin=json.dumps(within).encode())
    assert Ended(1, "", said) == commands.run("source", "create", "-f", "-", stdin=json.dumps(first).encode())
    # The one in its way may be replaced together with it.
    commands.ok("source", "create", "-f", "-", stdin=json.dumps(SOURCES).encode())
    assert ["amd64", "arm64"] == [each["id"] for each in json.loads(commands.ok("source", "list", "-o", "json"))]


def test_sources_are_shown(commands: ResourceCommands) -> None:
    key = "-----BEGIN PUBLIC KEY-----\nMFkw\n-----END PUBLIC KEY-----\n"
    signed = SOURCES[1] | {"files": {"vmlinuz": ["boot/a", "boot/b"]}, "verify": {"key": key}}
    commands.ok("source", "create", "-f", "-", stdin=json.dumps([SOURCES[0], signed]).encode())
    assert (
        "ID     IMAGE                     PLATFORM     ASSETS       INTERVAL  SIGNED BY\n"
        "amd64  ghcr.io/team/boot:stable  linux/amd64  talos/amd64  3600s     -\n"
        "arm64  ghcr.io/team/boot:stable  linux/arm64  talos/arm64  600s      a key\n"
    ) == commands.ok("source", "list")
    assert (
        "ID:         arm64\n"
        "Image:      ghcr.io/team/boot:stable\n"
        "Platform:   linux/arm64\n"
        "Assets:     talos/arm64\n"
        "Files:      vmlinuz: boot/a, boot/b\n"
        "Interval:   600s\n"
        "Releases:   the newest 2 are kept\n"
        "Signed by:  -----BEGIN PUBLIC KEY-----\n"
        "            MFkw\n"
        "            -----END PUBLIC KEY-----\n"
    ) == commands.ok("source", "describe", "arm64")
    for output in ([], ["-o", "json"]):
        assert signed == json.loads(commands.ok("source", "get", "arm64", *output))
    ended = commands.run("source", "create", "-f", "-", stdin=b'{"id": "x", "image": "a.example/b:c"}')
    assert (1, "matchboxctl: standard input: line 1: assets: missing\n") == (ended.code, ended.err)
    assert Ended(4, "", "matchboxctl: no source 'x'\n") == commands.run("source", "delete", "x")


def test_source_of_a_schematic_is_stored_with_its_image(commands: ResourceCommands) -> None:
    schematic = "376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d603b4ba"
    document = {"id": "talos", "schematic": schematic, "version": "v1.13.0", "assets": "talos"}
    assert "source talos created\n" == commands.ok("source", "create", "-f", "-", stdin=json.dumps(document).encode())
    stored = {"id": "talos", "image": f"factory.talos.dev/metal-installer/{schematic}:v1.13.0", "assets": "talos"}
    assert stored == json.loads(commands.ok("source", "get", "talos"))
    ended = commands.run("source", "create", "-f", "-", stdin=json.dumps(document | {"version": "1.13"}).encode())
    assert 1 == ended.code
    assert "version: '1.13' is not a version of Talos, such as v1.13.0" in ended.err
