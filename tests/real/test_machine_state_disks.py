"""States of machines on a disk that is full or read-only, or under a limit: 503 for those who need one only."""

import resource
import subprocess
import sys
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Literal

import pytest

from lambda_matchbox.machines.identities import Identities
from lambda_matchbox.machines.state import MachineState
from matchboxctl.directory.machine_states import DirectoryMachines
from tests.rigs.small_disk import run_on_disk
from tests.support.data_files import write_files

pytestmark = pytest.mark.real

NODE = Identities("52:54:00:12:34:56")
LIMIT = 60
ASK = """
import json, sys
from pathlib import Path
from lambda_matchbox.assets.file_server import Delivery
from lambda_matchbox.http import Request
from lambda_matchbox.web.app import App
from lambda_matchbox.web.routes import Routes
from lambda_matchbox.web.json_log import JsonLog
from matchboxctl.serve.directory_stores import directory_stores

HEADERS = {"host": "h", "x-forwarded-for": "10.0.0.5"}
root = Path(sys.argv[1])
stores = directory_stores(root, root / "assets", print).stores
app = App(Routes(stores, Delivery(10_000_000, "-")), JsonLog("error", sys.stderr))
for path in ("/ipxe", "/generic"):
    for group in ("plain", "once"):
        request = Request("GET", path, f"os={group}&mac=52:54:00:12:34:56", HEADERS)
        print(path, group, app.respond(request).status)
"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A group with `once`, and one without a policy."""
    root = tmp_path / "data"
    write_files(
        root,
        {
            "groups/plain.json": {"profile": "p", "selector": {"os": "plain"}},
            "groups/once.json": {"profile": "p", "selector": {"os": "once"}, "boot": {"once": True}},
            "profiles/p.json": {"generic_id": "t", "boot": {"kernel": "/assets/k"}},
        },
    )
    (root / "generic").mkdir()
    (root / "generic/t").write_text("configuration")
    return root


def statuses(output: str) -> dict[tuple[str, str], int]:
    """By path and group."""
    rows = [line.split() for line in output.splitlines()]
    return {(path, group): int(status) for path, group, status in rows}


@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize(("kind", "reason"), [("full", "the disk is full"), ("read-only", "read-only for this user")])
def test_a_disk_that_takes_nothing(
    data: Path, tmp_path: Path, kind: Literal["full", "read-only"], reason: str, *, known: bool
) -> None:
    """A machine that nobody knows yet gets its script, and no configuration: that would be a delivery."""
    if known:
        with closing(DirectoryMachines(data)) as machines:
            machines.write(None, MachineState(NODE))
    (tmp_path / "disk").mkdir()
    command = [sys.executable, "-c", ASK, str(tmp_path / "disk")]
    ended = run_on_disk(kind, tmp_path / "disk", data, command)
    assert ended.returncode == 0, ended.stderr
    assert statuses(ended.stdout) == {
        ("/ipxe", "plain"): 200,
        ("/generic", "plain"): 200,
        ("/ipxe", "once"): 503 if known else 200,
        ("/generic", "once"): 503,
    }
    assert reason in ended.stderr, ended.stderr
    if known:
        with closing(DirectoryMachines(data)) as machines:
            assert machines.read(NODE.keys[0]) is not None


def test_a_limit_on_files(data: Path) -> None:
    """What was committed before is still there after it."""
    with closing(DirectoryMachines(data)) as machines:
        machines.write(None, MachineState(NODE))
    limit = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (8192, 8192))
    ended = subprocess.run(
        [sys.executable, "-B", "-c", ASK, str(data)],
        preexec_fn=limit,
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT,
    )
    found = statuses(ended.stdout)
    assert (found["/generic", "once"], found["/generic", "plain"]) == (503, 200), ended.stderr
    assert "a limit" in ended.stderr
    with closing(DirectoryMachines(data)) as machines:
        before = machines.read(NODE.keys[0])
        assert before is not None
        assert before.delivery is None
        machines.write(before, before._replace(approved=1))
