"""States of machines in a data directory: what befalls their file, and who shares it."""

import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from lambda_matchbox.errors import StoreUnavailableError
from lambda_matchbox.machines.identities import Identities
from lambda_matchbox.machines.state import MachineState, approved
from matchboxctl.directory import sqlite_file, state_file
from matchboxctl.directory.machine_states import DirectoryMachines
from matchboxctl.directory.state_file import FILE, MARKER
from matchboxctl.directory.waiting import AtOnce, MustWaitError
from tests.unit.matchboxctl.directory.state_statements import run

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


@pytest.mark.parametrize("restarted", [False, True])
def test_a_replaced_directory_is_no_new_beginning(tmp_path: Path, *, restarted: bool) -> None:
    """Nobody has removed the marker, which was in the directory before; a restarted process has read nothing yet."""
    for name in ("1", "2"):
        (tmp_path / name).mkdir()
    current, following = tmp_path / "current", tmp_path / "next"
    current.symlink_to("1")
    following.symlink_to("2")
    with closing(DirectoryMachines(current)) as machines:
        machines.write(None, MachineState(NODE))
        with closing(DirectoryMachines(current)) as later:
            following.rename(current)
            serving = later if restarted else machines
            assert f"was replaced by a directory without {FILE}, and machines would install again" in fails(serving)
            with AtOnce(), pytest.raises(StoreUnavailableError):
                serving.read(NODE.keys[0])
    shutil.copy(tmp_path / "1" / FILE, current)
    with closing(DirectoryMachines(current)) as machines:
        assert machines.read(NODE.keys[0]) is not None


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
        with AtOnce():
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
    with AtOnce(), pytest.raises(MustWaitError):
        machines.write(before, approved(before, 1))
    machines.close()
    with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        with AtOnce(), pytest.raises(MustWaitError):
            machines.read(NODE.keys[0])
    assert machines.read(NODE.keys[0]) == before


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
