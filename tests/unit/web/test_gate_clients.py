"""Every verdict, on every route, for every kind of client."""

import ast
from itertools import product
from pathlib import Path
from types import MappingProxyType

import pytest

from lambda_matchbox.machines.policy import Policy
from lambda_matchbox.machines.state import MachineState, approved, held
from lambda_matchbox.web import routes
from lambda_matchbox.web.signatures import SIGNED
from tests.unit.web.gated_server import CONFIGURATIONS, MAC, NODE, NOW, Server

CLIENTS = {
    "iPXE of 2019": ({"user-agent": "iPXE/1.0.0+git-20190125.36a4c85-5.1"}, {"mac": MAC.replace(":", "-")}),
    "iPXE": ({"user-agent": "iPXE/1.21.1+git-20250501"}, {"mac": MAC.replace(":", "-"), "buildarch": "x86_64"}),
    "GRUB": ({"user-agent": "GRUB 2.06"}, {"mac": MAC}),
    "Talos": ({"user-agent": "Go-http-client/1.1", "accept-encoding": "gzip"}, {"hostname": ""}),
    "Ignition": (
        {"user-agent": "Ignition/2.17.0", "accept": "application/vnd.coreos.ignition+json;version=3.4.0, */*;q=0.1"},
        {},
    ),
    "cloud-init": ({"user-agent": "Cloud-Init/23.4.4", "accept": "*/*", "connection": "keep-alive"}, {}),
    "curl": ({"user-agent": "curl/8.5.0", "accept": "*/*"}, {"mac": MAC.upper()}),
}
SCRIPTS = ("ipxe", "grub")
WAYS = (("HEAD", ""), ("GET", ".sig"), ("GET", ".asc"), ("GET", ""))
BODIES = {"ignition": b'"version":"3.4.0"', "generic": b"g", "cloud": b"#cloud-config", "metadata": b"MAC="}
POLICY = Policy(approve=True, once=True, token=True)
APPROVED = approved(MachineState(NODE), NOW)
DISK = (200, b"is installed and boots from its disk.", 403, b"it is installed")
VERDICTS = MappingProxyType(
    {
        "allow": (POLICY, APPROVED, 200, b"/assets/k", 200, b""),
        "wait": (POLICY, None, 200, b"waits for approval", 503, b"it waits for approval"),
        "exit": (POLICY._replace(token=False), APPROVED._replace(installed=1), *DISK),
        "sanboot": (POLICY._replace(token=False, on_disk="sanboot"), APPROVED._replace(installed=1), *DISK),
        "404": (POLICY._replace(token=False, on_disk="404"), APPROVED._replace(installed=1), 404, b"", *DISK[2:]),
        "refuse": (POLICY, held(APPROVED, NOW), 200, b"is not booted: it is held", 403, b"it is held"),
    }
)


@pytest.mark.parametrize("name", VERDICTS)
@pytest.mark.parametrize("server", [POLICY], indirect=True, ids=[""])
def test_a_verdict_is_the_same_for_every_client(server: Server, name: str) -> None:
    policy, state, script_status, script, status, reason = VERDICTS[name]
    server.groups.put(server.groups.select({})._replace(boot=policy))  # type: ignore[union-attr]
    if state is not None:
        server.set(state)
    token = {"token": server.token()} if name == "allow" else {}
    # No script comes after the first delivery, which is that of one configuration.
    for route, (method, suffix) in product((*SCRIPTS, *CONFIGURATIONS), WAYS):
        before, is_script = server.state, route in SCRIPTS
        for client, (headers, labels) in CLIENTS.items():
            response = server.get(route + suffix, method=method, headers=headers, **labels, **token)
            case = (client, method, route + suffix, response)
            assert response.status == (script_status if is_script else status), case
            if suffix and response.status == 200:
                assert (response.body[:10] == b"-----BEGIN") == (suffix == ".asc"), case
            elif is_script:
                assert script in response.body, case
            elif status != 200:
                assert response.body.startswith(reason), case
            else:
                assert (BODIES[route] in response.body) == (method == "GET"), case
        is_delivery = (name, route, method, suffix) == ("allow", CONFIGURATIONS[0], "GET", "")
        assert (before != server.state) == is_delivery


@pytest.mark.parametrize("server", [POLICY], indirect=True, ids=[""])
def test_every_route_is_gated_or_the_same_for_everybody(server: Server) -> None:
    """A route that is added belongs to one or the other, by the words that `web.routes` has for paths."""
    tree = ast.parse(Path(routes.__file__).read_text())
    literals = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    attributes = [
        getattr(vars(routes).get(node.value.id), node.attr, None)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    ]
    named = [value for name, value in vars(routes).items() if not name.startswith("__")]
    paths = {text for text in (*literals, *attributes, *named) if str(text).startswith("/")} | SIGNED
    gated = {f"/{one}" for one in (*SCRIPTS, *CONFIGURATIONS, "report")}
    assert paths - {"/", "/boot.ipxe", "/boot.ipxe.0", "/assets", "/assets/", "/profiles/"} == gated
    assert gated == set(server.routes.machine_routes)
    for path in gated:
        server.get(path[1:])
        assert server.line["verdict"] == "wait"
