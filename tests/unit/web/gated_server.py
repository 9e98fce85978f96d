"""A server whose one group has a boot policy."""

import io
import json
import re
from collections.abc import Mapping
from functools import cache, partial
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlencode

import pytest

from lambda_matchbox.assets.file_server import Delivery
from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import NetBoot, Profile
from lambda_matchbox.http import Request, Response, ResponseStore
from lambda_matchbox.machines.identities import Identities
from lambda_matchbox.machines.policy import Policy
from lambda_matchbox.machines.state import MachineState
from lambda_matchbox.secrets.stores import SecretStore
from lambda_matchbox.web.alb import BODY_LIMIT
from lambda_matchbox.web.app import App
from lambda_matchbox.web.json_log import JsonLog
from lambda_matchbox.web.routes import Routes, Stores
from matchboxctl.directory.machine_states import DirectoryMachines
from tests.support.memory_catalog import MemoryCatalog
from tests.support.memory_releases import MemoryFiles, MemoryReleases
from tests.support.memory_secrets import MemorySecrets
from tests.support.openpgp.keys import signatures

MAC, UUID = "52:54:00:12:34:56", "4c4c4544-0038-4410-8052-b3c04f4b5931"
NODE = Identities(MAC, UUID)
OTHER = Identities("52:54:00:00:00:01", UUID.replace("4c4c", "5d5d"))
HOME, ELSEWHERE = "10.0.0.5", "10.0.0.6"
NOW = 1_700_000_000
CONFIGURATIONS = ("ignition", "generic", "cloud", "metadata")
PROFILE = Profile("p", "", "i.ign", "c", "g", NetBoot("/assets/k", args=("u=${base}ignition?token=${token}",)))
TEMPLATES = {
    ("ignition", "i.ign"): b'{"ignition":{"version":"3.4.0"}}',
    ("generic", "g"): b"g",
    ("cloud", "c"): b"#cloud-config\n",
}


# To unlock a key takes a second.
_signatures = cache(partial(signatures, "ed25519"))


class Server:
    """An app whose one group has a policy, its machines, secrets, clock, and the lines of its log.

    `responses` gets those of more than `limit` bytes; `secrets` is instead of some in memory.
    """

    def __init__(
        self,
        policy: Policy | None,
        root: Path,
        base_url: str = "",
        limit: int = BODY_LIMIT,
        responses: ResponseStore | None = None,
        secrets: SecretStore | None = None,
    ) -> None:
        self.now = NOW
        self.host = "boot.example"
        self.machines = DirectoryMachines(root, lambda: self.now)
        self.log = io.StringIO()
        group = Group("g", profile="p", boot=policy)
        catalog = MemoryCatalog([group], [PROFILE], TEMPLATES, machines=self.machines.read_all)
        self.groups = catalog.groups
        self.catalog = catalog
        self.secrets = MemorySecrets({})
        files = MemoryFiles({"k": b"k"})
        stores = Stores(catalog, files, MemoryReleases(), responses, self.machines, secrets or self.secrets)
        self.routes = Routes(stores, Delivery(limit, "-"), _signatures(), lambda: self.now, base_url)
        self.app = App(self.routes, JsonLog("info", self.log))

    def get(
        self,
        path: str,
        address: str = HOME,
        method: str = "GET",
        named: Identities = NODE,
        headers: Mapping[str, str] = MappingProxyType({}),
        **labels: str,
    ) -> Response:
        query = urlencode({name: value for name, value in (named._asdict() | labels).items() if value})
        return self._send(method, f"/{path}", query, {**headers, "x-forwarded-for": address})

    def report(self, token: str, state: str) -> Response:
        return self._send("GET", "/report", urlencode({**NODE._asdict(), "token": token, "state": state}))

    def ranged(self, path: str, wanted: str) -> Response:
        return self._send("GET", path, urlencode(NODE._asdict()), {"range": wanted})

    def _send(self, method: str, path: str, query: str, headers: Mapping[str, str] = MappingProxyType({})) -> Response:
        return self.app.respond(Request(method, path, query, {"host": self.host, "x-forwarded-for": HOME, **headers}))

    @property
    def line(self) -> dict[str, object]:
        found: dict[str, object] = json.loads(self.log.getvalue().splitlines()[-1])
        return found

    @property
    def state(self) -> MachineState | None:
        return self.machines.read(NODE.keys[0])

    def set(self, state: MachineState) -> None:
        self.machines.write(self.state, state._replace(revision=""))

    def token(self) -> str:
        script = self.get("ipxe").body.decode()
        found = re.search(r"^set token (\S+)$", script, re.MULTILINE)
        assert found is not None, script
        return found[1]


def policy(**fields: object) -> pytest.MarkDecorator:
    """The policy of the server's group."""
    return pytest.mark.parametrize("server", [Policy(**fields)], indirect=True, ids=[""])  # type: ignore[arg-type]
