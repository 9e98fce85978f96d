"""`matchboxctl certs` on signals, a full disk and a concurrent writer: a set is complete or not there."""

import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from matchboxctl.main import main
from tests.unit.matchboxctl.certs.made_certificates import FILES, contents

pytestmark = pytest.mark.system

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
    """Run it; the numbered call raises a signal, fails for lack of space, or is preceded by a concurrent writer."""
    given = map(str, (event, number, action, *arguments))
    return subprocess.run(
        [sys.executable, "-B", "-c", STOPPED, *given], capture_output=True, text=True, timeout=LIMIT, check=False
    )


def listing(directory: Path) -> Sequence[str]:
    return sorted(path.name for path in directory.iterdir())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize(("event", "call"), [("tempfile.mkdtemp", 1), ("os.link", 1), ("os.link", 4), ("os.link", 6)])
def test_signal_waits_for_the_set(tmp_path: Path, number: signal.Signals, event: str, call: int) -> None:
    ended = stopped(event, call, int(number), tmp_path / "certs", "--name", "localhost")
    assert (130 if number == signal.SIGINT else -number) == ended.returncode
    assert FILES == listing(tmp_path / "certs")
    assert 0 == main(["certs", "--check", str(tmp_path / "certs")])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_waits_for_the_renewal(tmp_path: Path, number: signal.Signals) -> None:
    main(["certs", str(tmp_path), "--name", "localhost"])
    before = contents(tmp_path)
    assert 0 != stopped("os.rename", 2, int(number), tmp_path, "--renew").returncode
    assert FILES == listing(tmp_path)
    assert all(body != before[name] for name, body in contents(tmp_path).items() if not name.startswith("ca."))
    assert 0 == main(["certs", "--check", str(tmp_path)])


@pytest.mark.parametrize(("event", "call"), [("tempfile.mkdtemp", 1), ("os.link", 1), ("os.link", 4)])
def test_full_disk_leaves_nothing(tmp_path: Path, event: str, call: int) -> None:
    """A directory that existed is kept."""
    for directory, left in ((tmp_path / "certs", False), (tmp_path / "there", True)):
        if left:
            directory.mkdir()
        ended = stopped(event, call, "full", directory, "--name", "localhost")
        line = f"matchboxctl: {directory} cannot be written: No space left on device; nothing was written\n"
        assert (1, "", line) == (ended.returncode, ended.stdout, ended.stderr)
        assert (left, []) == (directory.exists(), list(directory.glob("*")))


def test_full_disk_keeps_old_certificates(tmp_path: Path) -> None:
    main(["certs", str(tmp_path), "--name", "localhost"])
    before = contents(tmp_path)
    ended = stopped("tempfile.mkdtemp", 1, "full", tmp_path, "--renew")
    assert (1, "") == (ended.returncode, ended.stdout)
    assert "No space left on device; run `matchboxctl certs --check`" in ended.stderr
    assert before == contents(tmp_path)


def test_concurrent_file_is_not_overwritten(tmp_path: Path) -> None:
    ended = stopped("os.link", 4, "rival", tmp_path, "--name", "localhost")
    assert 2 == ended.returncode
    assert ended.stderr.startswith(f"matchboxctl: {tmp_path} already has server.crt")
    assert {"server.crt": b""} == contents(tmp_path)


def test_power_cut_is_reported_and_repaired(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Between a key and its certificate."""
    main(["certs", str(tmp_path), "--name", "localhost"])
    assert -signal.SIGKILL == stopped("os.rename", 2, int(signal.SIGKILL), tmp_path, "--renew").returncode
    capsys.readouterr()
    assert 1 == main(["certs", "--check", str(tmp_path)])
    assert f"FAILED {tmp_path}/server.key is not the key of {tmp_path}/server.crt" in capsys.readouterr().out
    assert 0 == main(["certs", "--renew", str(tmp_path)])
    assert 0 == main(["certs", "--check", str(tmp_path)])


def test_keys_of_a_killed_command_are_noted_and_removed_by_the_next(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["certs", str(tmp_path), "--name", "localhost"])
    assert -signal.SIGKILL == stopped("os.rename", 1, int(signal.SIGKILL), tmp_path, "--renew").returncode
    (left,) = tmp_path.glob(".certs-*")
    capsys.readouterr()
    assert 0 == main(["certs", "--check", str(tmp_path)])
    (note,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith("note"))
    assert f"note   {left} contains keys of a `matchboxctl certs` that was killed: remove it" == note
    assert 0 == main(["certs", "--renew", str(tmp_path)])
    assert FILES == listing(tmp_path)


@pytest.mark.parametrize("renew", [[], ["--renew"]], ids=["new", "renewal"])
def test_file_instead_of_directory(tmp_path: Path, capsys: pytest.CaptureFixture[str], renew: Sequence[str]) -> None:
    (tmp_path / "certs").write_bytes(b"")
    assert 0 != main(["certs", str(tmp_path / "certs"), "--name", "localhost", *renew])
    (line,) = capsys.readouterr().err.splitlines()
    assert "Not a directory" in line
    assert b"" == (tmp_path / "certs").read_bytes()
