"""A boot through the deployed balancer, which the log subscription hands to the function of the history."""

import json
import time
from typing import Any

import pytest

from tests.stack.ministack.deployment import Deployed
from tools.template_translation import PROJECT

pytestmark = [pytest.mark.real, pytest.mark.nightly]

MAC = "52:54:00:12:34:56"
LIMIT = 120.0


def test_boot_through_the_balancer_is_listed(deployed: Deployed) -> None:
    """Without a step in between."""
    deployed.command("import", str(PROJECT / "examples" / "talos"))
    query = f"uuid=4c4c4544-0038-4410-8052-b3c04f4b5931&mac={MAC.replace(':', '-')}&serial=SN1&arch=arm64"
    assert 200 == deployed.get(f"/ipxe?{query}").status
    machine = _listed(deployed)
    assert (MAC, "4c4c4544-0038-4410-8052-b3c04f4b5931", "SN1", "arm64", "127.0.0.1") == tuple(
        machine[name] for name in ("mac", "uuid", "serial", "arch", "address")
    )


def _listed(deployed: Deployed) -> dict[str, Any]:
    """The machine's row, once it is there."""
    end = time.monotonic() + LIMIT
    while time.monotonic() < end:
        rows = json.loads(deployed.command("machine", "list", "-o", "json"))
        found: list[dict[str, Any]] = [row for row in rows if row["mac"] == MAC]
        if found:
            return found[0]
        time.sleep(0.5)
    raise AssertionError("the machine is not listed")
