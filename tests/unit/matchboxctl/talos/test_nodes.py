import pytest

from matchboxctl.talos.nodes import Node, NodesError, read_nodes

CSV = "mac,hostname,role,address\n52-54-00-00-00-01,cp-1,controlplane,10.0.0.11/24\n"
NODE = Node("nodes.csv: line 2", "52:54:00:00:00:01", "", "cp-1", "controlplane", ("10.0.0.11/24",))
HEAD = "mac,uuid,hostname,role,address,gateway,interface,disk,machine.nodeLabels.rack"
UUID = "11111111-2222-4333-8444-555555555555"


def wrong(text: str, name: str = "nodes.csv") -> list[str]:
    with pytest.raises(NodesError) as error:
        read_nodes(name, text.encode())
    return list(error.value.problems)


def row(**cells: str) -> str:
    """A CSV of one worker."""
    given = {"mac": "52:54:00:00:00:01", "role": "worker", **cells}
    return f"{HEAD}\n{','.join(given.get(column, '') for column in HEAD.split(','))}\n"


@pytest.mark.parametrize(
    "content",
    [
        CSV.encode(),
        b"\xef\xbb\xbf" + CSV.encode(),
        CSV.replace(",", ";").encode(),
        CSV.replace(",", "\t").encode(),
        CSV.replace("\n", "\r\n").encode(),
        CSV.replace("52-54-00-00-00-01", ' "525400000001" ').encode(),
        CSV.replace("mac,hostname,role", "MAC, Hostname ,ROLE").encode(),
        CSV.replace("\n52", ",\n52").encode(),
    ],
    ids=["plain", "mark", "semicolons", "tabs", "line ends", "quotes", "capitals", "empty column"],
)
def test_table_is_read_as_spreadsheets_write_it(content: bytes) -> None:
    assert [NODE] == read_nodes("a/nodes.csv", content)


def test_lines_that_are_empty_or_comments_are_left_out_and_counted() -> None:
    text = "sep=;\n\n# The first rack.\n" + CSV.replace(",", ";") + ";;;\n"
    assert [NODE._replace(where="nodes.csv: line 5")] == read_nodes("nodes.csv", text.encode())


def test_columns_of_values_are_patches() -> None:
    text = row(**{"machine.nodeLabels.rack": "r1"})
    text += "52:54:00:00:00:02,,,worker,,,,,\n"
    first, second = read_nodes("nodes.csv", text.encode())
    assert ({"": {"machine": {"nodeLabels": {"rack": "r1"}}}}, {}) == (first.patches, second.patches)
    both = read_nodes("nodes.csv", b'mac,role,machine.certSANs,machine.kubelet.image\n525400000001,worker,"[a, 1]",i:1')
    assert {"certSANs": ["a", 1], "kubelet": {"image": "i:1"}} == both[0].patches[""]["machine"]


def test_list_in_yaml_has_patches_of_several_documents() -> None:
    text = f"""
- mac: 52:54:00:00:00:01
  role: worker
  address: [10.0.0.1/24, "fd00::1/64"]
  patches:
    - machine: {{files: [{{permissions: 0o644, op: create}}]}}
    - {{apiVersion: v1alpha1, kind: VolumeConfig, name: EPHEMERAL, provisioning: {{grow: off}}}}
    - machine: {{sysctls: {{a: "1"}}}}
- {{uuid: {UUID.upper()}, role: worker}}
"""
    first, second = read_nodes("nodes.yaml", text.encode())
    assert ("10.0.0.1/24", "fd00::1/64") == first.addresses
    assert {"files": [{"permissions": 0o644, "op": "create"}], "sysctls": {"a": "1"}} == first.patches[""]["machine"]
    assert {"grow": "off"} == first.patches["VolumeConfig EPHEMERAL"]["provisioning"]
    assert {"uuid": UUID} == second.selector


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"mac": "52:54:00:00:00:0g"}, "invalid MAC address '52:54:00:00:00:0g': write it like 52:54:00:12:34:56"),
        ({"mac": "52:54:00:00:00"}, "invalid MAC address '52:54:00:00:00': write it like 52:54:00:12:34:56"),
        ({"mac": ""}, "neither a MAC address nor a UUID"),
        ({"uuid": "abc"}, "invalid UUID 'abc', or one that many machines have"),
        (
            {"uuid": "03000200-0400-0500-0006-000700080009"},
            "invalid UUID '03000200-0400-0500-0006-000700080009', or one that many machines have",
        ),
        ({"role": ""}, "no role"),
        ({"role": "master"}, "unknown role 'master': use controlplane or worker"),
        ({"hostname": "Node_1"}, "invalid host name 'Node_1': use lower-case letters, digits, hyphens and dots"),
        ({"disk": "sda"}, "install disk 'sda' does not begin with /dev/"),
        ({"interface": "a b"}, "invalid interface 'a b'"),
        ({"address": "10.0.0.300/24"}, "invalid address '10.0.0.300/24'"),
        ({"address": "10.0.0.3"}, "address 10.0.0.3 needs the length of its network's prefix, such as 10.0.0.3/24"),
        ({"gateway": "10.0.0.1"}, "a gateway needs an address"),
        ({"address": "10.0.0.3/24", "gateway": "x"}, "invalid gateway 'x'"),
        (
            {"address": "10.0.0.3/24", "gateway": "10.0.1.1"},
            "gateway 10.0.1.1 is not in the network of 10.0.0.3/24",
        ),
        (
            {"mac": "", "uuid": UUID, "address": "10.0.0.3/24"},
            "an address needs a MAC address or an interface",
        ),
        ({"machine.nodeLabels.rack": "[a"}, "what the column machine.nodeLabels.rack has is not one value"),
    ],
)
def test_mistake_is_named_with_its_line(cells: dict[str, str], reason: str) -> None:
    assert [f"nodes.csv: line 2: {reason}"] == wrong(row(**cells))


@pytest.mark.parametrize(
    ("column", "cell", "named"),
    [
        ("mac", "52-54-00-00-00-01", "MAC address 52:54:00:00:00:01"),
        ("uuid", UUID, f"UUID {UUID}"),
        ("hostname", "cp-1", "host name cp-1"),
        ("address", "10.0.0.11/16", "address 10.0.0.11"),
    ],
)
def test_node_that_is_listed_twice_is_named_with_both_lines(column: str, cell: str, named: str) -> None:
    first = {"mac": "52:54:00:00:00:01", "uuid": UUID.upper(), "hostname": "cp-1", "address": "10.0.0.11/24"}
    second = {"mac": "52:54:00:00:00:02", column: cell}
    lines = [
        ",".join(cells.get(one, "controlplane" if one == "role" else "") for one in HEAD.split(","))
        for cells in (first, second)
    ]
    assert [f"nodes.csv: line 3: {named} is that of line 2"] == wrong("\n".join([HEAD, *lines]))


def test_nodes_in_one_line_are_told_apart() -> None:
    text = '[{"mac": "525400000001", "role": "worker"}, {"mac": "525400000001", "role": "worker"}]'
    assert ["nodes.json: node 2 (line 1): MAC address 52:54:00:00:00:01 is that of node 1 (line 1)"] == wrong(
        text, "nodes.json"
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("hostname,address\n", "nodes.csv: the column 'role' is missing"),
        ("hostname,role\n", "nodes.csv: a column 'mac' or 'uuid' is missing"),
        ("mac,role,role\n", "nodes.csv: the column 'role' is there twice"),
        ("mac,rol,role\n", "nodes.csv: unknown column 'rol'; did you mean 'role'?"),
        ("mac,role\n525400000001,worker,x\n", "nodes.csv: line 2: more cells than the 2 columns of the first line"),
        ("mac,role\n", "nodes.csv has no nodes"),
        ("", "nodes.csv has no nodes"),
    ],
)
def test_mistake_of_the_table_is_named(text: str, reason: str) -> None:
    assert [problem for problem in wrong(text) if problem.startswith(reason)]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("mac: x\n", "nodes.yaml: line 1: not a list of nodes"),
        ("- a\n", "nodes.yaml: node 1 (line 1): a node is not a mapping"),
        ("- {mac: 525400000001, role: worker, dsk: x}", "nodes.yaml: node 1 (line 1): unknown key 'dsk'"),
        ("- {mac: 525400000001, role: [worker]}", "nodes.yaml: node 1 (line 1): role is not a text"),
        ("- &a {mac: 525400000001}\n- *a\n", "nodes.yaml: line 2: not YAML: aliases are not supported"),
        (
            "- mac: 525400000001\n  role: worker\n  patches:\n    - machine: {token: abcdef.0123456789abcdef}\n",
            "nodes.yaml: node 1 (line 1): line 4: a patch has a secret, machine.token",
        ),
        (
            "- {mac: 525400000001, role: worker, patches: {machine: {$patch: delete}}}",
            "nodes.yaml: node 1 (line 1): line 1: the directive $patch is not supported",
        ),
        (
            "- {mac: 525400000001, role: worker, patches: [a]}",
            "nodes.yaml: node 1 (line 1): line 1: a patch is not",
        ),
    ],
)
def test_mistake_of_the_list_is_named(text: str, reason: str) -> None:
    problems = wrong(text, "nodes.yaml")
    assert problems[0].startswith(reason), problems
    assert "0123456789abcdef" not in problems[0]


def test_file_that_is_not_utf8_is_refused() -> None:
    with pytest.raises(NodesError, match="not UTF-8: save it as CSV UTF-8"):
        read_nodes("nodes.csv", CSV.encode("utf-16"))


@pytest.mark.parametrize("label", ["01", "1.10", "0x1f", "true", "a, b", "1}", "2026-11-30"])
def test_label_is_the_text_of_its_cell(label: str) -> None:
    table = f'mac;role;machine.nodeLabels.rack\n52:54:00:00:00:01;worker;"{label}"\n'
    (node,) = read_nodes("nodes.csv", table.encode())
    assert {"": {"machine": {"nodeLabels": {"rack": label}}}} == node.patches
    listed = (
        f"[{{mac: '52:54:00:00:00:01', role: worker, patches: [{{machine: {{nodeLabels: {{rack: '{label}'}}}}}}]}}]"
    )
    assert node.patches == read_nodes("nodes.yaml", listed.encode())[0].patches


@pytest.mark.parametrize("cell", ["# none", "a: b: c", "{"])
def test_cell_that_is_not_one_value_is_named(cell: str) -> None:
    table = f'mac;role;machine.nodeLabels.rack\n52:54:00:00:00:01;worker;"{cell}"\n'
    assert [one for one in wrong(table) if "what the column machine.nodeLabels.rack has is not one value" in one]


@pytest.mark.parametrize("mac", ["01:00:5e:00:00:01", "ff:ff:ff:ff:ff:ff", "00:00:00:00:00:00"])
def test_mac_address_of_no_machine_is_named(mac: str) -> None:
    assert [f"nodes.csv: line 2: MAC address {mac} is no machine's: it is of a group, or zero"] == wrong(row(mac=mac))
