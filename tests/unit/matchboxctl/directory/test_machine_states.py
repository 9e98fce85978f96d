"""States of machines in a data directory: what befalls their file, and who shares it."""

import io
import json
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlencode

import pytest

from lambda_matchbox.assets.file_server import Delivery
from lambda_matchbox.errors import StoreUnavailableError
from lambda_matchbox.http import Request, Response
from lambda_matchbox.machines.identities import Identities
from lambda_matchbox.machines.state import MachineState, approved
from lambda_matchbox.web.alb import BODY_LIMIT
from lambda_matchbox.web.app import App
from lambda_matchbox.web.routes import Routes
from matchboxctl.directory import sqlite_file, state_file
from matchboxctl.directory.machine_states import DirectoryMachines
from matchboxctl.directory.state_file import FILE, MARKER
from matchboxctl.directory.waiting import MustWaitError, at_once
from matchboxctl.log.json_log import JsonLog
from matchboxctl.serve.directory_stores import directory_stores
from tests.support.http_serving import http_serving

NODE = Identities("52:54:00:12:34:56", "4c4c4544-0038-4410-8052-b3c04f4b5931")
LIMIT = 60
WRITER = """
import sys
from pathlib import Path
from lambda_matchbox.machines.identities import Identities
from lambda_matchbox.machines.state import MachineState
from lambda_matchbox.machines.stores import ChangedError
from matchboxctl.directory.machine_states import DirectoryMachines

machines = DirectoryMachines(Path(sys.argv[1]))
machine = Identities(*sys.argv[2].split(" "))
for _ in range(int(sys.argv[3])):
    while True:
        before = machines.read(machine.keys[0])
        try:
            after = (before or MachineState(machine))._replace(approved=(before.approved if before else 0) + 1)
            machines.write(before, after)
        except ChangedError:
            continue
        break
    print(after.approved, flush=True)
"""


def writer(root: Path, machine: Identities, changes: int) -> "subprocess.Popen[str]":
    """A process that counts in a machine's state, and prints each number when it is written."""
    command = [sys.executable, "-c", WRITER, str(root), " ".join(filter(None, machine)), str(changes)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[DirectoryMachines]:
    with closing(DirectoryMachines(tmp_path)) as found:
        yield found


def fails(machines: DirectoryMachines) -> str:
    """Why neither a read nor a write succeeds."""
    with pytest.raises(StoreUnavailableError) as of_write:
        machines.write(None, MachineState(NODE))
    with pytest.raises(StoreUnavailableError) as of_read:
        machines.read(NODE.keys[0])
    assert str(of_read.value) == str(of_write.value)
    return str(of_read.value)


def test_reading_creates_no_file(machines: DirectoryMachines, tmp_path: Path) -> None:
    assert machines.read(NODE.keys[0]) is None
    assert not list(tmp_path.iterdir())


def test_only_the_owner_of_the_directory_can_read_the_file(machines: DirectoryMachines, tmp_path: Path) -> None:
    if os.geteuid() == 0:
        os.chown(tmp_path, 65534, 65534)
    owner = (tmp_path.stat().st_uid, tmp_path.stat().st_gid)
    machines.write(None, MachineState(NODE))
    for file in (tmp_path / FILE, tmp_path / f"{FILE}-wal", tmp_path / f"{FILE}-shm"):
        found = file.stat()
        assert (0o600, owner) == (stat.S_IMODE(found.st_mode), (found.st_uid, found.st_gid))


@pytest.mark.system
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can write as two users")
def test_the_directorys_owner_goes_on_after_root() -> None:
    """Root's command made both files."""
    code = WRITER.replace("machines =", "import os; os.setgid(65534); os.setuid(65534)\nmachines =")
    # Another user cannot enter tmp_path.
    with TemporaryDirectory() as name:
        os.chown(name, 65534, 65534)
        with closing(DirectoryMachines(Path(name))) as machines:
            machines.write(None, MachineState(NODE))
        command = [sys.executable, "-c", code, name, " ".join(NODE[:2]), "1"]
        ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=LIMIT)
    assert (0, "1\n") == (ended.returncode, ended.stdout), ended.stderr


@pytest.mark.parametrize("restarted", [False, True])
def test_a_deleted_file_is_no_new_beginning(machines: DirectoryMachines, tmp_path: Path, *, restarted: bool) -> None:
    machines.write(None, MachineState(NODE))
    (tmp_path / FILE).unlink()
    with closing(DirectoryMachines(tmp_path)) as later:
        reason = fails(later if restarted else machines)
    assert f"{FILE} is gone, and machines would install again: restore it, or remove" in reason
    (tmp_path / MARKER).unlink()
    assert machines.read(NODE.keys[0]) is None


def test_a_restored_file_is_opened_while_serving(machines: DirectoryMachines, tmp_path: Path) -> None:
    machines.write(None, MachineState(NODE, approved=1))
    machines.close()
    saved = (tmp_path / FILE).read_bytes()
    machines.write(machines.read(NODE.keys[0]), MachineState(NODE, approved=2))
    for file in tmp_path.glob(f"{FILE}*"):
        file.unlink()
    (tmp_path / "copy").write_bytes(saved)
    (tmp_path / "copy").rename(tmp_path / FILE)
    found = machines.read(NODE.keys[0])
    assert found is not None
    assert found.approved == 1


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda file: file.write_bytes(b"no database " * 1000), "it is not a file of SQLite: restore it"),
        (lambda file: run(file, "PRAGMA user_version = 99"), "it was written by a newer release: install that one"),
        (lambda file: run(file, "UPDATE machine SET state = '{}'"), "the state of a machine is damaged: restore it"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(
    machines: DirectoryMachines, tmp_path: Path, damage: "partial[None]", reason: str
) -> None:
    machines.write(None, MachineState(NODE))
    machines.close()
    damage(tmp_path / FILE)
    with pytest.raises(StoreUnavailableError) as failed:
        machines.read(NODE.keys[0])
    assert FILE in str(failed.value)
    assert str(failed.value).endswith(reason)


def run(file: Path, statement: str) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute(statement)


def test_a_file_system_without_shared_memory_is_named(
    machines: DirectoryMachines, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite's VFS unix-dotfile cannot share memory either."""
    connect = sqlite3.connect
    monkeypatch.setattr(
        sqlite_file.sqlite3, "connect", lambda path, **more: connect(f"file:{path}?vfs=unix-dotfile", uri=True, **more)
    )
    assert fails(machines).endswith("cannot share it between processes (a network's?): use a local disk")


def test_a_networks_file_system_is_named(
    machines: DirectoryMachines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = tmp_path.stat().st_dev
    mounts = tmp_path / "mountinfo"
    mounts.write_text(
        f"36 35 {os.major(device)}:{os.minor(device)} / /var/lib rw,noatime shared:1 - nfs4 nas:/export rw,vers=4.2\n"
    )
    monkeypatch.setattr(sqlite_file, "_MOUNTS", mounts)
    assert "its file system is a network's (nfs4)" in fails(machines)


def test_a_reader_waits_for_no_writer(machines: DirectoryMachines, tmp_path: Path) -> None:
    machines.write(None, MachineState(NODE, approved=1))
    with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("UPDATE machine SET revision = 'x'")
        with at_once():
            found = machines.read(NODE.keys[0])
    assert found is not None
    assert found.revision != "x"


def test_states_are_read_again_after_each_commit_only(machines: DirectoryMachines, tmp_path: Path) -> None:
    wanted, statements = NODE.keys, list[str]()
    machines.write(None, MachineState(NODE))
    with closing(DirectoryMachines(tmp_path)) as serving:
        for times in range(1, 4):
            before = machines.read(wanted[0])
            machines.write(before, MachineState(NODE, approved=times))
            for turn in range(3):
                with serving._file.reading() as file:
                    assert file is not None
                    file.connection.set_trace_callback(statements.append)
                statements.clear()
                assert {times} == {state.approved for state in serving.read_all(wanted)}
                selects = [one for one in statements if one.startswith("SELECT")]
                assert len(selects) == (0 if turn else 1)


def test_a_locked_file_is_named(machines: DirectoryMachines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machines.write(None, MachineState(NODE))
    monkeypatch.setattr(state_file, "_BUSY_SECONDS", 0.05)
    with closing(DirectoryMachines(tmp_path)) as hurried:
        before = hurried.read(NODE.keys[0])
        assert before is not None
        with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreUnavailableError, match="another process has locked it"):
                hurried.write(before, approved(before, 1))
        hurried.write(before, approved(before, 1))


def test_nothing_waits_where_nobody_may(machines: DirectoryMachines, tmp_path: Path) -> None:
    machines.write(None, MachineState(NODE))
    before = machines.read(NODE.keys[0])
    assert before is not None
    with at_once(), pytest.raises(MustWaitError):
        machines.write(before, approved(before, 1))
    machines.close()
    with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        with at_once(), pytest.raises(MustWaitError):
            machines.read(NODE.keys[0])
    assert machines.read(NODE.keys[0]) == before


@contextmanager
def served(root: Path) -> Iterator[App]:
    """An app over the directory, with a group without a policy and one that installs once."""
    for path, document in {
        "groups/plain.json": {"profile": "p", "selector": {"os": "plain"}},
        "groups/once.json": {"profile": "p", "selector": {"os": "once"}, "boot": {"once": True}},
        "profiles/p.json": {"generic_id": "t", "boot": {"kernel": "/assets/k"}},
    }.items():
        (root / path).parent.mkdir(exist_ok=True)
        (root / path).write_text(json.dumps(document))
    (root / "generic").mkdir()
    (root / "generic/t").write_text("configuration")
    opened = directory_stores(root, root / "assets", pytest.fail)
    with closing(opened.catalog), closing(opened.machines):
        yield App(Routes(opened.stores, Delivery(BODY_LIMIT, "-")), JsonLog("critical", io.StringIO()))


@pytest.mark.parametrize(
    ("damage", "while_serving"),
    [
        (lambda file: file.unlink(), True),
        (lambda file: run(file, "PRAGMA user_version = 99"), True),
        (lambda file: run(file, "DROP TABLE machine"), True),
        (lambda file: run(file, "UPDATE machine SET state = 'x'"), True),
        (lambda file: file.write_bytes(b""), False),
        (lambda file: file.write_bytes(b"no database " * 1000), False),
    ],
)
def test_only_groups_with_a_policy_need_the_file(
    tmp_path: Path, damage: "partial[None]", *, while_serving: bool
) -> None:
    """What is cached of an overwritten file may be used until a restart."""
    with closing(DirectoryMachines(tmp_path)) as machines:
        machines.write(None, MachineState(NODE, installed=1))
    if not while_serving:
        damage(tmp_path / FILE)
    with served(tmp_path) as app:
        if while_serving:
            assert b"/assets/k" not in _asked(app, "/ipxe", "once").body
            damage(tmp_path / FILE)
        for path in ("/ipxe", "/grub", "/generic", "/metadata"):
            assert [503, 200] == [_asked(app, path, group).status for group in ("once", "plain")]


def _asked(app: App, path: str, group: str) -> Response:
    query = urlencode({"os": group, "mac": NODE.mac})
    return app.respond(Request("GET", path, query, {"host": "h", "x-forwarded-for": "10.0.0.5"}))


@pytest.mark.system
def test_a_locked_file_holds_up_no_other_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One whose delivery cannot be recorded yet gets it after the others have theirs."""
    monkeypatch.setattr(state_file, "_BUSY_SECONDS", float(LIMIT))
    with closing(DirectoryMachines(tmp_path)) as machines:
        machines.write(None, MachineState(Identities(mac="52:54:00:00:00:01")))
    with (
        served(tmp_path) as app,
        http_serving(app) as port,
        closing(sqlite3.connect(tmp_path / FILE)) as other,
    ):
        get = partial(_get, port)
        other.execute("BEGIN IMMEDIATE")
        found: list[int] = []
        waiting = threading.Thread(target=lambda: found.append(get("once")))
        waiting.start()
        assert [200] * 20 == [get("plain") for _ in range(20)]
        assert not found
        other.rollback()
        waiting.join()
        assert found == [200]


def _get(port: int, os_name: str) -> int:
    with closing(HTTPConnection("127.0.0.1", port, timeout=LIMIT)) as connection:
        connection.request("GET", f"/generic?{urlencode({'os': os_name, 'mac': NODE.mac})}")
        return connection.getresponse().status


@pytest.mark.system
def test_several_processes_lose_no_change(tmp_path: Path) -> None:
    """They begin at the same moment, when there is no file yet."""
    writers = [writer(tmp_path, NODE, 50) for _ in range(3)]
    numbers = sorted(int(line) for each in writers for line in each.communicate(timeout=LIMIT)[0].split())
    assert [0, 0, 0] == [each.returncode for each in writers]
    assert list(range(1, 151)) == numbers


@pytest.mark.system
def test_a_killed_writer_loses_no_change(tmp_path: Path) -> None:
    """Each is killed at another moment: its file is readable, and has every change that was made known."""
    known = 0
    for after in range(1, 16):
        with writer(tmp_path, NODE, 1000) as killed:
            assert killed.stdout is not None
            for _ in range(after % 5):
                known = int(killed.stdout.readline())
            killed.send_signal(signal.SIGKILL)
            known = max([known, *map(int, killed.stdout.read().split())])
        with closing(DirectoryMachines(tmp_path)) as machines:
            states = [machines.read(identity) for identity in NODE.keys]
            assert states[0] == states[1]
            # The last one may have been written and not yet printed.
            assert (0 if states[0] is None else states[0].approved) in (known, known + 1)
            known = 0 if states[0] is None else states[0].approved
