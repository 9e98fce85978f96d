"""Tokens of boots and reports of installers, route by route."""

import hashlib
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.machines.identities import Identities
from lambda_matchbox.machines.policy import Policy
from lambda_matchbox.machines.state import MachineState, approved, armed, held, unheld
from lambda_matchbox.machines.tokens import token_for
from lambda_matchbox.web.settings import checked_base_url
from tests.unit.web.gated_server import CONFIGURATIONS, ELSEWHERE, MAC, NODE, NOW, OTHER, UUID, Server, policy

NOT_OF_THIS_BOOT = "the token is not of this boot of this machine"


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


@policy(token=True)
def test_scripts_have_the_ipv6_address_that_was_asked(server: Server) -> None:
    server.host = "[fd00::2]:8080"
    assert b"\nset base http://[fd00::2]:8080/\n" in server.get("ipxe").body
    assert b'\nset base="http://[fd00::2]:8080/"\n' in server.get("grub").body


@policy(once=True, token=True)
def test_a_token_alone_selects_the_group_whose_list_has_its_machine(server: Server) -> None:
    server.groups.put(Group("list", profile="p", selector={"mac": (OTHER.mac, MAC)}, boot=Policy(token=True)))
    assert server.get("generic", named=Identities(), token=server.token()).body == b"g"
    assert server.line["group"] == "list"


@pytest.mark.parametrize("text", ["https://boot.example:8443", "https://boot.example:8443/"])
def test_configurations_may_have_an_address_of_their_own(tmp_path: Path, text: str) -> None:
    server = Server(Policy(token=True), tmp_path, checked_base_url(text))
    with closing(server.machines):
        assert b"\nset base https://boot.example:8443/\n" in server.get("ipxe").body
        assert b'\nset base="https://boot.example:8443/"\n' in server.get("grub").body


@pytest.mark.parametrize("text", ["boot.example", "ftp://a", "https://a b", 'https://a"', "https://", "https://${x}/"])
def test_an_address_that_scripts_cannot_have_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no address such as"):
        checked_base_url(text)


@policy(once=True, token=True)
@pytest.mark.parametrize(
    ("forged", "why"),
    [
        ({"machine": OTHER}, "the token is of another machine"),
        ({"machine": NODE._replace(uuid=OTHER.uuid)}, "the token is of another machine"),
        ({"group": "other"}, NOT_OF_THIS_BOOT),
        ({"boot": "before"}, NOT_OF_THIS_BOOT),
        ({"keys": {1: b"x" * 32}}, NOT_OF_THIS_BOOT),
        ({"now": NOW - 4200}, "the token has ended"),
        ({"cut": 1}, "the token is"),
        ({"cut": 20}, "the token is damaged"),
    ],
)
def test_no_forged_token_gets_a_configuration(server: Server, forged: dict[str, Any], why: str) -> None:
    server.token()
    good = {"keys": server.machines.keys(), "machine": NODE, "group": "g", "boot": "", "now": NOW}
    cut = forged.pop("cut", 0)
    token = token_for(**(good | forged))
    for route in CONFIGURATIONS:
        refused = server.get(route, token=token[: len(token) - cut])
        assert refused.status == 403
        assert refused.body.decode().startswith(why)
    assert server.state is None
    assert server.get("generic", token=token_for(**good)).status == 200


@policy(once=True, token=True)
@pytest.mark.parametrize("end", ["arm", "hold", "unhold"])
def test_what_an_operator_does_ends_the_token_under_way(server: Server, end: str) -> None:
    server.set(approved(MachineState(NODE, boot="b"), NOW))
    token, state = server.token(), server.state
    assert state is not None
    server.set(armed(state, NOW + 60, "c") if end == "arm" else held(state, NOW))
    if end == "unhold":
        assert server.state is not None
        server.set(unheld(server.state, "c"))
    for route in CONFIGURATIONS:
        assert server.get(route, token=token).status == 403


@policy(token=True, once=True)
def test_head_and_signatures_are_no_delivery(server: Server) -> None:
    token = server.token()
    assert server.get("generic", method="HEAD", token=token).status == 200
    assert server.get("generic.sig", token=token).status == 200
    assert server.get("generic.asc").status == 403
    assert server.state is None


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
