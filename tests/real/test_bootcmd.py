"""matchbox's own bootcmd against both modes: what it creates, lists and describes."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from matchboxctl.main import main
from tests.rigs.matchbox_clients import bootcmd
from tests.rigs.stores import new_stores
from tests.support.rpc_client import ANYWHERE, rpc_port
from tests.support.rpc_serve import RpcServe, serving_rpc
from tests.support.serving import started

pytestmark = pytest.mark.real

LIMIT = 60
GROUP = {
    "id": "node",
    "name": "a node",
    "profile": "worker",
    "selector": {"mac": "52-54-00-AA-BB-01", "os": "installed"},
    "metadata": {"host": "n1", "count": 3, "ssh": ["<key>"]},
}
PROFILE = {
    "id": "worker",
    "name": "a worker",
    "ignition_id": "worker.ign",
    "generic_id": "worker.env",
    "cloud_id": "worker.yaml",
    "boot": {"kernel": "/assets/vmlinuz", "initrd": ["/assets/i1", "/assets/i2"], "args": ["quiet", "a=${mac}"]},
}


class Ended(NamedTuple):
    """How bootcmd ended; `lines` are those of its standard output, in cells."""

    code: int
    lines: list[list[str]]
    errors: str


class Bootcmd:
    """The program, which asks a port of 127.0.0.1 with a client's certificate, and files for it in a directory."""

    def __init__(self, directory: Path, port: int, ca: Path, cert: Path, key: Path) -> None:
        self._directory = directory
        files = {"--ca-file": ca, "--cert-file": cert, "--key-file": key}
        flags = [word for flag, path in files.items() for word in (flag, str(path))]
        self._flags = ["--endpoints", f"127.0.0.1:{port}", *flags]

    def file(self, name: str, content: bytes) -> Path:
        """A file of that name."""
        path = self._directory / name
        path.write_bytes(content)
        return path

    def run(self, *words: str | Path) -> Ended:
        """Run it to its end."""
        ended = subprocess.run(
            [bootcmd(), *words, *self._flags], capture_output=True, text=True, timeout=LIMIT, check=False
        )
        lines = [re.split(r"\t+", line.rstrip("\t")) for line in ended.stdout.splitlines()]
        return Ended(ended.returncode, lines, ended.stderr)

    def create(self, resource: str, name: str, content: bytes) -> None:
        """Create one, which says nothing."""
        assert Ended(0, [], "") == self.run(resource, "create", "-f", self.file(name, content))


@pytest.fixture(params=["directory", "store"])
def served(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RpcServe]:
    services = ("dynamodb_local", "versitygw")
    stores = None if request.param == "directory" else new_stores(*map(request.getfixturevalue, services))
    with serving_rpc(stores, tmp_path) as made:
        yield made


@pytest.fixture
def client(served: RpcServe, tmp_path: Path) -> Bootcmd:
    directory = tmp_path / "client"
    directory.mkdir()
    pem = {
        "ca": served.files.authority.certificate,
        "cert": served.files.client.certificate,
        "key": served.files.client.key,
    }
    for name, content in pem.items():
        (directory / name).write_bytes(content)
    return Bootcmd(directory, rpc_port(served.serve), *(directory / name for name in pem))


def test_a_machine(served: RpcServe, client: Bootcmd) -> None:
    """What is created is served at once, and comes back in lists and descriptions."""
    client.create("profile", "p.json", json.dumps(PROFILE).encode())
    client.create("group", "g.json", json.dumps(GROUP).encode())
    client.create("ignition", "worker.ign", b'{"ignition": {"version": "3.4.0"}}')
    client.create("generic", "worker.env", b"HOST={{.host}}\n")
    asked = "mac=52:54:00:aa:bb:01&os=installed"
    assert (
        b"#!ipxe\nkernel /assets/vmlinuz quiet a=${mac}\ninitrd /assets/i1\ninitrd /assets/i2\nboot\n"
        == served.serve.get(f"/ipxe?{asked}").body
    )
    assert "3.4.0" == json.loads(served.serve.get(f"/ignition?{asked}").body)["ignition"]["version"]
    assert b"HOST=n1\n" == served.serve.get(f"/generic?{asked}").body
    assert [["ID", "PROFILE NAME", "IGNITION", "CLOUD"], ["worker", "a worker", "worker.ign", "worker.yaml"]] == (
        client.run("profile", "list").lines
    )
    assert [
        ["ID", "NAME", "IGNITION", "CLOUD", "KERNEL", "INITRD", "ARGS"],
        [
            *("worker", "a worker", "worker.ign", "worker.yaml", "/assets/vmlinuz"),
            *("[/assets/i1 /assets/i2]", "[quiet a=${mac}]"),
        ],
    ] == client.run("profile", "describe", "worker").lines
    selectors = 'map[string]string{"mac":"52:54:00:aa:bb:01", "os":"installed"}'
    assert [["ID", "GROUP NAME", "SELECTORS", "PROFILE"], ["node", "a node", selectors, "worker"]] == (
        client.run("group", "list").lines
    )
    metadata = r'{"count":3,"host":"n1","ssh":["\u003ckey\u003e"]}'
    assert [
        ["ID", "NAME", "SELECTORS", "PROFILE", "METADATA"],
        ["node", "a node", "map[mac:52:54:00:aa:bb:01 os:installed]", '"worker"', metadata],
    ] == client.run("group", "describe", "node").lines


def test_a_profile_without_boot(client: Bootcmd) -> None:
    """bootcmd, which dies of a profile without a `boot`, is always given one."""
    client.create("profile", "p.json", b'{"id": "bare"}')
    ended = client.run("profile", "describe", "bare")
    assert (0, ["bare", "[]", "[]"]) == (ended.code, [cell for cell in ended.lines[1] if cell])


def test_nothing(client: Bootcmd) -> None:
    """Empty lists and what is not there are the legend alone, as with matchbox."""
    for words in (("profile", "list"), ("group", "list"), ("profile", "describe", "x"), ("group", "describe", "x")):
        ended = client.run(*words)
        assert (0, 1, "") == (ended.code, len(ended.lines), ended.errors)


def test_refusals(served: RpcServe, client: Bootcmd) -> None:
    """What is refused is told of with matchbox's words, and nothing is kept of it."""
    for resource, text, why in (
        ("profile", b"{}", "Id is required"),
        ("group", b'{"id": "g"}', "Group requires a Profile"),
    ):
        ended = client.run(resource, "create", "-f", client.file("bad.json", text))
        assert (1, f"Error:  rpc error: code = Unknown desc = {why}\n") == (ended.code, ended.errors)
    assert ({}, {}) == (served.client.ok("Groups/GroupList"), served.client.ok("Profiles/ProfileList"))


def test_certificates_of_matchboxctl(tmp_path: Path) -> None:
    """What `matchboxctl certs` makes is all that server and client need, under the names that both look for."""
    directory = tmp_path / "matchbox"
    assert 0 == main(["certs", str(directory), "--name", "127.0.0.1"])
    (tmp_path / "data").mkdir()
    server = {"--ca-file": "ca.crt", "--cert-file": "server.crt", "--key-file": "server.key"}
    flags = [word for flag, name in server.items() for word in (flag, str(directory / name))]
    http = ("--address", "127.0.0.1:0", "--data-path", str(tmp_path / "data"))
    with started(*http, *ANYWHERE, *flags) as serve:
        of_client = (directory / name for name in ("ca.crt", "client.crt", "client.key"))
        client = Bootcmd(tmp_path, rpc_port(serve), *of_client)
        client.create("profile", "p.json", json.dumps(PROFILE).encode())
        assert "worker" == client.run("profile", "list").lines[1][0]
        serve.end()
