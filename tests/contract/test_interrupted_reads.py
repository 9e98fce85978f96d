"""Commands that read a whole table or directory end at an interruption, whatever they wait for."""

import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from lambda_matchbox.aws.bulk.load import bulk_load
from lambda_matchbox.aws.parallel import SCANNED_AT_ONCE, SEGMENTS
from lambda_matchbox.catalog.groups import Group
from matchboxctl.directory import files
from matchboxctl.documents import directory_documents
from matchboxctl.main import main
from tests.rigs.faults import Delay, Hang, PassThrough
from tests.rigs.service import Service
from tests.rigs.stores import new_stores
from tests.rigs.tcp_fault import FaultProxy, fault_proxy
from tests.support.rpc_client import COMMAND

MANY = SCANNED_AT_ONCE // 2 + 1
"""Groups, each with an entry, whose items are more than a page."""

TIMEOUT = 30
"""Seconds; less than a call of the table may take."""


@pytest.mark.system
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("arguments", [["group", "list"], ["export", "DIR"], ["import", "DIR"], ["validate"], ["fsck"]])
def test_a_table_that_hangs_holds_up_no_interruption(
    moto_server: Service, tmp_path: Path, arguments: Sequence[str], number: signal.Signals
) -> None:
    stores = new_stores(moto_server, moto_server)
    stores.create()
    with closing(stores.clients().dynamodb):
        bulk_load(stores.clients(), [Group(f"g{n}", selector={"os": f"{n}"}) for n in range(MANY)])
    (tmp_path / "groups").mkdir()
    command = [*COMMAND, *(str(tmp_path) if word == "DIR" else word for word in arguments)]
    with fault_proxy(moto_server.endpoint) as proxy:
        environment = {**stores.environment(), "AWS_ENDPOINT_URL_DYNAMODB": proxy.endpoint}
        proxy.switch(Delay(1.0))
        with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
            try:
                wait_for_scans(proxy, 1)
                # The first page is on its way; the segments hang.
                proxy.switch(Hang())
                wait_for_scans(proxy, 1 + SEGMENTS)
                process.send_signal(number)
                _, errors = process.communicate(timeout=TIMEOUT)
            finally:
                process.kill()
        proxy.switch(PassThrough())
        assert {signal.SIGINT: 130, signal.SIGTERM: -signal.SIGTERM}[number] == process.returncode
        assert "Traceback" not in errors
        assert subprocess.run(command, env=environment, check=False, capture_output=True).returncode in (0, 1)


def wait_for_scans(proxy: FaultProxy, number: int) -> None:
    deadline = time.monotonic() + TIMEOUT
    while proxy.requests()["Scan"] < number:
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("command", ["group list", "validate"])
def test_an_interruption_ends_the_reading_of_a_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    (tmp_path / "groups").mkdir()
    (tmp_path / "groups" / "g.json").write_text("{}")
    monkeypatch.setenv("MATCHBOX_DATA_PATH", str(tmp_path))
    with monkeypatch.context() as patched:
        for module in (files, directory_documents):
            patched.setattr(module, "parse_group", interrupted)
        assert 130 == main(command.split())
    assert "matchboxctl: interrupted" == capsys.readouterr().err.splitlines()[-1]
    assert main(command.split()) in (0, 1)
