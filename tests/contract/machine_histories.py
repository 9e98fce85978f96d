"""Machines that asked, and what `matchboxctl machine list` says of them."""

import json
import time
from typing import Any

import pytest

from lambda_matchbox.machines.events import Event, event_in
from tests.contract.machine_commands import opened
from tests.support.resource_commands import ResourceCommands

MAC, OTHER, THIRD = "52:54:00:12:34:56", "52:54:00:12:34:57", "aa:bb:cc:00:00:01"
UUID = "4c4c4544-0038-4410-8052-b3c04f4b5931"
WAITS = {"group": "workers", "profile": "p", "verdict": "wait", "state": "waiting", "reason": "it waits for approval"}
NOW = time.time_ns() // 1_000_000

BY_NIGHT = pytest.mark.parametrize(
    "commands",
    [
        "directory",
        pytest.param("moto", marks=pytest.mark.nightly),
        pytest.param("real", marks=[pytest.mark.real, pytest.mark.nightly]),
    ],
    indirect=True,
)


def asked(seconds: float, route: str = "/ipxe", **fields: object) -> Event:
    """A request so many seconds ago."""
    line = {"route": route, "method": "GET", "status": 200, "client": "10.0.0.5", "user_agent": "iPXE", **fields}
    found = event_in(line, NOW - int(seconds * 1000))
    assert found is not None
    return found


def happened(*events: Event) -> None:
    with opened() as stores, stores.history.required() as history:
        history.add(events)


def listed(commands: ResourceCommands, *arguments: str) -> list[dict[str, Any]]:
    ended = commands.run("machine", "list", *arguments, "-o", "json")
    assert 0 == ended.code
    found: list[dict[str, Any]] = json.loads(ended.out)
    return found


def ids(commands: ResourceCommands, *arguments: str) -> list[str]:
    return [row["id"] for row in listed(commands, *arguments)]
