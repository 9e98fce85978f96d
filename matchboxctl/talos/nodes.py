"""The nodes of a cluster: a table in CSV, as spreadsheets write it, or a list in YAML, which may have free patches."""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_interface
from pathlib import PurePath
from typing import NamedTuple

import yaml

from matchboxctl.cli.names import did_you_mean
from matchboxctl.talos.machine_config import MAP, NULL, STRING, ConfigError, documents_in, dotted, scalars, value_of
from matchboxctl.talos.node_values import CHECKS, address_problems
from matchboxctl.talos.patches import merged_mappings
from matchboxctl.talos.secret_values import BUNDLE, is_secret

COLUMNS = ("mac", "uuid", "hostname", "role", "address", "gateway", "interface", "disk")
PATCHES = "patches"
DIRECTIVE = "$patch"
"""A key of patches that says what becomes of a value."""

_PATCH_COLUMN = re.compile(r"(?:machine|cluster)(?:\.[A-Za-z0-9_/-]+)+")
_SEPARATORS = ",;\t"
# Maps of the configuration that have texts only.
_TEXTS = frozenset({"nodeLabels", "nodeAnnotations", "nodeTaints", "sysctls", "sysfs", "env", "extraArgs"})


class Node(NamedTuple):
    """One node. `patches` are values for its configuration, by the titles of documents; `where` is its line."""

    where: str
    mac: str = ""
    uuid: str = ""
    hostname: str = ""
    role: str = ""
    addresses: tuple[str, ...] = ()
    gateway: str = ""
    interface: str = ""
    disk: str = ""
    patches: Mapping[str, Mapping[str, object]] = {}

    @property
    def selector(self) -> dict[str, str]:
        """The labels that name the machine."""
        return {key: value for key, value in (("mac", self.mac), ("uuid", self.uuid)) if value}


class NodesError(ValueError):
    """What is wrong with a list of nodes, each with its line."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class _Row(NamedTuple):
    where: str
    cells: Mapping[str, str]
    patches: Sequence[yaml.Node] = ()


def read_nodes(file: str, content: bytes) -> list[Node]:
    """The nodes in a file's content. Raises NodesError."""
    name = PurePath(file).name
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise NodesError([f"{name} is not UTF-8: save it as CSV UTF-8"]) from None
    problems: list[str] = []
    is_yaml = name.endswith((".yaml", ".yml", ".json"))
    try:
        rows = list(_yaml_rows(name, text, problems) if is_yaml else _csv_rows(name, text, problems))
    except ConfigError as error:
        raise NodesError([f"{name}: {error}"]) from None
    nodes = [_node(row, problems) for row in rows]
    if not nodes and not problems:
        problems.append(f"{name} has no nodes")
    problems += _twice(nodes)
    if problems:
        raise NodesError(problems)
    return nodes


def _csv_rows(name: str, text: str, problems: list[str]) -> Iterator[_Row]:
    lines = text.splitlines()
    # Excel writes and reads such a first line.
    stated = re.fullmatch(r"sep=(.)", lines[0]) if lines else None
    first = next((line for line in lines[bool(stated) :] if _has_content(line)), "")
    separator = stated[1] if stated else max(_SEPARATORS, key=first.count)
    reader = csv.reader(lines[bool(stated) :], delimiter=separator, skipinitialspace=True)
    head: list[str] = []
    for cells in reader:
        where = f"{name}: line {reader.line_num + bool(stated)}"
        cells = [cell.strip() for cell in cells]
        if not any(cells) or cells[0].startswith("#"):
            continue
        if not head:
            head = [cell if _PATCH_COLUMN.fullmatch(cell) else cell.lower() for cell in cells]
            problems += _head_problems(name, head)
            continue
        if len(cells) > len(head) and any(cells[len(head) :]):
            problems.append(f"{where}: more cells than the {len(head)} columns of the first line")
        row = {column: cell for column, cell in zip(head, cells, strict=False) if cell}
        patches = [_nested(column, row[column], where, problems) for column in row if column not in COLUMNS]
        yield _Row(where, row, [patch for patch in patches if patch])


def _has_content(line: str) -> bool:
    return bool(line.strip(_SEPARATORS + " \"'")) and not line.startswith("#")


def _head_problems(name: str, head: Sequence[str]) -> Iterator[str]:
    known = ", ".join(COLUMNS)
    for column in head:
        if column not in COLUMNS and not _PATCH_COLUMN.fullmatch(column) and column:
            alike = did_you_mean(column, lambda: COLUMNS)
            yield (
                f"{name}: unknown column {column!r}{alike}; there are {known},"
                " and columns of values in the configuration, such as machine.nodeLabels.rack"
            )
        if column and head.count(column) > 1:
            yield f"{name}: the column {column!r} is there twice"
    if "role" not in head:
        yield f"{name}: the column 'role' is missing"
    if not {"mac", "uuid"} & set(head):
        yield f"{name}: a column 'mac' or 'uuid' is missing"


def _nested(column: str, cell: str, where: str, problems: list[str]) -> yaml.Node | None:
    """The patch of a column such as `machine.nodeLabels.rack`."""
    try:
        (node,) = documents_in(cell)
    except ValueError:
        problems.append(f"{where}: what the column {column} has is not one value")
        return None
    for key in reversed(column.split(".")):
        node = yaml.MappingNode(MAP, [(yaml.ScalarNode(STRING, key), node)], node.start_mark, node.end_mark)
    return node


def _yaml_rows(name: str, text: str, problems: list[str]) -> Iterator[_Row]:
    for document in documents_in(text):
        if not isinstance(document, yaml.SequenceNode):
            raise ConfigError(f"line {document.start_mark.line + 1}: not a list of nodes")
        for number, node in enumerate(document.value, 1):
            # Several may be in one line.
            where = f"{name}: node {number} (line {node.start_mark.line + 1})"
            if not isinstance(node, yaml.MappingNode):
                problems.append(f"{where}: a node is not a mapping")
                continue
            cells: dict[str, str] = {}
            patches: Sequence[yaml.Node] = ()
            for key, value in node.value:
                if key.value == PATCHES:
                    patches = value.value if isinstance(value, yaml.SequenceNode) else [value]
                elif key.value not in COLUMNS:
                    alike = did_you_mean(key.value, lambda: (*COLUMNS, PATCHES))
                    problems.append(f"{where}: unknown key {key.value!r}{alike}")
                elif isinstance(value, yaml.SequenceNode) and key.value == "address":
                    cells[key.value] = " ".join(str(one.value) for one in value.value)
                elif isinstance(value, yaml.ScalarNode):
                    cells[key.value] = value.value.strip()
                else:
                    problems.append(f"{where}: {key.value} is not a text")
            yield _Row(where, cells, patches)


def _node(row: _Row, problems: list[str]) -> Node:
    """The node of a row; what is wrong with it is added to the problems."""
    fields: dict[str, str] = {}
    wrong: list[str] = []
    for column, check in CHECKS.items():
        if text := row.cells.get(column, ""):
            try:
                fields[column] = check(text)
            except ValueError as error:
                wrong.append(str(error))
    if not {"mac", "uuid"} & set(row.cells):
        wrong.append("neither a MAC address nor a UUID")
    if not row.cells.get("role"):
        wrong.append("no role")
    addresses = tuple(row.cells.get("address", "").split())
    has_link = bool(fields.get("interface") or fields.get("mac"))
    wrong += address_problems(addresses, fields.get("gateway", ""), has_link=has_link)
    patches: dict[str, dict[str, object]] = {}
    for node in row.patches:
        try:
            title, patch = _patch(node)
            patches[title] = merged_mappings(patches.get(title, {}), patch)
        except ConfigError as error:
            wrong.append(str(error))
    problems += [f"{row.where}: {reason}" for reason in wrong]
    return Node(row.where, **fields, addresses=addresses, patches=patches)


def _patch(node: yaml.Node) -> tuple[str, dict[str, object]]:
    """The title of the document that a patch is for, and the values. Raises ConfigError."""
    line = f"line {node.start_mark.line + 1}: "
    for path, scalar in scalars(node):
        if _TEXTS.intersection(path) and scalar.tag != NULL:
            # As a number, `01` would be another label.
            scalar.tag = STRING
    value = value_of(node)
    if not isinstance(value, dict):
        raise ConfigError(f"{line}a patch is not a mapping")
    for path, scalar in scalars(node):
        if DIRECTIVE in path:
            raise ConfigError(
                f"{line}the directive {DIRECTIVE} is not supported: leave the value out of the role's file"
            )
        if path in BUNDLE or is_secret(path, scalar):
            raise ConfigError(f"{line}a patch has a secret, {dotted(path)}: only the files of roles can have secrets")
    kind = value.get("kind") or ""
    return f"{kind} {value.get('name') or ''}".strip() if kind else "", value


def _twice(nodes: Iterable[Node]) -> Iterator[str]:
    seen: dict[tuple[str, str], str] = {}
    for node in nodes:
        named = [("MAC address", node.mac), ("UUID", node.uuid), ("host name", node.hostname)]
        named += [("address", str(ip)) for address in node.addresses if (ip := _ip(address))]
        for what, value in named:
            if value and (first := seen.setdefault((what, value), node.where)) != node.where:
                yield f"{node.where}: {what} {value} is that of {first.partition(': ')[2]}"


def _ip(address: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_interface(address).ip
    except ValueError:
        return None
