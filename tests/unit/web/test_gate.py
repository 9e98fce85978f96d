"""Machines of groups with a boot policy, route by route."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.machines.identities import Identities
from lambda_matchbox.machines.policy import Policy
from lambda_matchbox.machines.state import MachineState, approved, armed, held
from lambda_matchbox.machines.stores import ChangedError
from lambda_matchbox.web.delivery import GATE_HEADERS
from matchboxctl.directory.state_file import FILE
from tests.unit.web.gated_server import CONFIGURATIONS, ELSEWHERE, HOME, NODE, NOW, UUID, Server, policy


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


@policy(approve=True, once=True)
def test_a_header_names_a_verdict_unless_it_is_allow(server: Server) -> None:
    def shown(route: str) -> list[str | None]:
        headers = server.get(route, method="HEAD").headers
        return [headers.get(name) for name in GATE_HEADERS]

    waits = "wait: it waits for approval"
    assert [shown("ipxe"), shown("generic")] == [[waits, None], [waits, "g"]]
    server.set(approved(MachineState(NODE), NOW))
    assert [shown("ipxe"), shown("generic")] == [[None, None], [None, "g"]]


@policy(once=True, on_disk="404")
def test_a_disk_may_be_a_404(server: Server) -> None:
    server.get("generic")
    assert server.get("ipxe").status == 404
    assert server.line["verdict"] == "disk"


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


@policy(once=True)
def test_what_is_not_sent_is_no_delivery(server: Server) -> None:
    assert server.ranged("/generic", "bytes=100-").status == 416
    assert server.state is None


@policy(once=True, done="report")
@pytest.mark.parametrize("method", ["OPTIONS", "POST", "PUT", "get"])
def test_a_configuration_is_given_by_get_alone(server: Server, method: str) -> None:
    """Nothing is handed out unrecorded, and no body by HEAD."""
    for route in CONFIGURATIONS:
        refused = server.get(route, method=method)
        assert (refused.status, refused.body) == (403, b"the method of its request is not answered\n")
        assert (server.get(route, method="HEAD").status, server.get(route, method="HEAD").body) == (200, b"")
    assert server.state is None
    server.get("generic")
    assert [403, 200] == [server.get("report", method=one).status for one in ("PUT", "POST")]


@policy(once=True)
@pytest.mark.parametrize("lost", NODE.keys)
def test_a_state_that_lost_a_record_is_a_503(server: Server, tmp_path: Path, lost: str) -> None:
    server.get("generic")
    with closing(sqlite3.connect(tmp_path / FILE)) as file, file:
        file.execute("DELETE FROM machine WHERE identity = ?", (lost,))
    for route in ("ipxe", "grub", *CONFIGURATIONS):
        assert server.get(route).status == 503


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
