"""The documents of a cluster: a template and a profile for each role, a group for each node, and its secrets."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import yaml

from lambda_matchbox.catalog.groups import Group, SelectorValue
from lambda_matchbox.catalog.profiles import NetBoot, Profile
from lambda_matchbox.catalog.templates import Template
from lambda_matchbox.machines.policy import Policy
from matchboxctl.talos.machine_config import ConfigError, Document, MachineConfig, Path, at
from matchboxctl.talos.nodes import Node
from matchboxctl.talos.patches import values_for
from matchboxctl.talos.secret_values import Secrets
from matchboxctl.talos.template import Slot, edited, line_beyond, pair_edits, secret_edits, slot_edits

KIND = "ignition"
"""The kind of the templates: `/ignition` serves documents of Talos as they are rendered."""

POLICY = Policy(once=True, token=True)
DEFAULT_ASSETS = "talos"

_CLUSTER = re.compile(r"[a-z0-9][a-z0-9.-]{0,62}")
_ARGS = (
    # A kernel that starts as an EFI program finds the initramfs by its name.
    "initrd=initramfs.xz",
    "talos.platform=metal",
    "init_on_alloc=1",
    "slab_nomerge",
    "pti=on",
    "consoleblank=0",
    "nvme_core.io_timeout=4294967295",
    "printk.devkmsg=on",
    "selinux=1",
    "console=tty0",
    "console=ttyS0",
    "talos.config=${base}ignition?uuid=${uuid}&mac=${mac:hexhyp}&token=${token}",
)
_HOSTNAME: Path = ("machine", "network", "hostname")
_INTERFACES: Path = ("machine", "network", "interfaces")
_DISK: Path = ("machine", "install", "disk")
_HOSTNAME_KIND = "HostnameConfig"
_META = ("apiVersion", "kind", "name")

# Of the node's own interface, or else of the one that it boots from.
_INTERFACES_VALUE = (
    '[ { {{with get . "interface"}}interface: {{toJson .}}'
    "{{else}}deviceSelector: { hardwareAddr: {{toJson .mac}} }{{end}}, addresses: {{toJson .addresses}}"
    '{{with get . "gateway"}}, routes: [ { network: {{if contains ":" .}}"::/0"{{else}}0.0.0.0/0{{end}},'
    " gateway: {{toJson .}} } ]{{end}} } ]"
)
_PATCHES = '{{$patches := get . "patches" | default dict}}'
_LINK_DOCUMENTS = """{{if get . "addresses"}}---
{{if not (get . "interface")}}apiVersion: v1alpha1
kind: LinkAliasConfig
name: net0
selector:
    match: mac(link.hardware_addr) == {{toJson .mac}}
---
{{end}}apiVersion: v1alpha1
kind: LinkConfig
name: {{get . "interface" | default "net0"}}
addresses:
{{- range .addresses}}
    - address: {{toJson .}}
{{- end}}
{{with get . "gateway"}}routes:
    - gateway: {{toJson .}}
{{end}}{{end}}"""
_MORE_DOCUMENTS = """{{with get . "documents"}}{{range .}}---
{{toJson .}}
{{end}}{{end}}"""


class RoleFile(NamedTuple):
    """The configuration of one role, and the name of its file for messages."""

    file: str
    config: MachineConfig


class Cluster(NamedTuple):
    """What is stored of a cluster; groups are in the order of the nodes."""

    name: str
    secrets: Secrets
    templates: Sequence[Template]
    profiles: Sequence[Profile]
    groups: Sequence[Group]


def check_name(cluster: str) -> None:
    """Raises ConfigError if ids and names of secrets cannot begin so."""
    if not _CLUSTER.fullmatch(cluster):
        raise ConfigError(f"invalid cluster name {cluster!r}: up to 63 lower-case letters, digits, hyphens and dots")


def role_id(cluster: str, role: str) -> str:
    """The id of a role's profile."""
    return f"{cluster}-{role}"


def assemble(cluster: str, files: Iterable[RoleFile], nodes: Sequence[Node], assets: str, secrets: Secrets) -> Cluster:
    """The documents of a cluster; the secrets of the files are added to others.

    Raises ConfigError, whose message has no secret.
    """
    templates, profiles, groups = [], [], dict[str, Group]()
    roles = []
    for role, file in sorted((file.config.role, file) for file in files):
        own = [node for node in nodes if node.role == role]
        built = _RoleTemplate(cluster, file, secrets)
        roles.append(built)
        metadata = built.add(own)
        name = f"{role_id(cluster, role)}.yaml"
        templates.append(Template(KIND, name, built.text().encode()))
        profiles.append(_profile(cluster, role, name, assets))
        groups.update({node.where: _group(cluster, node, data) for node, data in zip(own, metadata, strict=True)})
    for built in roles:
        built.check_secrets()
    return Cluster(cluster, secrets, templates, profiles, [groups[node.where] for node in nodes])


def _profile(cluster: str, role: str, template: str, assets: str) -> Profile:
    """The profile of a role."""
    boot = NetBoot(f"/assets/{assets}/vmlinuz", (f"/assets/{assets}/initramfs.xz",), _ARGS)
    return Profile(role_id(cluster, role), f"Talos {role} of {cluster}", ignition_id=template, boot=boot)


def _group(cluster: str, node: Node, metadata: Mapping[str, object]) -> Group:
    name = node.hostname or machine_in(node.selector)
    return Group(f"{cluster}-{name}", name, role_id(cluster, node.role), node.selector, metadata, POLICY)


def machine_in(selector: Mapping[str, SelectorValue]) -> str:
    """What the id of a group has that nothing else names."""
    return str(selector.get("mac") or selector.get("uuid")).replace(":", "-")


class _RoleTemplate:
    """The template of one role, with a slot for each value that some of its nodes have."""

    def __init__(self, cluster: str, file: RoleFile, secrets: Secrets) -> None:
        self._file = file.file
        self._config = file.config
        self._known = secrets
        self._edits, self._secrets = secret_edits(file.config, cluster, secrets, file.file)
        self._slots: dict[str, dict[Path, Slot]] = {}
        self._head = self._tail = ""

    def add(self, nodes: Sequence[Node]) -> list[dict[str, object]]:
        """Add the slots that the nodes need; returns the metadata of each node."""
        if any(node.hostname for node in nodes):
            self._add_hostname()
        if any(node.disk for node in nodes):
            self._add_disk()
        if any(node.addresses for node in nodes):
            self._add_addresses()
        metadata = [self._metadata(node) for node in nodes]
        if any("patches" in data for data in metadata):
            self._head = _PATCHES
        if any("documents" in data for data in metadata):
            self._tail += _MORE_DOCUMENTS
        return metadata

    def text(self) -> str:
        """The template."""
        text = self._config.text
        for document in self._config.documents:
            try:
                self._edits += slot_edits(document, self._slots.get(document.title, {}), text)
            except ConfigError as error:
                raise ConfigError(f"{self._file}: {error}") from None
        end = "" if not self._tail or text.endswith("\n") else "\n"
        return self._head + edited(text, self._edits) + end + self._tail

    def check_secrets(self) -> None:
        """Raises ConfigError if the template has a secret of any role, as in a comment."""
        for place, value in self._known.in_files():
            if line := line_beyond(self._edits, self._config.text, value):
                raise ConfigError(
                    f"{self._file}: line {line} has the value of a secret, {place}, in a comment or in a place that "
                    "is none of its own: take it out"
                )

    def _metadata(self, node: Node) -> dict[str, object]:
        fields = {"hostname": node.hostname, "disk": node.disk, "addresses": [*node.addresses]}
        fields |= {"gateway": node.gateway, "interface": node.interface}
        if node.hostname and "hostname" in node.patches.get(_HOSTNAME_KIND, {}):
            raise ConfigError(f"{node.where}: the host name is given both as a column and as a patch")
        patches: dict[str, object] = {}
        documents: list[object] = []
        for title, patch in node.patches.items():
            document = self._config.document(title)
            if document is None:
                documents.append({"apiVersion": "v1alpha1", **patch})
                continue
            fields_of_it = {key: value for key, value in patch.items() if not (title and key in _META)}
            patches |= self._patches(node, document, fields_of_it)
        found: dict[str, object] = {**fields, "patches": patches, "documents": documents}
        return {key: value for key, value in found.items() if value}

    def _patches(self, node: Node, document: Document, patch: Mapping[str, object]) -> dict[str, object]:
        found = {}
        try:
            for path, value in values_for(document, patch):
                where = document.located(path)
                secrets = [each for each in self._secrets.get(document.title, ()) if each[: len(path)] == path]
                if isinstance(value, list) and secrets:
                    raise ConfigError(f"{where} has a secret, {document.located(secrets[0])}: no node can have its own")
                self._add_slot(document.title, path, Slot(*_patch_slot(where)))
                found[where] = value
        except ConfigError as error:
            raise ConfigError(f"{node.where}: {error}") from None
        return found

    def _add_slot(self, title: str, path: Path, slot: Slot) -> None:
        slots = self._slots.setdefault(title, {})
        if slots.setdefault(path, slot) != slot:
            raise ConfigError(f"{'.'.join(map(str, path))} is given both as a column and as a patch")

    def _add_hostname(self) -> None:
        slot = Slot('{{with get . "hostname"}}', "{{toJson .}}")
        document = self._config.document(_HOSTNAME_KIND)
        if document is None:
            self._add_slot("", _HOSTNAME, slot)
        elif at(document.node, ("auto",)) is None:
            self._add_slot(_HOSTNAME_KIND, ("hostname",), slot)
        else:
            # Talos refuses both.
            self._edits += pair_edits(document.node, "auto", f"{slot.begin}hostname: {slot.value}", self._config.text)

    def _add_disk(self) -> None:
        main = self._config.document("")
        if main is not None and at(main.node, ("machine", "install", "diskSelector")) is not None:
            raise ConfigError(
                f"{self._file} has machine.install.diskSelector, which Talos prefers to the nodes' disks: remove it"
            )
        self._add_slot("", _DISK, Slot('{{with get . "disk"}}', "{{toJson .}}"))

    def _add_addresses(self) -> None:
        main = self._config.document("")
        own = None if main is None else at(main.node, _INTERFACES)
        titles = {document.kind for document in self._config.documents}
        if (isinstance(own, yaml.SequenceNode) and own.value) or titles & {"LinkConfig", "LinkAliasConfig"}:
            raise ConfigError(
                f"{self._file} has interfaces of its own: give the nodes' addresses as patches of a list in YAML"
            )
        if _HOSTNAME_KIND in titles:
            self._tail += _LINK_DOCUMENTS
        else:
            self._add_slot("", _INTERFACES, Slot('{{if get . "addresses"}}', _INTERFACES_VALUE))


def _patch_slot(where: str) -> tuple[str, str]:
    name = json.dumps(where, ensure_ascii=False)
    return f"{{{{if hasKey $patches {name}}}}}", f"{{{{index $patches {name} | toJson}}}}"
