"""A group with a boot policy and one without, for `matchboxctl machine`."""

import json
import os
import re
from contextlib import AbstractContextManager
from typing import Any

from lambda_matchbox.machines.state import MachineState
from matchboxctl.machines.opened_stores import OpenedStores, opened_stores
from matchboxctl.store.mode import chosen_store
from tests.support.resource_commands import ResourceCommands

MAC, HYPHENS, UUID = "52:54:00:12:34:56", "52-54-00-12-34-56", "4c4c4544-0038-4410-8052-b3c04f4b5931"
OTHER = "52:54:00:12:34:99"
POLICY = {"approve": True, "once": True, "token": True}
TIME = re.compile(r"20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]Z")


def fill(commands: ResourceCommands) -> ResourceCommands:
    """A group with a policy, and one without."""
    commands.ok("generic", "create", "-f", commands.file("t", "text"))
    put(commands, "profile", {"id": "p", "boot": {"kernel": "/assets/k"}, "generic_id": "t"})
    put(commands, "group", {"id": "plain", "profile": "p", "selector": {"mac": OTHER}})
    put(commands, "group", {"id": "workers", "profile": "p", "selector": {"mac": MAC}, "boot": POLICY})
    return commands


def put(commands: ResourceCommands, kind: str, document: object) -> None:
    """Create the document."""
    commands.ok(kind, "create", "-f", commands.file("document", json.dumps(document)))


def opened() -> AbstractContextManager[OpenedStores]:
    """The stores of the commands."""
    return opened_stores(chosen_store(os.environ.get("MATCHBOX_DATA_PATH", ""), ""))


def write(*states: MachineState) -> None:
    """States, as the server leaves them."""
    with opened() as stores:
        for state in states:
            stores.machines.write(None, state)


def described(commands: ResourceCommands, *arguments: str) -> dict[str, Any]:
    """The document of `machine describe`."""
    found: dict[str, Any] = json.loads(commands.run("machine", "describe", *arguments, "-o", "json").out)
    return found
