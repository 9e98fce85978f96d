"""A matchbox to migrate from, and `matchboxctl migrate`."""

import json
from pathlib import Path
from typing import Any, NamedTuple

from tests.support.commands import Commands, Ended

DOCUMENTS = {
    "groups/node1.json": {
        "id": "node1",
        "profile": "p",
        "selector": {"mac": "52:54:00:00:00:01"},
        "metadata": {"a": "1"},
    },
    "groups/rest.json": {"id": "rest", "profile": "q"},
    "profiles/p.json": {
        "id": "p",
        "generic_id": "deep/t",
        "ignition_id": "i.yaml",
        "boot": {"kernel": "/assets/vmlinuz", "initrd": ["/assets/initrd"], "args": ["a=${mac}"]},
    },
    "profiles/q.json": {"id": "q", "cloud_id": "c", "boot": {"kernel": "/assets/k%2B%C3%BC%20%2541"}},
    "generic/deep/t": "a is {{.a}} of {{.mac}}, {{.request.query.uuid}}",
    "ignition/i.yaml": "variant: fcos\nversion: 1.5.0\n",
    "cloud/c": "#cloud-config\n{}\n",
    "assets/vmlinuz": "kernel",
    "assets/initrd": "initrd",
    "assets/k+ü %41": "kernel",
}


class Old(NamedTuple):
    """A running server: its data directory, the addresses of its APIs, and certificates of a gRPC client."""

    data: Path
    http: str
    grpc: str
    certs: Path


class Migrate:
    """Runs the command."""

    def __init__(self, commands: Commands) -> None:
        self._commands = commands

    def __call__(self, *arguments: object) -> Ended:
        return self._commands("migrate", *arguments)

    def document(self, code: int, *arguments: object) -> dict[str, Any]:
        """The result as a document, of a run that ends with this code."""
        ended = self(*arguments, "-o", "json")
        assert code == ended.code, ended
        found: dict[str, Any] = json.loads(ended.out)
        return found


def outcomes(document: dict[str, Any]) -> dict[str, dict[str, str]]:
    """By group and route."""
    return {row["group"]: {one["route"]: one["outcome"] for one in row["responses"]} for row in document["groups"]}
