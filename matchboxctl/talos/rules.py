"""What Talos would refuse in a machine configuration, as far as that can be said without `talosctl`."""

import base64
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import yaml

from matchboxctl.cli.names import did_you_mean
from matchboxctl.netboot.placeholders import in_nodes
from matchboxctl.talos.known_keys import KEYS, KINDS, MEANT, VERSION
from matchboxctl.talos.machine_config import NULL, MachineConfig, Path, at, dotted, scalars
from matchboxctl.talos.node_values import ROLES
from matchboxctl.talos.nodes import DIRECTIVE
from matchboxctl.talos.secret_values import BUNDLE, is_secret

_TOKEN = re.compile(r"[a-z0-9]{6}\.[a-z0-9]{16}")
_API_VERSION = "v1alpha1"
_CONTROL_PLANE_ONLY: tuple[Path, ...] = (
    ("machine", "ca", "key"),
    ("cluster", "ca", "key"),
    ("cluster", "aggregatorCA", "key"),
    ("cluster", "serviceAccount", "key"),
    ("cluster", "etcd", "ca", "key"),
    ("cluster", "secretboxEncryptionSecret"),
    ("cluster", "aescbcEncryptionSecret"),
)
_REQUIRED: tuple[Path, ...] = (
    ("machine", "token"),
    ("machine", "ca", "crt"),
    ("cluster", "ca", "crt"),
    ("cluster", "token"),
)


def _lines_of_secrets(config: MachineConfig) -> set[str]:
    return {
        f"line {line + 1}"
        for document in config.documents
        for path, node in scalars(document.node)
        if (path in BUNDLE and path[-1] != "crt") or is_secret(path, node)
        for line in range(node.start_mark.line, node.end_mark.line + 1)
    }


def problems(config: MachineConfig, *, installs: bool = True) -> Iterator[str]:
    """What is wrong, each with its line and without a secret; with `installs` a disk to install on is needed."""
    mains = [document.node for document in config.documents if not document.kind]
    if len(mains) != 1:
        yield "no document with machine and cluster" if not mains else f"{_line(mains[1])} a second main document"
        return
    main = mains[0]
    titles = [document.title for document in config.documents]
    for index, document in enumerate(config.documents):
        if document.title in titles[:index]:
            yield f"{_line(document.node)} a second document {document.title}"
        for path in (path for path, _ in scalars(document.node) if DIRECTIVE in path):
            yield f"{_line(document.node)} {document.located(path)} is for patches only: take what it deletes out"
        key = "apiVersion" if document.kind else "version"
        if _text(document.node, (key,)) != _API_VERSION:
            yield f"{_line(document.node)} {key} is not {_API_VERSION}"
    lines_of_secrets = _lines_of_secrets(config)
    for placeholder in in_nodes([document.node for document in config.documents], has_braces=False):
        # What looks like one may be part of a password.
        which = "a placeholder" if placeholder.where in lines_of_secrets else f"placeholder {placeholder.text}"
        yield f"{placeholder.where}: {which} is left: replace it"
    yield from _value_problems(main)
    yield from _role_problems(main, config.role)
    endpoint = _text(main, ("cluster", "controlPlane", "endpoint"))
    if not endpoint.startswith("https://") or not urlsplit(endpoint).hostname:
        yield "cluster.controlPlane.endpoint is not an address such as https://10.0.0.10:6443"
    has_disk = any(at(main, ("machine", "install", key)) for key in ("disk", "diskSelector"))
    if installs and not has_disk:
        yield "neither machine.install.disk nor machine.install.diskSelector says where to install"


def unknown_names(config: MachineConfig) -> Iterator[str]:
    """The keys and kinds that the known version of Talos does not know, each with its line; a later one may."""
    for document in config.documents:
        if document.kind and document.kind not in KINDS:
            alike = did_you_mean(document.kind, lambda: KINDS)
            yield f"{_line(document.node)} Talos {VERSION} knows no kind {document.kind!r}{alike}"
    main = None if config.main is None else config.main.node
    for path, known in KEYS.items():
        node = at(main, tuple(path.split(".")) if path else ())
        for key, _ in node.value if isinstance(node, yaml.MappingNode) else ():
            if key.value not in known:
                where = f"{path}.{key.value}".removeprefix(".")
                meant = f"; use {MEANT[where]}" if where in MEANT else did_you_mean(key.value, lambda: known)  # noqa: B023
                yield f"{_line(key)} Talos {VERSION} knows no key {where}{meant}"


def _value_problems(main: yaml.MappingNode) -> Iterator[str]:
    for path in BUNDLE:
        node = at(main, path)
        if not isinstance(node, yaml.ScalarNode) or not node.value or node.value.startswith("<"):
            continue
        if path[-1] in ("crt", "key") and not _is_pem(node.value):
            yield f"{_line(node)} {dotted(path)} is not the base64 of a certificate or key"
        if path == ("cluster", "token") and not _TOKEN.fullmatch(node.value):
            yield f"{_line(node)} {dotted(path)} is not of the form abcdef.0123456789abcdef"


def _is_pem(text: str) -> bool:
    try:
        return b"-----BEGIN " in base64.b64decode(text, validate=True)
    except ValueError:
        return False


def _role_problems(main: yaml.MappingNode, role: str) -> Iterator[str]:
    if role not in ROLES:
        yield f"machine.type is {role!r}, not {' or '.join(ROLES)}"
        return
    if role == "worker":
        for path in _CONTROL_PLANE_ONLY:
            if _text(main, path):
                yield f"{_line(at(main, path))} a worker must not have {dotted(path)}: it is for control planes only"
    keys = [path for path in _CONTROL_PLANE_ONLY if path[-1] == "key"] if role == "controlplane" else []
    for path in (*_REQUIRED, *keys):
        # In place of an authority of its own a node may accept others.
        accepted = (path[0], "acceptedCAs") if path[1:] == ("ca", "crt") else path
        if not _text(main, path) and (accepted == path or at(main, accepted) is None):
            yield f"{dotted(path)} is missing"


def _text(node: yaml.Node, path: Path) -> str:
    found = at(node, path)
    return found.value if isinstance(found, yaml.ScalarNode) and found.tag != NULL else ""


def _line(node: yaml.Node | None) -> str:
    return "" if node is None else f"line {node.start_mark.line + 1}:"
