"""The examples of docs/security.md that keep pods away from the boot server."""

import re
from ipaddress import ip_address, ip_network
from typing import Any

import pytest
import yaml

from tests.support.paths import EXAMPLES, PROJECT

BOOT_SERVER = "10.20.13.140"
MACHINE = "10.20.13.7"


@pytest.fixture(scope="module")
def documents() -> dict[str, dict[str, Any]]:
    """The page's YAML by its kinds."""
    blocks = re.findall(r"```yaml\n(.*?)```", (PROJECT / "docs" / "security.md").read_text(), re.DOTALL)
    return {document["kind"]: document for block in blocks for document in yaml.safe_load_all(block)}


@pytest.fixture(scope="module")
def pods() -> str:
    """The network of the example's pods."""
    text = (EXAMPLES / "talos" / "ignition" / "cozystack-config.yaml").read_text()
    found = re.search(r"podSubnets:\n +- ([0-9./]+)", text)
    assert found
    return found[1]


def in_block(address: str, block: str) -> bool:
    return ip_address(address) in ip_network(block)


def egress_allowed(policy: dict[str, Any], address: str) -> bool:
    """As a network plugin judges a packet to an address outside the cluster."""
    blocks = [peer["ipBlock"] for rule in policy["spec"]["egress"] for peer in rule["to"] if "ipBlock" in peer]
    return any(
        in_block(address, block["cidr"]) and not any(in_block(address, each) for each in block.get("except", ()))
        for block in blocks
    )


def test_each_kind_is_there_once(documents: dict[str, dict[str, Any]]) -> None:
    """A default action of Talos would concern every port of the node."""
    versions = {kind: document["apiVersion"] for kind, document in documents.items()}
    assert {"NetworkPolicy": "networking.k8s.io/v1", "NetworkRuleConfig": "v1alpha1"} == versions


def test_network_policy_denies_the_boot_server_only(documents: dict[str, dict[str, Any]]) -> None:
    policy = documents["NetworkPolicy"]
    assert not egress_allowed(policy, BOOT_SERVER)
    others = ["10.20.13.139", "10.20.13.141", "10.20.13.100", MACHINE, "192.0.2.1", "2001:db8::1"]
    assert [] == [address for address in others if not egress_allowed(policy, address)]


def test_network_policy_is_of_all_pods_and_leaves_pods_and_ingress_alone(documents: dict[str, dict[str, Any]]) -> None:
    spec = documents["NetworkPolicy"]["spec"]
    assert ({}, ["Egress"]) == (spec["podSelector"], spec["policyTypes"])
    (rule,) = spec["egress"]
    assert {"to"} == set(rule)
    assert {"namespaceSelector": {}} in rule["to"]


def test_exceptions_lie_in_their_blocks(documents: dict[str, dict[str, Any]]) -> None:
    """The API server refuses others."""
    for peer in documents["NetworkPolicy"]["spec"]["egress"][0]["to"]:
        block = peer.get("ipBlock", {})
        assert all(in_block(each.partition("/")[0], block["cidr"]) for each in block.get("except", ()))


def test_talos_admits_machines_and_no_pods(documents: dict[str, dict[str, Any]], pods: str) -> None:
    rule = documents["NetworkRuleConfig"]
    assert {"apiVersion", "kind", "name", "portSelector", "ingress"} == set(rule)
    assert {"ports": [8080], "protocol": "tcp"} == rule["portSelector"]
    assert [{"subnet"}] == [set(each) for each in rule["ingress"]]
    networks = [ip_network(each["subnet"]) for each in rule["ingress"]]
    assert any(ip_address(MACHINE) in network for network in networks)
    assert not any(network.overlaps(ip_network(pods)) for network in networks)
