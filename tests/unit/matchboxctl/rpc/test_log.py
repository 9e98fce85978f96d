import base64
import json
from pathlib import Path

import pytest

from tests.support.rpc_client import ANYWHERE, connected, files_in, rpc_port
from tests.support.serving import started

pytestmark = pytest.mark.system


def test_each_call_is_one_line_without_content(tmp_path: Path) -> None:
    files = files_in(tmp_path)
    group = {"id": "g", "profile": "p", "metadata": base64.b64encode(b'{"token": "dont-log"}').decode()}
    with started("--address", "127.0.0.1:0", "--data-path", str(tmp_path), *ANYWHERE, *files.flags) as running:
        with connected(rpc_port(running), files, files.authority.issue("ci")) as client:
            client.ok("Groups/GroupPut", {"group": group})
            client.call("Ignition/IgnitionGet", {"name": "absent"})
        running.end()
    logged = [json.loads(line) for line in running.errors if '"rpc"' in line]
    assert [] == [line for line in running.errors if "dont-log" in line]
    assert [
        ("INFO", "rpcpb.Groups/GroupPut", "g", "OK", "ci", None),
        (
            "WARNING",
            "rpcpb.Ignition/IgnitionGet",
            "absent",
            "UNKNOWN",
            "ci",
            f"open {tmp_path}/ignition/absent: no such file or directory",
        ),
    ] == [tuple(map(line.get, ("level", "rpc", "id", "code", "certificate", "reason"))) for line in logged]
    assert all(line["milliseconds"] > 0 and line["client"].startswith("ipv4:127.0.0.1:") for line in logged)
