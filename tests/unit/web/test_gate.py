"""Machines of groups with a boot policy, route by route."""

import hashlib
import io
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlencode

import pytest

from lambda_matchbox.assets.file_server import Delivery
from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import NetBoot, Profile
from lambda_matchbox.http import Request, Response
from lambda_matchbox.machines.identities import Identities
from lambda_matchbox.machines.policy import Policy
from lambda_matchbox.machines.state import MachineState, approved, armed, held
from lambda_matchbox.machines.stores import ChangedError
from lambda_matchbox.machines.tokens import token_for
from lambda_matchbox.web.alb import BODY_LIMIT
from lambda_matchbox.web.app import App
from lambda_matchbox.web.routes import Routes, Stores
from matchboxctl.directory.machine_states import DirectoryMachines
from matchboxctl.log.json_log import JsonLog
from tests.support.memory_catalog import MemoryCatalog
from tests.support.memory_releases import MemoryFiles, MemoryReleases
from tests.support.openpgp.keys import signatures

MAC, UUID = "52:54:00:12:34:56", "4c4c4544-0038-4410-8052-b3c04f4b5931"
NODE = Identities(MAC, UUID)
HOME, ELSEWHERE = "10.0.0.5", "10.0.0.6"
NOW = 1_700_000_000
CONFIGURATIONS = ("ignition", "generic", "cloud", "metadata")
PROFILE = Profile("p", "", "i.ign", "c", "g", NetBoot("/assets/k", args=("u=${base}ignition?token=${token}",)))
TEMPLATES = {
    ("ignition", "i.ign"): b'{"ignition":{"version":"3.4.0"}}',
    ("generic", "g"): b"g",
    ("cloud", "c"): b"#cloud-config\n",
}


class Server:
    """An app whose one group has a policy, its machines, its clock, and the lines of its log."""

    def __init__(self, policy: Policy | None, root: Path) -> None:
        self.now = NOW
        self.host = "boot.example"
        self.machines = DirectoryMachines(root, lambda: self.now)
        self._log = io.StringIO()
        group = Group("g", profile="p", boot=policy)
        catalog = MemoryCatalog([group], [PROFILE], TEMPLATES, machines=self.machines.read_all)
        self.groups = catalog.groups
        stores = Stores(catalog, MemoryFiles({"k": b"k"}), MemoryReleases(), None, self.machines)
        self.routes = Routes(stores, Delivery(BODY_LIMIT, "-"), signatures("ed25519"), clock=lambda: self.now)
        self._app = App(self.routes, JsonLog("info", self._log))

    def get(
        self, path: str, address: str = HOME, method: str = "GET", named: Identities = NODE, **labels: str
    ) -> Response:
        query = urlencode({name: value for name, value in (named._asdict() | labels).items() if value})
        return self._ask(method, f"/{path}", query, {"x-forwarded-for": address})

    def report(self, token: str, state: str) -> Response:
        return self._ask("GET", "/report", urlencode({**NODE._asdict(), "token": token, "state": state}))

    def ranged(self, path: str, wanted: str) -> Response:
        return self._ask("GET", path, urlencode(NODE._asdict()), {"range": wanted})

    def _ask(self, method: str, path: str, query: str, headers: Mapping[str, str] = MappingProxyType({})) -> Response:
        return self._app.respond(Request(method, path, query, {"host": self.host, "x-forwarded-for": HOME, **headers}))

    @property
    def line(self) -> dict[str, object]:
        found: dict[str, object] = json.loads(self._log.getvalue().splitlines()[-1])
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


@pytest.fixture
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    made = Server(request.param, tmp_path)
    with closing(made.machines):
        yield made


def policy(**fields: object) -> pytest.MarkDecorator:
    """The policy of the server's group."""
    return pytest.mark.parametrize("server", [Policy(**fields)], indirect=True, ids=[""])  # type: ignore[arg-type]


@policy(approve=True)
def test_a_waiting_machine_says_so_and_asks_again(server: Server) -> None:
    script = server.get("ipxe").body.decode().splitlines()
    assert script[:3] == [
        "#!ipxe",
        "echo 52-54-00-12-34-56 waits for approval in group g. To approve it:",
        "echo matchboxctl machine approve 52-54-00-12-34-56",
    ]
    assert script[3] == ":wait"
    assert re.fullmatch(r"sleep \d\d", script[4])
    again = f"chain --replace --autofree ipxe?mac=52%3A54%3A00%3A12%3A34%3A56&uuid={UUID} || goto wait"
    assert script[5:] == [again]
    assert "source" in server.get("grub").body.decode()
    assert [server.line[name] for name in ("verdict", "reason", "level")] == ["wait", "it waits for approval", "INFO"]
    for route in CONFIGURATIONS:
        response = server.get(route)
        assert (response.status, response.body) == (503, b"it waits for approval\n")
        assert "retry-after" in response.headers
    assert server.state is None
    server.set(approved(MachineState(NODE), NOW))
    assert b"kernel /assets/k" in server.get("ipxe").body
    assert server.get("generic").body == b"g"


@policy(once=True)
def test_an_installed_machine_boots_from_its_disk(server: Server) -> None:
    assert b"kernel /assets/k" in server.get("ipxe").body
    assert server.state is None
    assert server.get("ignition").status == 200
    assert server.get("generic").status == 200
    assert server.get("ipxe").body.decode().splitlines()[-1] == "iseq ${platform} efi && exit 1 || exit"
    assert "\nchainloader /EFI/BOOT/$loader\n" in server.get("grub").body.decode()
    for route in CONFIGURATIONS:
        assert server.get(route, ELSEWHERE).status == 403
    state = server.state
    assert state is not None
    assert (state.installed, state.delivery and state.delivery.address) == (NOW, HOME)
    server.set(armed(state, NOW + 60, "b"))
    assert b"kernel /assets/k" in server.get("ipxe").body


@policy(once=True)
def test_a_known_identity_stays_the_machines(server: Server) -> None:
    """Neither a request with another UUID nor what follows makes it one of a machine that may install."""
    server.get("generic", named=NODE)
    state = server.state
    assert state is not None
    server.set(armed(state, NOW + 60, "b"))
    other = NODE._replace(uuid=UUID.replace("4c4c", "5d5d"))
    assert server.get("generic", named=other).body == b"one of its identities is another machine's\n"
    assert b"is another machine's" in server.get("ipxe", named=Identities("52:54:00:00:00:ff", UUID)).body
    found = server.state
    assert found is not None
    assert found.identities == NODE
    server.set(armed(found, NOW + 60, "c"))
    assert server.get("generic", named=NODE).status == 200


@policy(once=True, on_disk="404")
def test_a_disk_may_be_a_404(server: Server) -> None:
    server.get("generic")
    assert server.get("ipxe").status == 404
    assert server.line["verdict"] == "disk"


@policy(token=True)
def test_a_configuration_needs_a_token(server: Server) -> None:
    token = server.token()
    assert server.get("ipxe").body.decode().splitlines()[1:3] == [
        f"set token {token}",
        "set base http://boot.example/",
    ]
    assert f'set token="{token}"\nset base="http://boot.example/"\n' in server.get("grub").body.decode()
    for route in CONFIGURATIONS:
        assert (server.get(route).status, server.get(route).body) == (403, b"the request has no token\n")
        assert server.get(route, token="x").status == 403
    assert server.get("generic", named=Identities(uuid=UUID), token=token).body == b"g"
    digest = hashlib.sha256(token.encode()).hexdigest()
    assert server.line["token"] == f"{token[:6]}... {digest[:12]}"
    assert server.get("ignition", token=token).status == 200
    assert server.get("ignition", ELSEWHERE, token=token).body == b"the token was used from another address\n"
    assert server.line["level"] == "WARNING"
    assert server.get("generic", token=server.token()).body == b"g"


@policy(token=True, once=True)
def test_head_and_signatures_are_no_delivery(server: Server) -> None:
    token = server.token()
    assert server.get("generic", method="HEAD", token=token).status == 200
    assert server.get("generic.sig", token=token).status == 200
    assert server.get("generic.asc").status == 403
    assert server.state is None


@policy(approve=True, once=True, done="report")
def test_a_line_has_the_state_after_its_request(server: Server) -> None:
    def states(*routes: str) -> list[object]:
        return [server.get(route).status and server.line.get("state") for route in routes]

    assert states("ipxe", "generic") == ["waiting", "waiting"]
    server.set(approved(MachineState(NODE), NOW))
    assert states("ipxe", "generic", "ipxe") == ["ready", "installing", "installing"]
    assert states("report", "ipxe") == ["installed", "installed"]
    # Perhaps it is not the machine that it names.
    server.get("ipxe", named=NODE._replace(mac="52:54:00:00:00:01"))
    assert ("refuse", None) == (server.line["verdict"], server.line.get("state"))


@pytest.mark.parametrize("server", [None], indirect=True)
def test_a_group_without_a_policy_is_answered_as_before(server: Server) -> None:
    server.set(held(MachineState(NODE), NOW))
    assert server.get("ipxe").body.startswith(b"#!ipxe\nkernel")
    assert "verdict" not in server.line
    assert server.get("generic").body == b"g"


@policy(approve=True, once=True)
def test_a_held_machine_is_refused_by_every_route(server: Server) -> None:
    server.set(held(MachineState(NODE), NOW))
    for route in ("ipxe", "grub"):
        assert b"This machine is not booted: it is held." in server.get(route).body
    for route in CONFIGURATIONS:
        assert (server.get(route).status, server.get(route).body) == (403, b"it is held\n")


@policy(from_networks=("10.0.0.0/24",))
def test_other_networks_are_refused(server: Server) -> None:
    assert server.get("ipxe").body.startswith(b"#!ipxe\nkernel")
    assert b"192.168.0.1 is in none of the networks of its group" in server.get("ipxe", "192.168.0.1").body
    assert server.get("generic", "192.168.0.1").status == 403


@pytest.mark.parametrize("server", [None], indirect=True)
def test_an_address_selects_a_group_and_is_shown_to_nobody(server: Server) -> None:
    server.groups.put(Group("home", profile="p", selector={"client_ip": HOME}))
    server.get("metadata", client_ip=ELSEWHERE)
    assert server.line["group"] == "home"
    server.get("metadata", "::ffff:" + HOME)
    assert server.line["group"] == "home"
    assert b"CLIENT_IP=" not in server.get("metadata").body
    server.get("metadata", ELSEWHERE, client_ip=HOME)
    assert server.line["group"] == "g"


@policy(once=True)
def test_without_its_state_nobody_is_answered(server: Server, tmp_path: Path) -> None:
    server.get("generic")
    (tmp_path / "state.sqlite").unlink()
    for route in ("ipxe", "grub", *CONFIGURATIONS):
        assert server.get(route).status == 503


@policy(approve=True)
def test_every_machine_route_is_gated(server: Server) -> None:
    """Also one that is added later."""
    for path in server.routes.machine_routes:
        server.get(path[1:])
        assert server.line["verdict"] == "wait"


@policy(once=True, token=True, done="report")
def test_an_installation_is_done_when_it_is_reported(server: Server) -> None:
    token = server.token()
    assert server.get("report", token=token).body == b"no configuration was delivered to it\n"
    server.get("generic", token=token)
    assert b"kernel /assets/k" in server.get("ipxe").body
    assert server.get("report", token=token, state="failed", message="no disk\n" + "x" * 2000).status == 200
    assert (server.line["reported"], str(server.line["reason"])[:10]) == ("failed", "no disk xx")
    assert len(server.state.failed if server.state else "") == 1024
    assert b"kernel /assets/k" in server.get("ipxe").body
    for refused in ({}, {"token": "x"}, {"token": server.token()}):
        assert server.get("report", **refused).status == 403
    assert server.get("report", ELSEWHERE, token=token).status == 403
    assert server.get("report", token=token, state="done").body == b"the state of a report is installed or failed\n"
    server.now += 7200
    assert server.get("report", method="POST", named=Identities(), token=token).body == b"reported\n"
    assert server.line["reported"] == "installed"
    assert server.get("ipxe").body.endswith(b"exit\n")
    state = server.state
    assert state is not None
    server.set(armed(state, server.now + 60, "b"))
    assert server.get("report", token=token).status == 403


@pytest.mark.parametrize("server", [None], indirect=True)
def test_a_report_of_a_machine_without_a_policy_is_logged(server: Server) -> None:
    assert server.get("report").status == 200
    assert (server.line["route"], server.state) == ("/report", None)


OTHER = Identities("52:54:00:00:00:01", UUID.replace("4c4c", "5d5d"))


@policy(approve=True, once=True, token=True)
def test_an_approved_machines_identity_gets_nothing_for_another(server: Server) -> None:
    server.set(approved(MachineState(NODE), NOW))
    for named in (OTHER._replace(mac=MAC), NODE._replace(uuid=OTHER.uuid), OTHER._replace(uuid=UUID)):
        assert b"is another machine's" in server.get("ipxe", named=named).body
        assert server.get("generic", named=named, token=server.token()).status == 403


@policy(approve=True)
def test_a_token_that_nobody_verifies_names_no_machine(server: Server) -> None:
    server.set(approved(MachineState(NODE), NOW))
    forged = token_for({1: b"x"}, NODE, "g", "", NOW)
    for named in (Identities(), OTHER):
        assert server.get("generic", named=named, token=forged).status in (403, 503)
    server.groups.put(Group("b", profile="p", selector={"mac": OTHER.mac}, boot=Policy(approve=True)))
    forged = token_for({1: b"x"}, OTHER, "b", "", NOW)
    server.get("generic", named=Identities(), Mac=MAC, token=forged)
    assert server.line["group"] == "g"


@pytest.mark.parametrize("server", [Policy(approve=True), Policy(approve=True, token=True)], indirect=True)
def test_a_forged_token_lends_no_approval(server: Server) -> None:
    """Not even that of a machine of which one identity is known."""
    server.set(approved(MachineState(Identities(mac=MAC)), NOW))
    forged = token_for({1: b"x"}, Identities(mac=MAC), "g", "", NOW)
    for named in (Identities(uuid=OTHER.uuid), OTHER):
        assert b"waits for approval" in server.get("ipxe", named=named, token=forged).body
        assert server.get("generic", named=named, token=forged).status in (403, 503)


@policy(once=True, token=True, done="report")
def test_an_installed_machine_gets_nothing_against_a_script_from_before(server: Server) -> None:
    token = server.token()
    server.get("generic", token=token)
    second = server.token()
    server.get("report", token=token)
    assert server.get("generic", ELSEWHERE, token=second).status == 403
    state = server.state
    assert state is not None
    server.set(armed(state, NOW + 60, "b"))
    third = server.token()
    server.now += 61
    assert server.get("generic", token=third).body == b"it is installed\n"


@policy(token=True)
@pytest.mark.parametrize("host", ['x"; chainloader (http,evil)/x; echo "', "evil/ ; chain http://evil", "a\nb", ""])
def test_a_host_that_is_no_name_stands_in_no_script(server: Server, host: str) -> None:
    server.host = host
    for route in ("ipxe", "grub"):
        script = server.get(route).body
        assert b"the Host header of its request is no host name" in script
        assert not host or host.encode() not in script


@policy(once=True, token=True, done="report")
def test_head_reports_nothing(server: Server) -> None:
    token = server.token()
    server.get("generic", token=token)
    assert server.get("report", method="HEAD", token=token).status == 200
    assert server.state is not None
    assert not server.state.installed


@policy(once=True, token=True, done="report")
@pytest.mark.parametrize("state", ["failed\n", "failed" + "x" * 300, "${state}", ""])
def test_a_state_that_is_none_reports_no_installation(server: Server, state: str) -> None:
    token = server.token()
    server.get("generic", token=token)
    assert server.report(token, state).status == 403
    assert server.state is not None
    assert not server.state.installed


@policy(once=True)
def test_what_is_not_sent_is_no_delivery(server: Server) -> None:
    assert server.ranged("/generic", "bytes=100-").status == 416
    assert server.state is None


@policy(once=True)
def test_a_policy_that_changes_meanwhile_counts(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write that comes too late is decided anew, by the policy of that moment."""
    write = server.machines.write

    def too_late(before: MachineState | None, after: MachineState) -> None:
        server.groups.put(Group("g", profile="p", boot=Policy(approve=True)))
        monkeypatch.setattr(server.machines, "write", write)
        raise ChangedError

    monkeypatch.setattr(server.machines, "write", too_late)
    assert server.get("generic").body == b"it waits for approval\n"
