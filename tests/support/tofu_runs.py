"""Runs of OpenTofu with the real provider, which `tests.support.terraform` imitates."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.rigs.matchbox_clients import Tofu
from tests.support.rpc_client import Files
from tests.support.terraform import Group, Profile, Resource

_REQUIRED = {"matchbox": {"source": "poseidon/matchbox", "version": "~> 0.5"}}


class TofuRuns:
    """`tofu` in its own directory; the provider has a client's certificate and a port of 127.0.0.1."""

    def __init__(self, tofu: Tofu, directory: Path) -> None:
        self._tofu = tofu
        self._directory = directory

    def configure(self, wanted: Iterable[Resource], port: int, files: Files) -> None:
        """Write the configuration and install the provider."""
        provider = {
            "endpoint": f"127.0.0.1:{port}",
            "ca": files.authority.certificate.decode(),
            "client_cert": files.client.certificate.decode(),
            "client_key": files.client.key.decode(),
        }
        resources: dict[str, dict[str, Any]] = {"matchbox_profile": {}, "matchbox_group": {}}
        for one in wanted:
            kind = "matchbox_group" if isinstance(one, Group) else "matchbox_profile"
            given = {name: value for name, value in one._asdict().items() if value}
            resources[kind][one.name] = given | {"depends_on": _profile_of(one)}
        text = {
            "terraform": {"required_providers": _REQUIRED},
            "provider": {"matchbox": provider},
            "resource": {kind: made for kind, made in resources.items() if made},
        }
        (self._directory / "main.tf.json").write_text(json.dumps(text).replace("${", "$${"))
        self.ok("init")

    def apply(self) -> None:
        """Apply. Raises AssertionError on failure."""
        self.ok("apply", "-auto-approve")

    def destroy(self) -> None:
        """Destroy. Raises AssertionError on failure."""
        self.ok("destroy", "-auto-approve")

    def plan(self) -> list[tuple[str, str]]:
        """The actions (`create`, `delete` or `replace`) of the next apply, with the resources' names."""
        self.ok("plan", "-out=planned")
        changes = [one["change"] for one in json.loads(self.ok("show", "-json", "planned")).get("resource_changes", [])]
        return [
            ("replace" if len(change["actions"]) == 2 else change["actions"][0], _name(change))
            for change in changes
            if change["actions"] != ["no-op"]
        ]

    def state(self) -> list[str]:
        """The addresses of the resources in the state."""
        return self.ok("state", "list").splitlines()

    def ok(self, *words: str) -> str:
        """The output of `tofu`. Raises AssertionError on failure."""
        ended = self._tofu.run(self._directory, *words)
        assert 0 == ended.returncode, ended.stdout + ended.stderr
        return ended.stdout


def _profile_of(one: Resource) -> list[str]:
    """The resources that it depends on."""
    return [] if isinstance(one, Profile) else [f"matchbox_profile.{one.profile}"]


def _name(change: dict[str, Any]) -> str:
    named: dict[str, str] = change["after"] or change["before"]
    return named["name"]
