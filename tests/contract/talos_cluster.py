"""A cluster of two nodes, on which tests run `matchboxctl talos`."""

import json
from typing import Any

from tests.support.resource_commands import ResourceCommands
from tests.support.talos_files import HOSTNAME_CONFIG, nodes_file, role_file

CP_1 = {"mac": "52:54:00:00:00:01", "hostname": "cp-1", "role": "controlplane", "disk": "/dev/nvme0n1"}
W_1 = {"mac": "52-54-00-00-00-02", "hostname": "w-1", "role": "worker", "address": "10.0.0.21/24"}


class Talos:
    """A cluster of two nodes, whose files lie beside the store."""

    def __init__(self, commands: ResourceCommands) -> None:
        self.commands = commands
        self.controlplane = role_file("controlplane", documents=HOSTNAME_CONFIG)
        self.worker = role_file("worker", documents=HOSTNAME_CONFIG)
        self.nodes = nodes_file(CP_1, W_1)

    def arguments(self, *more: str) -> tuple[str, ...]:
        files = ("controlplane.yaml", self.controlplane), ("worker.yaml", self.worker)
        written = [self.commands.file(name, text) for name, text in files]
        nodes = self.commands.file("nodes.csv", self.nodes)
        return ("talos", "import", *written, "--nodes", nodes, "--cluster", "demo", *more)

    def changes(self, *more: str) -> dict[tuple[str, str], tuple[str, list[str]]]:
        """What an import changes, by kind and name."""
        found = json.loads(self.commands.ok(*self.arguments("-o", "json", *more)))
        return {(one["kind"], one["name"]): (one["change"], one["what"]) for one in found["changes"]}

    def refused(self, *more: str) -> str:
        """The error of an import that writes nothing."""
        before = self.listed()
        ended = self.commands.run(*self.arguments(*more))
        assert (1, "") == ended[:2]
        assert before == self.listed()
        return ended.err

    def listed(self) -> list[str]:
        return [self.commands.ok(kind, "list", "-o", "json") for kind in ("secret", "ignition", "profile", "group")]

    def got(self, kind: str, name: str) -> Any:
        return json.loads(self.commands.ok(kind, "get", name, "-o", "json"))
