"""Variables in addresses, replaced by a machine's labels as iPXE and Talos replace them."""

import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import NamedTuple
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from lambda_matchbox.golang.hardware_address import InvalidMACError, normalise_mac

# Innermost first: a name may itself have a variable.
_VARIABLE = re.compile(r"\$\{([^${}]*)\}")
_INTERFACE = re.compile(r"net[0X]/")
_LABELS = {"buildarch": "arch"}
_WRITTEN = {
    "uuid": "${uuid}",
    "mac": "${mac:hexhyp}",
    "serial": "${serial}",
    "hostname": "${hostname}",
    "domain": "${domain}",
    "arch": "${buildarch:uristring}",
}
_BYTES = frozenset({"mac", "uuid"})
_TALOS = ("uuid", "serial", "mac", "hostname", "code")
_TALOS_VARIABLE = re.compile(rf"\$\{{({'|'.join(_TALOS)})\}}", re.IGNORECASE)

STAND_INS: Mapping[str, str] = {
    "uuid": "00000000-0000-4000-8000-000000000000",
    "mac": "02:00:00:00:00:00",
    "serial": "0",
    "arch": "x86_64",
    "hostname": "",
    "domain": "",
}
"""Labels that every machine has, with made-up values; iPXE's `hostname` and `domain` are empty without DHCP's."""


class Filled(NamedTuple):
    """An address with its variables replaced, and those that are left since no label gives them, as written."""

    text: str
    missing: tuple[str, ...] = ()


def variable_of(label: str) -> str:
    """The iPXE variable that gives a label, as it is written in an address; empty if a machine has no such variable."""
    return _WRITTEN.get(label, "")


def label_of(variable: str) -> str:
    """The label that gives an iPXE variable: `arch` for `${buildarch:uristring}`, `mac` for `${net0/mac}`."""
    name = variable.removeprefix("${").removesuffix("}").partition(":")[0]
    name = _INTERFACE.sub("", name)
    return _LABELS.get(name, name)


def labels_in(text: str) -> list[str]:
    """The labels that give the variables in a text, in order, each once."""
    return list(dict.fromkeys(label_of(found[0]) for found in _VARIABLE.finditer(text)))


def fill_ipxe(text: str, labels: Mapping[str, str], *, directory: str | None = None) -> Filled:
    """The text of a boot script as iPXE expands it. `directory` replaces `${cwduri}`, which is left without one."""
    known = dict(labels) if directory is None else {**labels, "cwduri": directory}
    missing: list[str] = []

    def value(found: re.Match[str]) -> str:
        name, _, kind = found[1].partition(":")
        label = label_of(name)
        formatted = _FORMATS.get(kind)
        if label not in known or formatted is None:
            if found[0] != "${cwduri}" or directory is not None:
                missing.append(found[0])
            return found[0]
        return formatted(label, known[label])

    return Filled(_VARIABLE.sub(value, text), tuple(dict.fromkeys(missing)))


def fill_talos(address: str, labels: Mapping[str, str]) -> Filled:
    """The address of `talos.config` as Talos requests it: variables in the query, and a `uuid` without a value.

    A query with variables is sorted and encoded anew; any other is unchanged, and so is an invalid address.
    """
    try:
        parts = urlsplit(address)
    except ValueError:
        return Filled(address)
    query = parse_qsl(parts.query, keep_blank_values=True)
    wanted = [f"${{{name[1].lower()}}}" for _, value in query for name in _TALOS_VARIABLE.finditer(value)]
    blank = any(key == "uuid" and not value.strip() for key, value in query)
    if not wanted and not blank:
        return Filled(address)
    known = {name: labels[name] for name in _TALOS if name in labels}
    known |= {"mac": _mac(known["mac"])} if "mac" in known else {}

    def replaced(key: str, value: str) -> str:
        if key == "uuid" and not value.strip():
            value = "${uuid}"
        return _TALOS_VARIABLE.sub(lambda found: known.get(found[1].lower(), found[0]), value)

    pairs = sorted(((key, replaced(key, value)) for key, value in query), key=lambda pair: pair[0])
    missing = [name for name in [*wanted, *(["${uuid}"] if blank else [])] if name[2:-1] not in known]
    return Filled(parts._replace(query=urlencode(pairs)).geturl(), tuple(dict.fromkeys(missing)))


def _mac(value: str) -> str:
    try:
        return normalise_mac(value)
    except InvalidMACError:
        return value


def _plain(label: str, value: str) -> str:
    return _mac(value) if label == "mac" else value


def _raw(label: str, value: str) -> bytes:
    if label in _BYTES:
        try:
            return bytes.fromhex(re.sub("[-:.]", "", value))
        except ValueError:
            pass
    return value.encode()


_FORMATS: Mapping[str, Callable[[str, str], str]] = {
    "": _plain,
    "string": _plain,
    "uuid": _plain,
    "uristring": lambda label, value: quote(_plain(label, value), safe=""),
    "hex": lambda label, value: _raw(label, value).hex(":"),
    "hexhyp": lambda label, value: _raw(label, value).hex("-"),
    "hexraw": lambda label, value: _raw(label, value).hex(),
    "base64": lambda label, value: b64encode(_raw(label, value)).decode(),
}
