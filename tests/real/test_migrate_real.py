"""`matchboxctl migrate` from matchbox itself, built from its Go module: its own examples, what differs, many groups."""

import json
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.rigs.matchbox_server import matchbox_examples, running_matchbox
from tests.rigs.stores import new_stores
from tests.support.commands import Commands
from tests.support.data_files import write_files
from tests.support.paths import PROJECT
from tests.support.rpc_client import files_in

pytestmark = pytest.mark.real

EXAMPLES = ["fedora-coreos", "fedora-coreos-install", "flatcar", "flatcar-install"]
UUID = "{{.request.query.uuid}}"


class Old(NamedTuple):
    """A running matchbox: its data directory, the addresses of its APIs, and certificates of a gRPC client."""

    data: Path
    http: str
    grpc: str
    certs: Path


def example_on(directory: Path, name: str) -> Path:
    """The data directory of one of matchbox's examples: its profiles and templates, and one of its sets of groups."""
    data = matchbox_examples(directory / "examples")
    (data / "groups").rename(directory / "sets")
    (directory / "sets" / name).rename(data / "groups")
    return data


@contextmanager
def matchbox_on(data: Path, directory: Path) -> Iterator[Old]:
    files = files_in(directory)
    (directory / "client.crt").write_bytes(files.client.certificate)
    (directory / "client.key").write_bytes(files.client.key)
    with running_matchbox(data, directory, files.flags) as (http, grpc):
        yield Old(data, http, grpc, directory)


class Migrate:
    """Runs the command from a matchbox, with its responses compared; the result is a document."""

    def __init__(self, capture: pytest.CaptureFixture[bytes]) -> None:
        self._commands = Commands(capture)

    def __call__(self, code: int, source: str, old: Old, *arguments: object) -> dict[str, Any]:
        words = [old.data] if source == "directory" else [old.grpc, "--certs", old.certs]
        ended = self._commands("migrate", *words, "--compare", old.http, "-o", "json", *arguments)
        assert code == ended.code, ended
        found: dict[str, Any] = json.loads(ended.out)
        return found


@pytest.fixture
def migrate(capsysbinary: pytest.CaptureFixture[bytes]) -> Migrate:
    return Migrate(capsysbinary)


def outcomes(document: dict[str, Any]) -> dict[str, dict[str, str]]:
    """By group and route."""
    return {row["group"]: {one["route"]: one["outcome"] for one in row["responses"]} for row in document["groups"]}


@pytest.mark.parametrize("source", ["directory", "gRPC"])
@pytest.mark.parametrize(
    "example", [pytest.param(name, marks=[pytest.mark.nightly] * (name != "flatcar-install")) for name in EXAMPLES]
)
def test_examples_of_matchbox_get_the_same(example: str, source: str, migrate: Migrate, tmp_path: Path) -> None:
    """Their assets are absent on both sides. A group is named by its file in a directory, by its id in gRPC."""
    data = example_on(tmp_path, example)
    files = (data / "groups").iterdir()
    names = {file.stem if source == "directory" else json.loads(file.read_text())["id"] for file in files}
    same = dict.fromkeys(("ipxe", "grub", "ignition", "metadata"), "same") | {"assets": "error"}
    with matchbox_on(data, tmp_path) as old:
        assert dict.fromkeys(names, same) == outcomes(migrate(0, source, old, "--into", tmp_path / "new"))
        again = migrate(0, source, old, "--into", tmp_path / "new")
        assert ([], []) == (again["added"], again["changed"])


def test_page_shows_what_the_command_prints(capfdbinary: pytest.CaptureFixture[bytes], tmp_path: Path) -> None:
    """With one of matchbox's examples, to which the assets were added."""
    data = example_on(tmp_path, "flatcar-install")
    for pattern in ("profiles/fedora*", "ignition/fedora*", "ignition/flatcar*.yaml", "cloud/.*"):
        for file in [*data.glob(pattern)]:
            file.unlink()
    assets = "assets/flatcar/3227.2.0/flatcar_production_pxe"
    write_files(data, {f"{assets}.vmlinuz": "kernel", f"{assets}_image.cpio.gz": "initrd"})
    with matchbox_on(data, tmp_path) as old:
        ended = Commands(capfdbinary)("migrate", data, "--compare", old.http)
        named = {str(data): "/var/lib/matchbox", old.http: "http://127.0.0.1:8080"}
    page = textwrap.dedent(
        (PROJECT / "docs" / "migrating.md").read_text().partition("```console\n")[2].partition("    ```\n")[0]
    )
    command, *shown = page.splitlines()
    printed = ended.out
    for text, other in named.items():
        printed = printed.replace(text, other)
    assert "$ matchboxctl migrate /var/lib/matchbox --compare http://127.0.0.1:8080" == command
    assert printed.splitlines() == [line for line in shown if not line.startswith("note: ")]
    assert ended.err.splitlines() == [line for line in shown if line.startswith("note: ")]


def test_examples_themselves_have_no_groups(migrate: Migrate, tmp_path: Path) -> None:
    """matchbox reads no groups in directories below either, and the report says where they belong."""
    with matchbox_on(matchbox_examples(tmp_path / "examples"), tmp_path) as old:
        found = migrate(1, "directory", old)
    assert [] == found["groups"]
    strays = [one["advice"] for one in found["validation"]["findings"] if one["rule"] == "directory"]
    assert f"move what it holds to {old.data}/groups" in strays


def test_differences_have_their_reasons(migrate: Migrate, tmp_path: Path) -> None:
    """What matchbox refuses and this project serves, and the other way round."""
    profiles = {
        "butane": {"ignition_id": "newer.yaml"},
        "invalid": {"ignition_id": "invalid.ign"},
        "sprig": {"generic_id": "sprig"},
        "talos": {"ignition_id": "talos.yaml"},
        "label": {"generic_id": "label"},
        "shared": {},
    }
    data = write_files(
        tmp_path / "data",
        {
            **{f"profiles/{name}.json": {"id": name, **fields} for name, fields in profiles.items()},
            **{
                f"groups/{name}.json": {
                    "id": name,
                    "profile": name,
                    "selector": {"is": name},
                    "metadata": {"b": "2", "a": "1"},
                }
                for name in profiles
            },
            "groups/shared-too.json": {"id": "shared-too", "profile": "shared", "selector": {"is": "shared"}},
            "ignition/newer.yaml": "variant: fcos\nversion: 1.6.0\n",
            "ignition/invalid.ign": '{"ignition": {"version": "9.9.9"}}',
            "ignition/talos.yaml": "version: v1alpha1\n",
            "generic/sprig": "{{upper .a}}",
            "generic/label": "{{.request.query.rack}}",
        },
    )
    with matchbox_on(data, tmp_path) as old:
        found = migrate(1, "directory", old)
    assert {
        "butane": "ignition: matchbox does not render ignition template newer.yaml: it is Butane's fcos 1.6.0",
        "invalid": "ignition: template 'invalid.ign': $.ignition.version: 9.9.9 is not supported, only 3.0.0 to "
        "3.6.0 are",
        "shared": "metadata: another group has the same selectors, of which matchbox takes any",
        "sprig": "generic: matchbox does not render generic template sprig: it calls Sprig's upper",
        "talos": "ignition: matchbox serves Ignition and Butane only",
    } == {
        row["group"]: f"{one['route']}: {one['why']}"
        for row in found["groups"]
        for one in row["responses"]
        if one["outcome"] == "differs"
    }
    assert "error" == outcomes(found)["label"]["generic"]
    (beaten,) = (row for row in found["groups"] if row["group"] == "shared-too")
    assert ("shared", []) == (beaten["beaten_by"], beaten["responses"])


@pytest.mark.nightly
def test_ids_in_files_are_not_their_names(
    migrate: Migrate, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    """matchbox lists ids, and finds profiles by the names of their files."""
    data = write_files(
        tmp_path / "data",
        {
            "groups/a.json": {"id": "same", "profile": "file"},
            "groups/b.json": {"id": "same", "profile": "file", "selector": {"os": "b"}},
            "profiles/file.json": {"id": "other", "generic_id": "t"},
            "generic/t": "text",
        },
    )
    with matchbox_on(data, tmp_path) as old:
        found = migrate(1, "gRPC", old, "--into", tmp_path / "new")
        assert {"same": {"generic": "same", "metadata": "same"}} == outcomes(found)
        assert ["a", "b"] == [*outcomes(migrate(0, "directory", old, "--into", tmp_path / "newer"))]
        ended = Commands(capsysbinary)("migrate", old.grpc, "--certs", old.certs)
    assert "group 'same': several files have this id, of which the first is copied" in " ".join(ended.err.split())


@pytest.mark.nightly
@pytest.mark.parametrize(("source", "target"), [("directory", "stores"), ("gRPC", "directory")])
def test_thousand_groups_get_the_same(
    source: str,
    target: str,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    migrate: Migrate,
    tmp_path: Path,
) -> None:
    numbers = range(1000)
    data = write_files(
        tmp_path / "data",
        {
            **{
                f"groups/node{number}.json": {
                    "id": f"node{number}",
                    "profile": f"p{number % 7}",
                    "selector": {"mac": f"52:54:00:00:{number // 256:02x}:{number % 256:02x}"},
                    "metadata": {"host": f"node{number}", "list": [1, 2.5, {"a": None}]},
                }
                for number in numbers
            },
            **{
                f"profiles/p{number}.json": {
                    "id": f"p{number}",
                    "generic_id": "t",
                    "ignition_id": "b.yaml",
                    "boot": {"kernel": "/assets/k", "args": [f"n={number}"]},
                }
                for number in range(7)
            },
            "generic/t": f"{{{{.host}}}} {{{{.mac}}}} {UUID}",
            "ignition/b.yaml": "variant: flatcar\nversion: 1.0.0\nstorage:\n  files:\n    - path: /etc/hostname\n"
            "      contents:\n        inline: '{{.host}}'\n",
            "assets/k": "kernel",
        },
    )
    arguments: list[object] = ["--into", tmp_path / "new"]
    if target == "stores":
        stores = new_stores(*map(request.getfixturevalue, ("dynamodb_local", "versitygw")))
        stores.create()
        for name, value in stores.environment().items():
            monkeypatch.setenv(name, value)
        arguments = ["--store"]
    same = dict.fromkeys(("ipxe", "grub", "ignition", "generic", "metadata", "assets"), "same")
    has_assets = source == "directory"
    with matchbox_on(data, tmp_path) as old:
        found = migrate(0 if has_assets else 1, source, old, *arguments)
    expected = same if has_assets else same | {"assets": "differs"}
    assert {f"node{number}": expected for number in numbers} == outcomes(found)
