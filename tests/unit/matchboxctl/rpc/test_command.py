"""`matchboxctl rpc`: its output and its errors."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.rigs.service import Service
from tests.rigs.stores import new_stores
from tests.support.rpc_client import LIMIT, bridge, connected, files_in

COMMAND = [sys.executable, "-m", "matchboxctl.main", "rpc"]

# The system may give a signal to any thread: this one gets it while the main thread waits.
SIGNAL_TO_A_THREAD = """
import signal, sys, threading, time
from matchboxctl.main import main
from matchboxctl.rpc.server import RpcServer

def end():
    time.sleep(0.5)
    signal.pthread_kill(threading.get_ident(), signal.SIGTERM)

start = RpcServer.start
RpcServer.start = lambda server: (start(server), threading.Thread(target=end).start())
sys.exit(main())
"""


def refused(environment: Mapping[str, str], *flags: str) -> str:
    """The one line of an error."""
    ended = subprocess.run(
        [*COMMAND, *flags], capture_output=True, text=True, timeout=LIMIT, check=False, env=environment
    )
    assert (2, "") == (ended.returncode, ended.stdout)
    (line,) = ended.stderr.splitlines()
    return line.removeprefix("matchboxctl: ")


def test_startup_banner(moto_server: Service, tmp_path: Path) -> None:
    """The first lines say what is edited, where gRPC is, and for whom."""
    stores = new_stores(moto_server, moto_server)
    stores.create()
    with bridge(stores.environment(), files_in(tmp_path)) as running:
        assert "" == running.end()
    place = f"table {stores.name} on {moto_server.endpoint}, bucket {stores.name} on {moto_server.endpoint}"
    assert [
        f"editing {place}: 0 selector shapes",
        f"gRPC on 127.0.0.1:{running.port}, for clients with a certificate of {tmp_path}/ca.crt",
    ] == running.startup_banner


def test_store_mode_is_required(moto_server: Service, tmp_path: Path) -> None:
    environment = new_stores(moto_server, moto_server).environment()
    flags = ("--rpc-address", "127.0.0.1:0", *files_in(tmp_path).flags)
    bare = {"PATH": environment["PATH"]}
    assert "rpc works on table and bucket: set MATCHBOX_TABLE and MATCHBOX_BUCKET, or --stack" == refused(bare, *flags)
    assert refused(environment | {"MATCHBOX_DATA_PATH": "/tmp"}, *flags).endswith("unset one of them")
    assert refused(environment, *flags).endswith(": check name and region, or create it with `matchboxctl init`")
    assert "--rpc-address is empty: use HOST:PORT" == refused(environment, "--rpc-address", "")


def test_missing_certificate_names_certs_command(moto_server: Service) -> None:
    stores = new_stores(moto_server, moto_server)
    stores.create()
    line = refused(stores.environment() | {"MATCHBOX_CA_FILE": "/nowhere/ca.crt"})
    assert line.startswith("--ca-file (MATCHBOX_CA_FILE) '/nowhere/ca.crt', --cert-file ")
    assert "`matchboxctl certs /nowhere --name HOST`" in line


@pytest.mark.system
def test_default_address_is_matchboxs() -> None:
    shown = subprocess.run([*COMMAND, "--help"], capture_output=True, text=True, timeout=LIMIT, check=True)
    assert "[env var: MATCHBOX_RPC_ADDRESS; default: 127.0.0.1:8081]" in " ".join(shown.stdout.split())


def test_signal_that_another_thread_gets_ends_it(moto_server: Service, tmp_path: Path) -> None:
    stores = new_stores(moto_server, moto_server)
    stores.create()
    with bridge(stores.environment(), files_in(tmp_path), (sys.executable, "-c", SIGNAL_TO_A_THREAD)) as running:
        assert (0, "") == running.ended()


@pytest.mark.parametrize("service", ["DYNAMODB", "S3"])
def test_starts_while_store_is_unavailable(moto_server: Service, tmp_path: Path, service: str) -> None:
    stores, files = new_stores(moto_server, moto_server), files_in(tmp_path)
    stores.create()
    away = stores.environment() | {f"AWS_ENDPOINT_URL_{service}": "http://127.0.0.1:9"}
    with bridge(away, files) as running:
        with connected(running.port, files) as client:
            assert ("Unavailable" if service == "DYNAMODB" else "Unknown") == client.hurried(
                "Groups/GroupGet", {"id": "g"}
            ).code
        assert "; calls wait until it answers" in running.end().splitlines()[0]
