"""Which values of a machine configuration are secret, and under which names they are stored.

The secrets of a cluster, which `talosctl gen secrets` writes to one file, are stored in parts that each fit a parameter
of SSM's standard tier, and under the keys of that file. Certificates belong to them: a template then has nothing that
differs from cluster to cluster. Any other secret, such as a registry's password, is in the document `other`.
"""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import yaml

from matchboxctl.cli.output import as_yaml
from matchboxctl.talos.machine_config import NULL, Path, dotted, values_in

SERVICE_ACCOUNT = "certs/k8sserviceaccount"
"""The part that is a key alone, as PEM: in base64 an RSA key is longer than the 4,096 bytes of the standard tier."""

OTHER = "other"
"""The part for secrets beyond those of `talosctl gen secrets`."""

_CLUSTER = "cluster"
_AUTHORITIES = {
    ("machine", "ca"): "certs/os",
    ("cluster", "ca"): "certs/k8s",
    ("cluster", "aggregatorCA"): "certs/k8saggregator",
    ("cluster", "etcd", "ca"): "certs/etcd",
}
BUNDLE: Mapping[Path, tuple[str, str]] = {
    ("machine", "token"): (_CLUSTER, "trustdinfo.token"),
    ("cluster", "id"): (_CLUSTER, "cluster.id"),
    ("cluster", "secret"): (_CLUSTER, "cluster.secret"),
    ("cluster", "token"): (_CLUSTER, "secrets.bootstraptoken"),
    ("cluster", "secretboxEncryptionSecret"): (_CLUSTER, "secrets.secretboxencryptionsecret"),
    ("cluster", "aescbcEncryptionSecret"): (_CLUSTER, "secrets.aescbcencryptionsecret"),
    **{(*path, key): (part, key) for path, part in _AUTHORITIES.items() for key in ("crt", "key")},
    ("cluster", "serviceAccount", "key"): (SERVICE_ACCOUNT, ""),
}
"""For the path of a value in a configuration, the part that has it and its key there, empty for the whole part."""

PARTS = dict.fromkeys(part for part, _ in BUNDLE.values())
"""The parts of a cluster's secrets, in order."""

_LONG = 16
# Parameter Store takes no value that has it.
_REFUSED = "{{"
# What no path ends with.
_AS_BASE64 = "--base64"

# What the last words of a key say: `password`, `privateKey`, `presharedKey`, `identityToken`.
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_NAMES = re.compile(
    r"\b(?:pass|passw(?:or)?d|passphrase|secrets?|(?:join)?tokens?|psk|auth|authorization|bearer|credentials?"
    r"|(?:private|preshared|pre shared|shared|access|api|auth|encryption|secret|join) ?keys?|authkey|apikey)$",
    re.IGNORECASE,
)
_ASSIGNMENT = re.compile(r"(?:-*)([A-Za-z_][\w.-]*)=(.+)", re.DOTALL)
# A key, a Secret of Kubernetes, a password or token in an address, or a line of a file that sets one.
_IN_VALUE = re.compile(
    r"PRIVATE KEY-----"
    r"|^kind:\s*[\"']?Secret\b"
    r"|://[^/\s:@]+:[^/\s@]+@|[?&](?:join_?)?token="
    r"|^[ \t]*[\"']?[\w.-]*(?:passw(?:or)?d|passphrase|secret|token|(?:auth|api|private)_?key)[\"']?"
    r"[ \t]*[:=][ \t]*[^\s{$<]",
    re.MULTILINE | re.IGNORECASE,
)
_BASE64_OF_A_KEY = re.compile(r"LS0tLS1CRUdJTi[A-Za-z0-9+/=]{40,}")


class SecretValue(NamedTuple):
    """A secret: the part it is stored in, its key there, empty for the whole part, and the value as it is stored."""

    part: str
    key: str
    value: str


def part_name(cluster: str, part: str) -> str:
    """The name of a part in the store of secrets."""
    return f"talos/{cluster}/{part}"


def is_given(node: yaml.ScalarNode) -> bool:
    """Whether a scalar is neither empty nor null."""
    return bool(node.value) and node.tag != NULL


def is_secret(path: Path, node: yaml.ScalarNode) -> bool:
    """Whether a value beyond the cluster's own secrets is one: by its key, or by what it looks like."""
    if not is_given(node) or node.tag.endswith(":bool"):
        return False
    key = next((part for part in reversed(path) if isinstance(part, str)), "")
    if path[:2] == ("cluster", "extraManifestHeaders"):
        return True
    if _IN_VALUE.search(node.value) or (_BASE64_OF_A_KEY.search(node.value) and b"PRIVATE KEY" in _decoded(node.value)):
        return True
    if isinstance(path[-1], str) and _names_a_secret(key) and not node.value.startswith("/"):
        return True
    assignment = _ASSIGNMENT.fullmatch(node.value)
    return assignment is not None and _names_a_secret(assignment[1]) and not assignment[2].startswith("/")


def _names_a_secret(key: str) -> bool:
    return bool(_NAMES.search(" ".join(_WORDS.findall(key))))


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""


def bundle_secret(path: Path, value: str) -> SecretValue | None:
    """The secret of the cluster that a configuration has at that path; None for any other path.

    Raises ValueError for a key that is not base64.
    """
    if path not in BUNDLE:
        return None
    part, key = BUNDLE[path]
    if part == SERVICE_ACCOUNT:
        return SecretValue(part, "", _pem(value))
    return SecretValue(part, key, value)


def _pem(value: str) -> str:
    try:
        return base64.b64decode(value, validate=True).decode()
    except ValueError:
        raise ValueError("not the base64 of a key") from None


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def action(cluster: str, secret: SecretValue) -> str:
    """The action of a template that gives the secret as a scalar of YAML."""
    key = f' "{secret.key}"' if secret.key else ""
    encoded = " | b64enc" if secret.part == SERVICE_ACCOUNT else ""
    if secret.key.endswith(_AS_BASE64):
        encoded = " | b64dec"
    return f'{{{{secret "{part_name(cluster, secret.part)}"{key}{encoded} | toJson}}}}'


class Secrets:
    """Secrets of one cluster, each once."""

    def __init__(self) -> None:
        self._parts: dict[str, dict[str, str]] = {}
        self._places: dict[str, str] = {}

    def add(self, secret: SecretValue, where: str) -> None:
        """Add one; `where` says for messages where it stood. Raises ValueError if another value has its place."""
        part = self._parts.setdefault(secret.part, {})
        place = f"{secret.part} {secret.key}"
        if part.setdefault(secret.key, secret.value) != secret.value:
            raise ValueError(f"is not that of {self._places[place]}: they are of different clusters")
        self._places.setdefault(place, where)

    def add_other(self, path: Path, title: str, value: str) -> SecretValue:
        """Add a value beyond the cluster's own secrets, under a key made of its path; equal values are one."""
        part = self._parts.setdefault(OTHER, {})
        encoding = _AS_BASE64 if _REFUSED in value else ""
        value = _base64(value) if encoding else value
        for key, known in part.items():
            if known == value:
                return SecretValue(OTHER, key, value)
        base = re.sub(r"[^A-Za-z0-9]+", "-", f"{title} {dotted(path)}").strip("-")
        key, number = base + encoding, 1
        while key in part:
            number += 1
            key = f"{base}-{number}{encoding}"
        part[key] = value
        return SecretValue(OTHER, key, value)

    def add_bundle(self, document: Mapping[str, object], where: str) -> None:
        """Add what `talosctl gen secrets` has written. Raises ValueError."""
        values = _flat(document)
        for path, (part, key) in BUNDLE.items():
            if (value := values.get(_in_bundle(part, key))) and (secret := bundle_secret(path, value)):
                self.add(secret, where)

    def texts(self, stored: Mapping[str, str]) -> dict[str, str]:
        """What to store by part, with what the stored parts have beyond it. Raises ConfigError for unreadable parts."""
        found = {}
        for part in self.parts:
            known = _stored_values(part, stored.get(part, ""))
            values = known | self._parts[part]
            text = values[""] if part == SERVICE_ACCOUNT else as_yaml(_nested(values))
            found[part] = stored[part] if values == known else text
        return found

    def in_files(self) -> Iterator[tuple[str, str]]:
        """The places of secrets, and their values as files have them; without what may stand elsewhere by chance."""
        for part, values in self._parts.items():
            for key, value in values.items():
                written = _base64(value) if part == SERVICE_ACCOUNT else value
                if key.endswith(_AS_BASE64):
                    written = base64.b64decode(value).decode()
                if key != "crt" and len(written) >= _LONG:
                    yield f"{part} {key}".rstrip(), written

    @property
    def parts(self) -> Sequence[str]:
        """The parts that have secrets, in the order in which they are stored."""
        return [part for part in (*PARTS, OTHER) if part in self._parts]

    def added(self, stored: Mapping[str, str]) -> dict[str, list[str]]:
        """The keys by part that are not stored, or with another value. Raises ConfigError."""
        known = {part: _stored_values(part, stored.get(part, "")) for part in self.parts}
        return {
            part: [key for key, value in self._parts[part].items() if of_part.get(key) != value]
            for part, of_part in known.items()
        }

    def replaced(self, stored: Mapping[str, str]) -> list[str]:
        """The cluster's own secrets that are stored with another value, by part and key. Raises ConfigError."""
        return [
            f"{part} {key}".rstrip()
            for part, keys in self.added(stored).items()
            for key in keys
            if part != OTHER and key in _stored_values(part, stored.get(part, ""))
        ]


def _stored_values(part: str, text: str) -> dict[str, str]:
    if part == SERVICE_ACCOUNT:
        return {"": text} if text else {}
    return flat(text)


def flat(text: str) -> dict[str, str]:
    """The texts of a stored part by their key paths. Raises ConfigError."""
    return {key: value for document in values_in(text) for key, value in _flat(document).items()}


def _flat(value: object, path: str = "") -> dict[str, str]:
    if not isinstance(value, dict):
        return {} if value is None else {path: str(value)}
    members = (_flat(member, f"{path}.{key}".removeprefix(".")) for key, member in value.items())
    return {key: one for member in members for key, one in member.items()}


def _nested(values: Mapping[str, str]) -> dict[str, object]:
    found: dict[str, object] = {}
    for path, value in values.items():
        *above, key = path.split(".")
        below = found
        for one in above:
            below = below.setdefault(one, {})  # type: ignore[assignment]
        below[key] = value
    return found


def bundle_document(parts: Mapping[str, str]) -> dict[str, object]:
    """The stored parts of a cluster as `talosctl gen secrets` writes them. Raises ConfigError."""
    found: dict[str, str] = {}
    for part, text in parts.items():
        encoded = {"": _base64(text)} if part == SERVICE_ACCOUNT else flat(text)
        found |= {_in_bundle(part, key): value for key, value in encoded.items()}
    return _nested(found)


def _in_bundle(part: str, key: str) -> str:
    """The path of a secret in the file of `talosctl gen secrets`."""
    return key if part == _CLUSTER else f"{part.replace('/', '.')}.{key or 'key'}"
