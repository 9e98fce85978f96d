"""`matchboxctl certs` that is stopped in its midst, or finds no room: a set is there as a whole or not at all."""

import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from matchboxctl.main import main
from tests.unit.matchboxctl.certs.made_certificates import FILES, contents

LIMIT = 60

# An audit hook sees each call of the operating system before it is made, and whatever it raises the call raises.
STOPPED = """
import os, signal, sys
from matchboxctl.main import main
import matchboxctl.certs.creation
# nohup and a shell's background jobs ignore some of them, and children inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGTERM, signal.SIG_DFL)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
event, number, action, *arguments = sys.argv[1:]
left = int(number)

def hook(name, details):
    global left
    if name == event:
        left -= 1
        if left == 0:
            if action == "full":
                raise OSError(28, "No space left on device")
            if action == "rival":
                open(details[1], "w").close()
            else:
                os.kill(os.getpid(), int(action))

sys.addaudithook(hook)
sys.exit(main(["certs", *arguments]))
"""


def stopped(event: str, number: int, action: object, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run it; at the call of this number there is a signal, no room, or a rival that makes the file first."""
    given = map(str, (event, number, action, *arguments))
    return subprocess.run(
        [sys.executable, "-B", "-c", STOPPED, *given], capture_output=True, text=True, timeout=LIMIT, check=False
    )


def listing(directory: Path) -> Sequence[str]:
    return sorted(path.name for path in directory.iterdir())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize(("event", "call"), [("tempfile.mkdtemp", 1), ("os.link", 1), ("os.link", 4), ("os.link", 6)])
def test_signals(tmp_path: Path, number: signal.Signals, event: str, call: int) -> None:
    """A signal in the midst of it counts when the set is whole."""
    ended = stopped(event, call, int(number), tmp_path / "certs", "--name", "localhost")
    assert (130 if number == signal.SIGINT else -number) == ended.returncode
    assert FILES == listing(tmp_path / "certs")
    assert 0 == main(["certs", "--check", str(tmp_path / "certs")])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_in_a_renewal(tmp_path: Path, number: signal.Signals) -> None:
    """A signal in the midst of a renewal counts when keys and certificates belong together again."""
    main(["certs", str(tmp_path), "--name", "localhost"])
    before = contents(tmp_path)
    assert 0 != stopped("os.rename", 2, int(number), tmp_path, "--renew").returncode
    assert FILES == listing(tmp_path)
    assert all(body != before[name] for name, body in contents(tmp_path).items() if not name.startswith("ca."))
    assert 0 == main(["certs", "--check", str(tmp_path)])


@pytest.mark.parametrize(("event", "call"), [("tempfile.mkdtemp", 1), ("os.link", 1), ("os.link", 4)])
def test_no_room(tmp_path: Path, event: str, call: int) -> None:
    """Where there is no room nothing is left, and a directory that was there is."""
    for directory, left in ((tmp_path / "certs", False), (tmp_path / "there", True)):
        if left:
            directory.mkdir()
        ended = stopped(event, call, "full", directory, "--name", "localhost")
        line = f"matchboxctl: {directory} cannot be written: No space left on device; nothing was written\n"
        assert (1, "", line) == (ended.returncode, ended.stdout, ended.stderr)
        assert (left, []) == (directory.exists(), list(directory.glob("*")))


def test_no_room_in_a_renewal(tmp_path: Path) -> None:
    """A renewal without room says that what is there may have to be looked at."""
    main(["certs", str(tmp_path), "--name", "localhost"])
    before = contents(tmp_path)
    ended = stopped("tempfile.mkdtemp", 1, "full", tmp_path, "--renew")
    assert (1, "") == (ended.returncode, ended.stdout)
    assert "No space left on device; run `matchboxctl certs --check`" in ended.stderr
    assert before == contents(tmp_path)


def test_a_rival(tmp_path: Path) -> None:
    """A file that another program makes meanwhile is not overwritten, and none is left beside it."""
    ended = stopped("os.link", 4, "rival", tmp_path, "--name", "localhost")
    assert 2 == ended.returncode
    assert ended.stderr.startswith(f"matchboxctl: {tmp_path} already has server.crt")
    assert {"server.crt": b""} == contents(tmp_path)


def test_a_power_cut(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """After a power cut between a key and its certificate --check tells of it, and another renewal mends it."""
    main(["certs", str(tmp_path), "--name", "localhost"])
    assert -signal.SIGKILL == stopped("os.rename", 2, int(signal.SIGKILL), tmp_path, "--renew").returncode
    capsys.readouterr()
    assert 1 == main(["certs", "--check", str(tmp_path)])
    assert f"FAILED {tmp_path}/server.key is not the key of {tmp_path}/server.crt" in capsys.readouterr().out
    assert 0 == main(["certs", "--renew", str(tmp_path)])
    assert 0 == main(["certs", "--check", str(tmp_path)])


def test_what_a_kill_leaves(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Keys that a command which was killed has left in a hidden directory are told of by --check."""
    assert -signal.SIGKILL == stopped("os.link", 1, int(signal.SIGKILL), tmp_path, "--name", "localhost").returncode
    (left,) = tmp_path.iterdir()
    assert 0 == main(["certs", str(tmp_path), "--name", "localhost"])
    capsys.readouterr()
    assert 0 == main(["certs", "--check", str(tmp_path)])
    (note,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith("note"))
    assert f"note   {left} contains keys of a `matchboxctl certs` that was killed: remove it" == note


@pytest.mark.parametrize("renew", [[], ["--renew"]], ids=["new", "renewal"])
def test_no_directory(tmp_path: Path, capsys: pytest.CaptureFixture[str], renew: Sequence[str]) -> None:
    """A file in the directory's place is told of."""
    (tmp_path / "certs").write_bytes(b"")
    assert 0 != main(["certs", str(tmp_path / "certs"), "--name", "localhost", *renew])
    (line,) = capsys.readouterr().err.splitlines()
    assert "Not a directory" in line
    assert b"" == (tmp_path / "certs").read_bytes()
