"""gRPC over a data directory that operators edit at the same time."""

import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple, cast

import pytest
from grpc import StatusCode

from lambda_matchbox.catalog.groups import Group
from matchboxctl.directory.catalog import DirectoryCatalog
from matchboxctl.documents.protocol import FileError
from matchboxctl.rpc import matchbox_pb2 as pb
from matchboxctl.rpc.editable_catalog import EditableDirectory
from matchboxctl.rpc.messages import group_message
from matchboxctl.rpc.services import Services
from matchboxctl.rpc.status_codes import StatusError
from tests.support.rpc_client import ANYWHERE, Client, connected, files_in, rpc_port
from tests.support.serving import Serve, started

pytestmark = pytest.mark.system


class Served(NamedTuple):
    """A data directory, a client that edits it, and a server of it."""

    data: Path
    client: Client
    serve: Serve


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    data, own = tmp_path / "data", tmp_path / "files"
    data.mkdir()
    own.mkdir()
    files = files_in(own)
    flags = ("--address", "127.0.0.1:0", "--data-path", str(data), "--log-level", "error")
    with started(*flags, *ANYWHERE, *files.flags) as serve, connected(rpc_port(serve), files) as client:
        yield Served(data, client, serve)
        serve.end()


def test_a_write_is_served_at_once(served: Served) -> None:
    """The next request over HTTP is answered with what was written, and without what was deleted."""
    client, serve = served.client, served.serve
    assert 404 == serve.get("/ipxe?os=a").status
    for kernel in ("one", "two"):
        client.ok("Profiles/ProfilePut", {"profile": {"id": "p", "generic_id": "t", "boot": {"kernel": kernel}}})
        client.ok("Groups/GroupPut", {"group": {"id": "g", "profile": "p", "selector": {"os": "a"}}})
        client.ok("Generic/GenericPut", {"name": "t"}, config=f"{kernel} {{{{.os}}}}".encode())
        assert f"#!ipxe\nkernel {kernel}\nboot\n".encode() == serve.get("/ipxe?os=a").body
        assert f"{kernel} a".encode() == serve.get("/generic?os=a").body
    client.ok("Groups/GroupDelete", {"id": "g"})
    assert 404 == serve.get("/ipxe?os=a").status


def test_manual_edits_are_served_and_kept(served: Served) -> None:
    client, data = served.client, served.data
    client.ok("Profiles/ProfilePut", {"profile": {"id": "p", "boot": {"kernel": "rpc"}}})
    (data / "profiles/p.json").write_text('{"id": "p", "boot": {"kernel": "hand"}}')
    (data / "profiles/other.json").write_text('{"name": "by hand"}')
    client.ok("Profiles/ProfilePut", {"profile": {"id": "q"}})
    assert "hand" == client.ok("Profiles/ProfileGet", {"id": "p"})["profile"]["boot"]["kernel"]
    ids = [profile["id"] for profile in client.ok("Profiles/ProfileList")["profiles"]]
    assert ["other", "p", "q"] == ids
    (data / "profiles/p.json").unlink()
    assert "Unknown" == client.call("Profiles/ProfileGet", {"id": "p"}).code


def test_invalid_file_can_be_replaced(served: Served) -> None:
    """Get reports its line, List omits it."""
    client, data = served.client, served.data
    (data / "groups").mkdir()
    (data / "profiles").mkdir()
    (data / "groups/g.json").write_text('{"profile": "p",\n"selector": 5}')
    (data / "profiles/p.json").write_text("{")
    got = client.call("Groups/GroupGet", {"id": "g"})
    assert ("Unknown", "line 2: selector: not an object") == (got.code, got.message)
    assert "Unknown" == client.call("Profiles/ProfileGet", {"id": "p"}).code
    assert {} == client.ok("Groups/GroupList")
    assert {} == client.ok("Profiles/ProfileList")
    client.ok("Groups/GroupPut", {"group": {"id": "g", "profile": "p"}})
    got = client.call("Select/SelectProfile")
    assert ("NotFound", "matchbox: No matching Profile") == (got.code, got.message)
    client.ok("Profiles/ProfilePut", {"profile": {"id": "p"}})
    assert {"profile": {"id": "p", "boot": {}}} == client.ok("Select/SelectProfile")


def test_directories_of_template_names_are_created(served: Served) -> None:
    served.client.ok("Ignition/IgnitionPut", {"name": "flatcar/workers/a.yaml"}, config=b"text")
    assert b"text" == (served.data / "ignition/flatcar/workers/a.yaml").read_bytes()
    assert "config" in served.client.ok("Ignition/IgnitionGet", {"name": "flatcar/workers/a.yaml"})
    served.client.ok("Ignition/IgnitionDelete", {"name": "flatcar/workers/a.yaml"})


@pytest.mark.parametrize("name", ["../x", "a/../x", "..", ".", "/x", "x/", "a//x", "a\0x"])
def test_names_that_are_not_clean_paths_are_refused(served: Served, name: str) -> None:
    client = served.client
    calls = [client.call(f"Ignition/Ignition{verb}", {"name": name}) for verb in ("Put", "Get", "Delete")]
    calls += [client.call(f"Groups/Group{verb}", {"id": name}) for verb in ("Get", "Delete")]
    calls.append(client.call("Groups/GroupPut", {"group": {"id": name, "profile": "p"}}))
    calls.append(client.call("Profiles/ProfilePut", {"profile": {"id": name}}))
    assert {"InvalidArgument"} == {call.code for call in calls}
    assert all(call.message.startswith("invalid ") and repr(name) in call.message for call in calls)
    assert [] == list(served.data.iterdir())


def test_line_breaks_in_a_boot_section_are_refused(served: Served) -> None:
    boot = {"kernel": "/k", "initrd": ["/i"], "args": ["a", "b\nshell"]}
    refused = served.client.call("Profiles/ProfilePut", {"profile": {"id": "p", "boot": boot}})
    why = "profile 'p': boot.args.1: the control character '\\n' could begin a new line of the boot script: remove it"
    assert ("InvalidArgument", why) == (refused.code, refused.message)
    assert {} == served.client.ok("Profiles/ProfileList")


def test_a_label_with_a_line_break_selects_nothing(served: Served) -> None:
    for selector in ({}, {"os": "a\n"}):
        group = {"id": f"g{len(selector)}", "profile": "p", "selector": selector}
        served.client.ok("Groups/GroupPut", {"group": group})
    assert "g0" == served.client.ok("Select/SelectGroup", {"labels": {"os": "a\n"}})["group"]["id"]


def test_slashes_in_ids_are_refused(served: Served) -> None:
    assert "InvalidArgument" == served.client.call("Profiles/ProfilePut", {"profile": {"id": "a/b"}}).code
    assert "InvalidArgument" == served.client.call("Ignition/IgnitionPut", {"name": ""}).code


def test_errors_of_the_system_are_unknown(served: Served) -> None:
    """In the words of Go."""
    client, root = served.client, served.data
    client.ok("Ignition/IgnitionPut", {"name": "dir/a"}, config=b"")
    for call, words in (
        (client.call("Ignition/IgnitionGet", {"name": "dir"}), f"open {root}/ignition/dir: is a directory"),
        (client.call("Ignition/IgnitionPut", {"name": "dir"}), f"open {root}/ignition/dir: is a directory"),
        (client.call("Ignition/IgnitionDelete", {"name": "dir"}), f"remove {root}/ignition/dir: is a directory"),
        (
            client.call("Ignition/IgnitionGet", {"name": "n" * 300}),
            f"open {root}/ignition/{'n' * 300}: file name too long",
        ),
    ):
        assert ("Unknown", words) == (call.code, call.message)
    assert [root / "ignition"] == list(root.iterdir())


def test_long_messages_are_shortened(served: Served) -> None:
    """A message is sent in a header."""
    served.client.ok("Profiles/ProfilePut", {"profile": {"id": "p"}})
    got = served.client.call("Profiles/ProfileGet", {"id": "é" * 50_000})
    assert ("Unknown", 1001) == (got.code, len(got.message))
    assert got.message.startswith(f"open {served.data}/profiles/éé")
    assert got.message.endswith("é.json: file name too long")


def test_write_keeps_links_and_modes(served: Served, tmp_path: Path) -> None:
    target = tmp_path / "elsewhere"
    target.write_text("old")
    target.chmod(0o600)
    (served.data / "generic").mkdir()
    (served.data / "generic/t").symlink_to(target)
    served.client.ok("Generic/GenericPut", {"name": "t"}, config=b"new")
    assert (served.data / "generic/t").is_symlink()
    assert (b"new", 0o600) == (target.read_bytes(), target.stat().st_mode & 0o777)


def test_writes_are_atomic(tmp_path: Path) -> None:
    """For readers and for a second writer."""
    documents = EditableDirectory(tmp_path, DirectoryCatalog(tmp_path, lambda _: None))
    bodies = [bytes([letter]) * 300_000 for letter in b"ab"]
    documents.put_template("generic", "t", bodies[0])
    ended = threading.Event()
    torn: list[bytes] = []

    def read() -> None:
        while not ended.is_set():
            seen = (tmp_path / "generic/t").read_bytes()
            if seen not in bodies:
                torn.append(seen)

    def write(body: bytes) -> None:
        for _ in range(60):
            documents.put_template("generic", "t", body)

    with ExitStack() as stack:
        reader = threading.Thread(target=read)
        reader.start()
        stack.callback(reader.join)
        stack.callback(ended.set)
        writers = [threading.Thread(target=write, args=(body,)) for body in bodies]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
    assert [] == torn
    assert [tmp_path / "generic"] == list(tmp_path.iterdir())


def test_failed_write_leaves_no_draft(tmp_path: Path) -> None:
    documents = EditableDirectory(tmp_path, DirectoryCatalog(tmp_path, lambda _: None))
    (tmp_path / "profiles/p.json").mkdir(parents=True)
    with pytest.raises(FileError, match="is a directory"):
        documents.put_template("profiles", "p.json", b"")
    assert [tmp_path / "profiles"] == list(tmp_path.iterdir())


def test_names_that_are_not_utf8_are_not_listed(tmp_path: Path) -> None:
    documents = EditableDirectory(tmp_path, DirectoryCatalog(tmp_path, lambda _: None))
    (tmp_path / "profiles").mkdir()
    for name in (b"\xff.json", b"ok.json"):
        (tmp_path / "profiles" / os.fsdecode(name)).write_text("{}")
    response = Services(documents).methods()["ProfileList"](pb.Empty())
    assert isinstance(response, pb.ProfileListResponse)
    assert ["ok"] == [profile.id for profile in response.profiles]


def test_deep_metadata_is_refused_and_not_listed(tmp_path: Path) -> None:
    documents = EditableDirectory(tmp_path, DirectoryCatalog(tmp_path, lambda _: None))
    (tmp_path / "groups").mkdir()
    (tmp_path / "groups/deep.json").write_text(f'{{"metadata": {{"a": {"[" * 800}{"]" * 800}}}}}')
    (tmp_path / "groups/ok.json").write_text("{}")
    methods = Services(documents).methods()
    with pytest.raises(StatusError, match=r"metadata of group 'deep' is nested too deeply") as raised:
        methods["GroupGet"](pb.IdRequest(id="deep"))
    assert StatusCode.FAILED_PRECONDITION == raised.value.code
    response = methods["GroupList"](pb.Empty())
    assert isinstance(response, pb.GroupListResponse)
    assert ["ok"] == [group.id for group in response.groups]


def test_pipe_does_not_block(served: Served) -> None:
    (served.data / "ignition").mkdir()
    os.mkfifo(served.data / "ignition/pipe")
    assert "Unknown" == served.client.call("Ignition/IgnitionGet", {"name": "pipe"}).code


def test_list_in_selector_is_refused() -> None:
    group = Group("g", profile="p", selector=cast("Any", {"mac": ("52:54:00:00:00:01",), "os": "a"}))
    with pytest.raises(StatusError, match=r"the selector of group 'g' has lists of values \(mac\)") as raised:
        group_message(group)
    assert StatusCode.FAILED_PRECONDITION == raised.value.code
