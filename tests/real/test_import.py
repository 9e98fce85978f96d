"""Importing many groups: how long it takes, what machines see meanwhile, and what an interruption leaves."""

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lambda_matchbox.aws.catalog.table_contents import scan_table
from lambda_matchbox.web.wiring import lambda_app
from tests.rigs.service import Service
from tests.rigs.stores import Stores, new_stores
from tests.support.nightly import NIGHTLY

pytestmark = [pytest.mark.real, pytest.mark.slow]

MANY = 10_000 if NIGHTLY else 2_000
SOME = range(0, MANY, 197)
# Children of nohup and of a shell's background jobs ignore SIGINT unless told otherwise.
PROGRAM = (
    "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "from matchboxctl.main import main; sys.exit(main())"
)
COMMAND = [sys.executable, "-c", PROGRAM]


@pytest.fixture
def stores(dynamodb_local: Service, versitygw: Service) -> Stores:
    made = new_stores(dynamodb_local, versitygw)
    made.create()
    return made


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A group for each of many machines, and one for all others."""
    root = tmp_path_factory.mktemp("data")
    (root / "groups").mkdir()
    (root / "profiles").mkdir()
    (root / "profiles" / "p.json").write_text('{"boot": {"kernel": "own"}}')
    (root / "profiles" / "default.json").write_text('{"boot": {"kernel": "default"}}')
    (root / "groups" / "default.json").write_text('{"profile": "default"}')
    for number in range(MANY):
        text = json.dumps({"profile": "p", "selector": {"mac": mac(number)}})
        (root / "groups" / f"node{number}.json").write_text(text)
    return root


def mac(number: int) -> str:
    return f"52:54:00:{number >> 16:02x}:{number >> 8 & 255:02x}:{number & 255:02x}"


def imported(stores: Stores, data: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, "import", str(data)], env=stores.environment(), capture_output=True, text=True, check=True
    )


def wait_for(stores: Stores, key: str) -> None:
    """Wait until the table has this item."""
    client = stores.tables.client("dynamodb")
    while "Item" not in client.get_item(TableName=stores.name, Key={"pk": {"S": key}}):
        time.sleep(0.005)


def documents(stores: Stores) -> int:
    return len(scan_table(stores.clients()).by_key())


def script(app: object, number: int) -> bytes | int:
    """The kernel that the machine is given, or the status of another response."""
    event = {"httpMethod": "GET", "path": "/ipxe", "multiValueQueryStringParameters": {"mac": [mac(number)]}}
    # On a busy machine a response may come too late, and is asked for again.
    while (response := app.handle(event))["statusCode"] == 503:  # type: ignore[attr-defined]
        time.sleep(0.1)
    return response["body"].split()[2] if response["statusCode"] == 200 else response["statusCode"]


@contextmanager
def asked(app: object) -> Iterator[set[bytes | int]]:
    """What machines are answered that ask meanwhile, each of which has a group of its own."""
    over, seen = threading.Event(), set[bytes | int]()

    def ask() -> None:
        while not over.is_set():
            seen.update(script(app, number) for number in SOME)

    reader = threading.Thread(target=ask)
    reader.start()
    try:
        yield seen
    finally:
        over.set()
        reader.join()


def test_many_groups_while_machines_ask(stores: Stores, data: Path) -> None:
    """Groups go into an empty table; a machine is told of no group until its own is there, never the default."""
    app = lambda_app(stores.environment())
    with asked(app) as seen:
        ended = imported(stores, data)
    assert f"{MANY + 3} added, 0 changed, 0 removed, 0 unchanged" in ended.stdout
    assert seen <= {404, "own"}
    assert {"own"} == {script(app, number) for number in SOME}
    assert "default" == script(app, MANY)


@pytest.mark.parametrize(("number", "part"), [(signal.SIGINT, 0.05), (signal.SIGKILL, 0.5)])
def test_interrupted(stores: Stores, data: Path, number: int, part: float) -> None:
    """What an interrupted import left is right as far as it goes; the same command finishes it while machines ask."""
    app = lambda_app(stores.environment())
    with subprocess.Popen(
        [*COMMAND, "import", str(data)], env=stores.environment(), stderr=subprocess.PIPE, text=True
    ) as process:
        # They are written in the order of their names, and their entries after all of them.
        wait_for(stores, sorted(f"G#node{number}" for number in range(MANY))[int(part * MANY)])
        process.send_signal(number)
        _, errors = process.communicate()
    assert {signal.SIGINT: 130, signal.SIGKILL: -signal.SIGKILL}[signal.Signals(number)] == process.returncode
    assert "Traceback" not in errors
    assert {script(app, number) for number in SOME} <= {404, "own"}
    with asked(app) as seen:
        imported(stores, data)
    assert seen <= {404, "own"}
    assert MANY + 3 == documents(stores)
    assert {"own"} == {script(app, number) for number in SOME}
    ended = imported(stores, data)
    assert f"0 added, 0 changed, 0 removed, {MANY + 3} unchanged" in ended.stdout
