"""The validation when `serve` starts."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.data_files import write_files
from tests.support.serving import LIMIT, Serve, started
from tests.unit.matchboxctl.validate.written_data import GOOD

pytestmark = pytest.mark.system

ADDRESS = ("--address", "127.0.0.1:0")
LAST = "  run `matchboxctl validate {}` for all of them, and what to do"


def printed(serve: Serve, line: str) -> list[str]:
    """The lines behind the banner, up to this one, which comes when the validation has ended."""
    lines = serve.await_line(line)
    return lines[len(lines) - lines[::-1].index("") :]


def test_first_faults_are_printed_behind_the_banner(tmp_path: Path) -> None:
    """Faults come before notes, and those that are left out are counted."""
    absent = {f"profiles/q{at}.json": {"boot": {"kernel": f"/assets/{at}"}} for at in range(6)}
    write_files(tmp_path, {**GOOD, **absent, "profiles/p.json": {"boot": {"kernel": "/assets/k"}, "comment": ""}})
    last = f"  and 2 more; {LAST.format(tmp_path).strip()}"
    with started(*ADDRESS, "--data-path", str(tmp_path)) as serve:
        assert [
            "6 faults, 1 note in 1 group, 7 profiles, 0 templates:",
            *(f"  {tmp_path}/profiles/q{at}.json: fault: kernel: /assets/{at} does not exist" for at in range(5)),
            last,
        ] == printed(serve, last)
        serve.end()


def test_directory_of_data_directories_has_a_hint(tmp_path: Path) -> None:
    write_files(tmp_path / "a", GOOD)
    with started(*ADDRESS, "--data-path", str(tmp_path)) as serve:
        assert [
            "1 fault in 0 groups, 0 profiles, 0 templates:",
            f"  {tmp_path}: fault: it has no groups, but directories in it have: a",
            LAST.format(tmp_path),
        ] == printed(serve, LAST.format(tmp_path))
        serve.end()


def test_command_names_the_assets_path_too(tmp_path: Path) -> None:
    data, assets = write_files(tmp_path / "data", GOOD), tmp_path / "other assets"
    assets.mkdir()
    last = LAST.format(f"{data} --assets-path '{assets}'")
    with started(*ADDRESS, "--data-path", str(data), "--assets-path", str(assets)) as serve:
        assert f"  {data}/profiles/p.json: fault: kernel: /assets/k does not exist" in printed(serve, last)
        serve.end()


def _exists(process: int) -> bool:
    """Whether there is such a process, if only until its parent has learned of its end."""
    with suppress(ProcessLookupError):
        os.kill(process, 0)
        return True
    return False


@pytest.fixture
def waiting(tmp_path: Path) -> Iterator[tuple[Serve, int, int]]:
    """A server whose validation waits for a program in place of talosctl, and the process ids of these two."""
    pids, program = tmp_path / "pids", tmp_path / "bin" / "talosctl"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\necho $PPID $$ > {pids}.new; mv {pids}.new {pids}; exec sleep {3 * LIMIT}\n")
    program.chmod(0o755)
    config = "version: v1alpha1\nmachine: {type: worker}\n"
    profile = {"boot": {"kernel": "/assets/k"}, "ignition_id": "t"}
    data = write_files(tmp_path / "data", {**GOOD, "profiles/p.json": profile, "ignition/t": config})
    environment = {**os.environ, "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}"}
    with started(*ADDRESS, "--data-path", str(data), environment=environment) as serve:
        end = time.monotonic() + LIMIT
        while not pids.exists() and time.monotonic() < end:
            time.sleep(0.02)
        validation, waited_for = map(int, pids.read_text().split())
        yield serve, validation, waited_for


def test_requests_do_not_wait_for_the_validation_which_ends_with_serve(waiting: tuple[Serve, int, int]) -> None:
    serve, *others = waiting
    assert 200 == serve.get("/ipxe?mac=52:54:00:00:00:01").status
    serve.end()
    end = time.monotonic() + LIMIT
    while any(map(_exists, others)) and time.monotonic() < end:
        time.sleep(0.02)
    assert not any(map(_exists, others))


def test_serve_goes_on_without_the_validation(waiting: tuple[Serve, int, int]) -> None:
    serve, *others = waiting
    for process in others:
        os.kill(process, signal.SIGKILL)
    assert 200 == serve.get("/ipxe?mac=52:54:00:00:00:01").status
    serve.end()


def test_signal_during_the_fork_ends_the_process_silently(tmp_path: Path) -> None:
    """As when the address cannot be bound, at once afterwards."""
    program = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from matchboxctl.serve.backends import Directories\n"
        "from matchboxctl.serve.startup_validation import startup_validation\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit())\n"
        "os.register_at_fork(after_in_child=lambda: os.kill(os.getpid(), signal.SIGTERM))\n"
        "with startup_validation(Directories(Path('d'), Path('d'))): print('begun')\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=LIMIT, cwd=tmp_path)
    assert (0, "begun\n", "") == (ended.returncode, ended.stdout, ended.stderr)
