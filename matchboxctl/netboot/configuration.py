"""What a configuration is that a machine has fetched, whether it parses, and which placeholders are left in it."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import yaml

from lambda_matchbox.golang.json import JsonError, decode
from lambda_matchbox.ignition.config.parse import IgnitionError, parse_and_translate
from lambda_matchbox.ignition.yaml import YamlError, documents
from matchboxctl.netboot import placeholders
from matchboxctl.netboot.addresses import Reader
from matchboxctl.netboot.placeholders import Placeholder

_TEXT = "text"
_NULL = "tag:yaml.org,2002:null"
_BUTANE = "Butane config"
_CLOUD_CONFIG = "#cloud-config"
_JINJA = "## template: jinja"
_CLOUD_INIT_STARTS = (
    "#include",
    "#cloud-boothook",
    "#part-handler",
    "#cloud-config-archive",
    "content-type: multipart",
)
_HTML = re.compile(r"\s*(?:<!doctype html|<html)", re.IGNORECASE)
_KICKSTART = re.compile(r"^(?:%(?:pre|post|packages)\b|(?:rootpw|autopart|clearpart|liveimg|url --))", re.MULTILINE)
_SECTION = re.compile(r"%(?:pre|pre-install|post|onerror|traceback|packages|addon|anaconda)\b")
_PRESEED = re.compile(r"^d-i[ \t]+\S+", re.MULTILINE)
_KIND = re.compile(r"[A-Z]\w{1,40}")
_ROLES = ("controlplane", "worker", "init", "join")
_MAX_NAMED = 4

_ACCEPTED: Mapping[Reader, Sequence[str]] = {
    Reader.TALOS: ("Talos",),
    Reader.IGNITION: ("Ignition",),
    Reader.CLOUD_INIT: ("cloud-config", "script", "cloud-init"),
    Reader.KICKSTART: ("kickstart",),
}


class Configuration(NamedTuple):
    """A configuration: its kind, such as `Ignition 3.4.0`, why it does not parse or empty, and its placeholders.

    Neither the kind nor the problem quotes its text; `sources` are what it makes the machine fetch.
    """

    kind: str
    problem: str = ""
    placeholders: tuple[Placeholder, ...] = ()
    sources: "tuple[Source, ...]" = ()


class Source(NamedTuple):
    """An address that Ignition fetches: for a config in place of or merged into this one, or for a file.

    `digest` is Ignition's `verification.hash`, such as `sha256-…`, or empty; it is that of what is unpacked if the
    source `is_packed`.
    """

    path: str
    address: str
    digest: str
    is_config: bool
    is_packed: bool = False
    has_headers: bool = False


def read_configuration(body: bytes, reader: Reader = Reader.UNKNOWN) -> Configuration:
    """What `body` is; the problem is also that the `reader` cannot read it."""
    text = body.decode("utf-8", "replace")
    found = _read(text, body, reader)
    accepted = _ACCEPTED.get(reader)
    if found.problem or not accepted or found.kind.startswith(tuple(accepted)):
        return found
    return found._replace(problem=f"{reader} reads {_expected(accepted)}")


def _expected(accepted: Sequence[str]) -> str:
    kinds = {"Talos": "Talos machine configurations", "Ignition": "Ignition configs", "kickstart": "kickstart files"}
    return kinds.get(accepted[0], "cloud-configs and scripts")


def _read(text: str, body: bytes, reader: Reader) -> Configuration:
    first = text.partition("\n")[0].strip()
    if not text.strip():
        return Configuration("empty", "it is empty")
    if _HTML.match(text):
        return Configuration("HTML page", "a web page is no configuration")
    if text.startswith("#!"):
        kind = "iPXE script" if first.startswith("#!ipxe") else f"script ({first[2:].strip() or 'no interpreter'})"
        return Configuration(kind, placeholders=tuple(placeholders.in_script(text)))
    if text.lstrip().startswith("{") and not text.lstrip().startswith("{{"):
        return _json(text, body)
    if first in (_CLOUD_CONFIG, _JINJA):
        return _yaml(text, body, _cloud_config)
    if first.lower().startswith(_CLOUD_INIT_STARTS):
        return Configuration(f"cloud-init ({first.split()[0].strip('#:').lower()})")
    if reader is Reader.KICKSTART or (reader is Reader.UNKNOWN and _KICKSTART.search(text)):
        return _kickstart(text)
    if _PRESEED.search(text):
        return Configuration("preseed", placeholders=tuple(placeholders.in_kickstart(text)))
    return _yaml(text, body, _by_keys)


def _json(text: str, body: bytes) -> Configuration:
    try:
        decode(body)
        config = json.loads(text)
    except (JsonError, ValueError) as error:
        in_yaml = _yaml(text, body, _by_keys)
        is_yaml = not in_yaml.problem and in_yaml.kind != _TEXT
        return (
            in_yaml
            if is_yaml and b"ignition" not in body
            else Configuration("JSON", str(error) if isinstance(error, JsonError) else "not JSON")
        )
    ignition = config.get("ignition")
    if not isinstance(ignition, dict):
        in_yaml = _yaml(text, body, _by_keys)
        is_talos = in_yaml.kind.startswith("Talos")
        return in_yaml if is_talos else Configuration("JSON", placeholders=tuple(placeholders.in_json(config)))
    left = tuple(placeholders.in_json(config))
    version = ignition.get("version")
    kind = f"Ignition {version}" if isinstance(version, str) and re.fullmatch(r"[0-9][\w.+-]*", version) else "Ignition"
    if kind.startswith("Ignition 2."):
        return Configuration(f"{kind}, whose rules are not checked", "", left)
    try:
        parse_and_translate(body)
    except IgnitionError as error:
        return Configuration(kind, str(error), left)
    return Configuration(kind, "", left, tuple(_sources(config)))


def _sources(config: object, path: str = "$", *, is_config: bool = False) -> list[Source]:
    found: list[Source] = []
    if isinstance(config, list):
        for at, member in enumerate(config):
            found += _sources(member, f"{path}.{at}", is_config=is_config)
    elif isinstance(config, dict):
        address = config.get("source")
        if isinstance(address, str) and address.lower().startswith(("http://", "https://")):
            verification = config.get("verification")
            digest = verification.get("hash") if isinstance(verification, dict) else None
            found.append(
                Source(
                    path,
                    address,
                    digest if isinstance(digest, str) else "",
                    is_config,
                    is_packed=config.get("compression") == "gzip",
                    has_headers=bool(config.get("httpHeaders")),
                )
            )
        for key, member in config.items():
            found += _sources(member, f"{path}.{key}", is_config=path == "$.ignition.config" or is_config)
    return found


def _yaml(text: str, body: bytes, kind_of: Callable[[list[yaml.Node], str], Configuration]) -> Configuration:
    try:
        documents(body)
    except YamlError as error:
        where = "" if error.line is None else f" at line {error.line}"
        kind = "cloud-config" if kind_of is _cloud_config else _TEXT
        return Configuration(kind, f"not YAML{where}: {error.reason}")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        nodes = [node for node in yaml.compose_all(text, Loader=loader) if node]
    except yaml.MarkedYAMLError as error:
        # YAML allows an anchor that is defined again, PyYAML does not.
        line = f" at line {error.problem_mark.line + 1}" if error.problem_mark else ""
        return Configuration("YAML", f"an anchor is defined twice, the second time{line}")
    found = kind_of(nodes, text)
    if found.kind == _TEXT:
        return found
    has_braces = not text.startswith(_JINJA)
    return found._replace(placeholders=tuple(placeholders.in_nodes(nodes, has_braces=has_braces)))


def _cloud_config(nodes: list[yaml.Node], text: str) -> Configuration:  # noqa: ARG001 (as _by_keys)
    is_mapping = all(isinstance(node, yaml.MappingNode) or node.tag == _NULL for node in nodes[:1])
    return Configuration("cloud-config", "" if is_mapping else "it is not a mapping")


def _by_keys(nodes: list[yaml.Node], text: str) -> Configuration:
    tops = [_scalars(node) for node in nodes]
    if not tops or not all(isinstance(node, yaml.MappingNode) for node in nodes):
        return Configuration(_TEXT, placeholders=tuple(placeholders.in_text(text)))
    if "variant" in tops[0]:
        return Configuration(_BUTANE, "machines read no Butane: serve it by /ignition, which translates it")
    machine = next((node for node, top in zip(nodes, tops, strict=True) if top.get("version") == "v1alpha1"), None)
    kinds = [top["kind"] for top in tops if _KIND.fullmatch(top.get("kind", "")) and top.get("apiVersion")]
    if machine is None and not any(top.get("apiVersion") == "v1alpha1" for top in tops):
        return Configuration("YAML")
    role = _role(machine) if machine is not None else ""
    shown = kinds[:_MAX_NAMED] + (["…"] if len(kinds) > _MAX_NAMED else [])
    kind = " ".join(
        filter(
            None, ["Talos v1alpha1", role if role in _ROLES else "", "with" if machine is not None and kinds else ""]
        )
    )
    return Configuration(f"{kind} {', '.join(shown)}".strip(), _talos_problem(nodes, role))


def _talos_problem(nodes: list[yaml.Node], role: str) -> str:
    if role and role not in _ROLES:
        return f"machine.type is none of {', '.join(_ROLES[:2])}"
    for node in nodes:
        if repeated := _repeated_key(node, set()):
            return f"line {repeated.start_mark.line + 1}: the key {repeated.value!r} occurs twice"
    return ""


def _scalars(node: yaml.Node) -> dict[str, str]:
    """The keys of a mapping with the texts of their values, which are empty unless they are scalars."""
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    return {
        key.value: value.value if isinstance(value, yaml.ScalarNode) else ""
        for key, value in pairs
        if isinstance(key, yaml.ScalarNode)
    }


def _role(machine: yaml.Node) -> str:
    for key, value in machine.value:
        if isinstance(key, yaml.ScalarNode) and key.value == "machine":
            return _scalars(value).get("type", "")
    return ""


def _repeated_key(node: yaml.Node, seen: set[int]) -> yaml.ScalarNode | None:
    """A key that its mapping has twice, which Talos refuses; None if there is none."""
    if id(node) in seen or not isinstance(node, yaml.CollectionNode):
        return None
    seen.add(id(node))
    keys: set[str] = set()
    for entry in node.value:
        key, value = entry if isinstance(node, yaml.MappingNode) else (None, entry)
        if isinstance(key, yaml.ScalarNode):
            if key.value in keys:
                return key
            keys.add(key.value)
        if found := _repeated_key(value, seen):
            return found
    return None


def _kickstart(text: str) -> Configuration:
    opened = 0
    for number, line in enumerate(text.splitlines(), 1):
        if _SECTION.match(line):
            if opened:
                break
            opened = number
        elif line.startswith("%end"):
            opened = 0
    problem = f"the section that begins at line {opened} has no %end" if opened else ""
    return Configuration("kickstart", problem, tuple(placeholders.in_kickstart(text)))
