"""`check` prints nothing that stands in a configuration, whatever is wrong with it."""

import json

import pytest

from matchboxctl.main import main
from tests.unit.matchboxctl.check.responding import responding

pytestmark = pytest.mark.system
BOOT_SCRIPT = b"#!ipxe\nchain ipxe?uuid=${uuid}\n"
IGNITION = {"version": "3.4.0", "config": {"merge": [{"source": "https://user:CANARY@127.0.0.1:1/x?token=CANARY"}]}}
CONFIGURATIONS = [
    "version: v1alpha1\nmachine:\n  type: worker\n  token: CANARY\n",
    "version: v1alpha1\nmachine:\n  type: CANARY\n  token: CANARY\n",
    "version: v1alpha1\nmachine:\n  token: CANARY: CANARY\n",
    "version: v1alpha1\nmachine: {token: 'CANARY\n",
    "token: &CANARY x\nkey: *CANARY2\n",
    "token: !CANARY x\n",
    "CANARY",
    "#cloud-config\npassword: [CANARY\n",
    '{"ignition": {"version": "3.4.0"}, "token": "CANARY", }',
    json.dumps({"ignition": {"version": "3.4.0"}, "passwd": {"users": [{"name": 1, "passwordHash": "CANARY"}]}}),
    json.dumps({"ignition": {"version": "CANARY"}}),
    json.dumps({"ignition": IGNITION}),
]


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
@pytest.mark.parametrize("argument", ["ignition.config.url", "talos.config", "cloud-config-url", "other"])
def test_no_value_is_printed(capsys: pytest.CaptureFixture[str], configuration: str, argument: str) -> None:
    responses = {
        "/boot.ipxe": BOOT_SCRIPT,
        "/ipxe": f"#!ipxe\nkernel k {argument}=${{cwduri}}ignition\nboot\n".encode(),
        "/k": b"kernel",
        "/ignition": configuration.encode(),
    }
    with responding({path: (200, {}, body) for path, body in responses.items()}) as url:
        for output in ("table", "json"):
            main(["check", url, "-o", output])
    written = capsys.readouterr()
    assert f"{argument} " in written.out
    assert "CANARY" not in written.out + written.err
