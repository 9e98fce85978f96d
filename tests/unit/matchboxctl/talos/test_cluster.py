from typing import Any

import pytest

from lambda_matchbox.machines.policy import Policy
from matchboxctl.talos.cluster import Cluster, RoleFile, assemble, check_name
from matchboxctl.talos.machine_config import ConfigError, MachineConfig, values_in
from matchboxctl.talos.nodes import read_nodes
from matchboxctl.talos.secret_values import Secrets
from tests.support.talos_files import HOSTNAME_CONFIG, nodes_file, role_file
from tests.unit.matchboxctl.talos.rendering import rendered

MAC = "52:54:00:00:00:01"
NODE = {"mac": MAC, "role": "worker"}


def cluster_of(worker: str, nodes: str, name: str = "nodes.csv") -> Cluster:
    files = [RoleFile("worker.yaml", MachineConfig(worker))]
    return assemble("demo", files, read_nodes(name, nodes.encode()), "talos", Secrets())


def configurations(cluster: Cluster) -> list[list[Any]]:
    """The documents that each node gets."""
    (template,) = cluster.templates
    texts = (
        rendered(template.body.decode(), cluster.secrets, {**group.metadata, **group.selector})
        for group in cluster.groups
    )
    return [values_in(text) for text in texts]


def test_node_without_values_gets_the_file_itself() -> None:
    worker = role_file("worker", documents=HOSTNAME_CONFIG)
    others = {"hostname": "n", "address": "10.0.0.2/24", "disk": "/dev/x", "machine.nodeLabels.rack": "r"}
    cluster = cluster_of(worker, nodes_file(NODE, {"mac": "525400000002", "role": "worker", **others}))
    plain, _ = configurations(cluster)
    assert values_in(worker) == plain
    assert {} == cluster.groups[0].metadata


def test_group_selects_the_node_and_gives_a_configuration_once_against_a_token() -> None:
    both = {**NODE, "uuid": "11111111-2222-4333-8444-555555555555", "hostname": "n-1"}
    (group,) = cluster_of(role_file("worker"), nodes_file(both)).groups
    assert ("demo-n-1", "n-1", "demo-worker") == (group.id, group.name, group.profile)
    assert {"mac": MAC, "uuid": both["uuid"]} == group.selector
    assert Policy(once=True, token=True) == group.boot
    (unnamed,) = cluster_of(role_file("worker"), nodes_file(NODE)).groups
    assert "demo-52-54-00-00-00-01" == unnamed.id


@pytest.mark.parametrize("gateway", ["10.0.0.1", "fd00::1"])
def test_addresses_are_those_of_the_version(gateway: str) -> None:
    node = {**NODE, "hostname": "n-1", "address": "10.0.0.2/24 fd00::2/64", "gateway": gateway}
    ((old,),) = configurations(cluster_of(role_file("worker"), nodes_file(node)))
    network = "::/0" if ":" in gateway else "0.0.0.0/0"
    assert {
        "hostname": "n-1",
        "interfaces": [
            {
                "deviceSelector": {"hardwareAddr": MAC},
                "addresses": ["10.0.0.2/24", "fd00::2/64"],
                "routes": [{"network": network, "gateway": gateway}],
            }
        ],
    } == old["machine"]["network"]
    new = cluster_of(role_file("worker", documents=HOSTNAME_CONFIG), nodes_file(node))
    ((main, hostname, alias, link),) = configurations(new)
    assert {} == main["machine"]["network"]
    assert ("n-1", False) == (hostname["hostname"], "auto" in hostname)
    assert f'mac(link.hardware_addr) == "{MAC}"' == alias["selector"]["match"]
    assert ("net0", [{"address": "10.0.0.2/24"}, {"address": "fd00::2/64"}]) == (link["name"], link["addresses"])
    assert [{"gateway": gateway}] == link["routes"]


def test_interface_names_the_link() -> None:
    node = {**NODE, "address": "10.0.0.2/24", "interface": "eth1"}
    ((old,),) = configurations(cluster_of(role_file("worker"), nodes_file(node)))
    assert [{"interface": "eth1", "addresses": ["10.0.0.2/24"]}] == old["machine"]["network"]["interfaces"]
    ((*_, link),) = configurations(cluster_of(role_file("worker", documents=HOSTNAME_CONFIG), nodes_file(node)))
    assert {
        "apiVersion": "v1alpha1",
        "kind": "LinkConfig",
        "name": "eth1",
        "addresses": [{"address": "10.0.0.2/24"}],
    } == link


def test_static_hostname_of_the_file_gives_way() -> None:
    documents = HOSTNAME_CONFIG.replace("auto: stable", "hostname: all-alike")
    ((_, hostname),) = configurations(
        cluster_of(role_file("worker", documents=documents), nodes_file({**NODE, "hostname": "n-1"}))
    )
    assert "n-1" == hostname["hostname"]


def test_patches_change_and_add_documents() -> None:
    nodes = f"""
- mac: {MAC}
  role: worker
  patches:
    - {{machine: {{certSANs: [a], sysctls: {{x: "{{{{y}}}}"}}, nodeLabels: {{zone: false}}}}}}
    - {{apiVersion: v1alpha1, kind: HostnameConfig, auto: off}}
    - {{kind: VolumeConfig, name: EPHEMERAL, provisioning: {{maxSize: 10GiB}}}}
- {{mac: 52:54:00:00:00:02, role: worker}}
"""
    worker = role_file("worker", documents=HOSTNAME_CONFIG).replace("certSANs: []", "certSANs: [own]")
    patched, plain = configurations(cluster_of(worker, nodes, "nodes.yaml"))
    assert values_in(worker) == plain
    main, hostname, volume = patched
    machine = main["machine"]
    assert (["own", "a"], {"x": "{{y}}"}, "false") == (
        machine["certSANs"],
        machine["sysctls"],
        machine["nodeLabels"]["zone"],
    )
    assert "off" == hostname["auto"]
    assert {
        "apiVersion": "v1alpha1",
        "kind": "VolumeConfig",
        "name": "EPHEMERAL",
        "provisioning": {"maxSize": "10GiB"},
    } == volume


INTERFACES = "network: {interfaces: [{interface: eth0}]}"
WIREGUARD = "network: {interfaces: [{interface: wg0, wireguard: {privateKey: x}}]}"


@pytest.mark.parametrize(
    ("before", "after", "node", "reason"),
    [
        (
            "network: {}",
            INTERFACES,
            {"address": "10.0.0.2/24"},
            "worker.yaml has interfaces of its own: give",
        ),
        (
            "        disk: /dev/sda",
            "        diskSelector: {size: 4GB}",
            {"disk": "/dev/x"},
            "worker.yaml has machine.install.diskSelector, which Talos prefers to the nodes' disks: remove it",
        ),
        (
            "network: {}",
            WIREGUARD,
            {"machine.network.interfaces": "'[{interface: eth0}]'"},
            "nodes.csv: line 2: machine.network.interfaces has a secret, machine.network.interfaces[0].wireguard",
        ),
        (
            "",
            "",
            {"hostname": "a", "machine.network.hostname": "b"},
            "nodes.csv: line 2: machine.network.hostname is given both as a column and as a patch",
        ),
        (
            "network: {}",
            "network: []",
            {"hostname": "a"},
            "worker.yaml: machine.network is not a mapping, but nodes have values below it",
        ),
    ],
)
def test_what_cannot_be_is_refused(before: str, after: str, node: dict[str, str], reason: str) -> None:
    row = {key: f'"{value[1:-1]}"' if value.startswith("'") else value for key, value in {**NODE, **node}.items()}
    with pytest.raises(ConfigError) as error:
        cluster_of(role_file("worker").replace(before, after), nodes_file(row))
    assert str(error.value).startswith(reason)


@pytest.mark.parametrize("name", ["", "a/b", "-a", "A", "a" * 64])
def test_names_of_clusters_are_checked(name: str) -> None:
    with pytest.raises(ConfigError, match="invalid cluster name"):
        check_name(name)


def test_host_name_is_given_once() -> None:
    nodes = f"- {{mac: {MAC}, role: worker, hostname: a, patches: [{{kind: HostnameConfig, hostname: b}}]}}"
    with pytest.raises(ConfigError, match="the host name is given both as a column and as a patch"):
        cluster_of(role_file("worker", documents=HOSTNAME_CONFIG), nodes, "nodes.yaml")
    nodes = nodes.replace("hostname: b", "auto: off").replace("hostname: a, ", "")
    other = "- {mac: 52:54:00:00:00:02, role: worker, hostname: b}"
    cluster = cluster_of(role_file("worker", documents=HOSTNAME_CONFIG), f"{nodes}\n{other}", "nodes.yaml")
    (_, off), (_, named) = configurations(cluster)
    assert ("off", "b", False) == (off["auto"], named["hostname"], "auto" in named)
