"""Ignition's validation: errors and warnings for a config."""

from collections.abc import Callable
from typing import cast

from lambda_matchbox.golang.quote import quoted
from lambda_matchbox.ignition.config.node_rules import (
    config_problems,
    file_problems,
    node_problems,
    owner_problems,
    storage_problems,
)
from lambda_matchbox.ignition.config.problem import Problem, Problems, path_problem, problems_at
from lambda_matchbox.ignition.config.reader import Struct, number, structs, text
from lambda_matchbox.ignition.config.schema import fields_of
from lambda_matchbox.ignition.config.source import is_url, scheme_of, source_problem
from lambda_matchbox.ignition.config.storage_rules import (
    clevis_custom_problems,
    disk_problems,
    filesystem_problems,
    luks_problems,
    partition_problems,
    raid_problems,
)
from lambda_matchbox.ignition.config.systemd_unit import UnitError, sections_of

_UNIT_SUFFIXES = (
    *(".service", ".socket", ".device", ".mount", ".automount", ".swap"),
    *(".target", ".path", ".timer", ".snapshot", ".slice", ".scope"),
)
_HASH_DIGITS = {"sha512": (0, 128), "sha256": (1, 64)}
_HTTP = frozenset({"http", "https"})
# Lists whose elements may repeat.
REPEATABLE = frozenset({"File.append", "Filesystem.options", "Filesystem.mountOptions", "Luks.options", "Raid.options"})
# Lists that share one set of keys.
_SHARED = {
    "Storage.directories": "nodes",
    "Storage.files": "nodes",
    "Storage.links": "nodes",
    "KernelArguments.shouldExist": "arguments",
    "KernelArguments.shouldNotExist": "arguments",
}
_KEYS = {
    "Disk": "device",
    "Filesystem": "device",
    "File": "path",
    "Directory": "path",
    "Link": "path",
    "Reference": "source",
    "Resource": "source",
    "Tang": "url",
}


def problems(config: Struct, minor: int) -> Problems:
    """The broken rules of a config of version 3.`minor`, read by `reader`, in Ignition's order."""
    yield from _duplicates("Config", config, "$", minor)
    yield from _broken_rules("Config", config, "$", minor)


def _broken_rules(kind: str, value: object, path: str, minor: int) -> Problems:
    if kind == "Device":
        yield from problems_at(path, path_problem(cast(str, value)))
    if not isinstance(value, dict):
        return
    if kind in _RULES:
        yield from _RULES[kind](value, path, minor)
    for name, member_kind in fields_of(kind, minor).items():
        member = value.get(name)
        if isinstance(member, list):
            for index, element in enumerate(member):
                yield from _broken_rules(member_kind[1:-1], element, f"{path}.{name}.{index}", minor)
        else:
            yield from _broken_rules(member_kind, member, f"{path}.{name}", minor)


def _duplicates(kind: str, value: Struct, path: str, minor: int) -> Problems:
    seen: dict[str, set[str]] = {}
    for name, member_kind in fields_of(kind, minor).items():
        member = value.get(name)
        if not isinstance(member, list):
            continue
        keys = seen.setdefault(_SHARED.get(f"{kind}.{name}", name), set())
        for index, element in enumerate(member):
            where = f"{path}.{name}.{index}"
            key = key_of(member_kind[1:-1], element)
            if key in keys and f"{kind}.{name}" not in REPEATABLE:
                yield Problem(where, "duplicate entry defined")
            keys.add(key)
    for name, member_kind in fields_of(kind, minor).items():
        member = value.get(name)
        if isinstance(member, dict):
            yield from _duplicates(member_kind, member, f"{path}.{name}", minor)
        for index, element in enumerate(structs(value, name)):
            yield from _duplicates(member_kind[1:-1], element, f"{path}.{name}.{index}", minor)


def key_of(kind: str, element: object) -> str:
    """The key that identifies an element of type `kind` in its list."""
    if not isinstance(element, dict):
        return cast(str, element)
    if kind == "Partition":
        partition = number(element, "number")
        return f"number {partition}" if partition else f"label {element['label']}" if "label" in element else ""
    return text(element, _KEYS.get(kind, "name"))


def _ignition_config_problems(config: Struct, path: str, minor: int) -> Problems:
    if minor >= 1:
        for index, reference in enumerate(structs(config, "merge")):
            yield from _source_problems(reference, f"{path}.merge.{index}", minor)


def _tls_problems(tls: Struct, path: str, minor: int) -> Problems:
    for index, reference in enumerate(structs(tls, "certificateAuthorities")):
        where = f"{path}.certificateAuthorities.{index}"
        if minor >= 1:
            yield from _source_problems(reference, where, minor)
        elif not text(reference, "source"):
            yield Problem(f"{where}.source", "invalid url scheme")


def _source_problems(reference: Struct, path: str, minor: int) -> Problems:
    source = text(reference, "source")
    yield from problems_at(path, source_problem(source, minor) if source else "source is required")


def _proxy_problems(proxy: Struct, path: str, _minor: int) -> Problems:
    for name in ("httpProxy", "httpsProxy"):
        if name in proxy and scheme_of(text(proxy, name)) not in _HTTP:
            yield Problem(f"{path}.{name}", "proxies must be http(s)")
    if scheme_of(text(proxy, "httpsProxy")) == "http":
        reason = "insecure plaintext HTTP proxy specified for HTTPS resources"
        yield Problem(f"{path}.httpsProxy", reason, is_warning=True)


def _header_problems(header: Struct, path: str, _minor: int) -> Problems:
    if not text(header, "name"):
        yield Problem(f"{path}.name", "HTTP header name can't be empty")
    if header.get("value") == "":
        yield Problem(f"{path}.value", "HTTP header value can't be empty")


def _reference_problems(reference: Struct, path: str, minor: int) -> Problems:
    """The rules for a config or certificate to fetch; in 3.0 these have only a source."""
    if minor >= 1:
        yield from _resource_problems(reference, path, minor)
    elif text(reference, "source"):
        yield from problems_at(f"{path}.source", source_problem(text(reference, "source"), minor))


def _resource_problems(resource: Struct, path: str, minor: int) -> Problems:
    source = text(resource, "source")
    if text(resource, "compression") not in {"", "gzip"}:
        yield Problem(f"{path}.compression", "invalid compression method")
    if "hash" in cast(Struct, resource["verification"]) and "source" not in resource:
        yield Problem(f"{path}.verification.hash", "source must be specified if verification is specified")
    if source:
        yield from problems_at(f"{path}.source", source_problem(source, minor))
    if resource.get("httpHeaders") and scheme_of(source) not in _HTTP:
        reason = "cannot use HTTP headers with this source scheme" if is_url(source) else "unable to parse url"
        yield Problem(f"{path}.httpHeaders", reason)


def _verification_problems(verification: Struct, path: str, minor: int) -> Problems:
    if "hash" not in verification:
        return
    function, dash, digits = text(verification, "hash").partition("-")
    since, length = _HASH_DIGITS.get(function, (minor + 1, 0))
    if not dash:
        yield Problem(f"{path}.hash", "malformed hash specifier")
    elif since > minor:
        yield Problem(f"{path}.hash", "unrecognized hash function")
    elif len(digits.encode()) != length:
        yield Problem(f"{path}.hash", "incorrect size for hash sum")


def _tang_problems(tang: Struct, path: str, _minor: int) -> Problems:
    from lambda_matchbox.golang.json import JsonError, decode

    if scheme_of(text(tang, "url")) not in _HTTP:
        yield Problem(f"{path}.url", "invalid url scheme")
    if not text(tang, "thumbprint"):
        yield Problem(f"{path}.thumbprint", "thumbprint is required")
    if text(tang, "advertisement"):
        try:
            decode(text(tang, "advertisement").encode())
        except JsonError:
            yield Problem(f"{path}.advertisement", "advertisement is not valid JSON")


def _unit_problems(unit: Struct, path: str, _minor: int) -> Problems:
    if not text(unit, "name").endswith(_UNIT_SUFFIXES):
        yield Problem(f"{path}.name", "invalid systemd unit extension")
    yield from _contents_problems(unit, path)
    contents = text(unit, "contents")
    if unit.get("enabled") and contents and not _installable(contents):
        reason = f"unit {quoted(text(unit, 'name'))} is enabled, but has no install section so enable does nothing"
        yield Problem(f"{path}.contents", reason, is_warning=True)


def _installable(contents: str) -> bool:
    try:
        return "Install" in sections_of(contents)
    except UnitError:
        return True


def _dropin_problems(dropin: Struct, path: str, _minor: int) -> Problems:
    yield from _contents_problems(dropin, path)
    if not text(dropin, "name").endswith(".conf"):
        yield Problem(f"{path}.name", "invalid systemd drop-in extension")


def _contents_problems(unit: Struct, path: str) -> Problems:
    try:
        sections_of(text(unit, "contents"))
    except UnitError as error:
        yield Problem(f"{path}.contents", f"invalid unit content: {error}")


_RULES: dict[str, Callable[[Struct, str, int], Problems]] = {
    "ClevisCustom": clevis_custom_problems,
    "Config": config_problems,
    "Directory": node_problems,
    "Disk": disk_problems,
    "Dropin": _dropin_problems,
    "File": file_problems,
    "Filesystem": filesystem_problems,
    "HTTPHeader": _header_problems,
    "IgnitionConfig": _ignition_config_problems,
    "Link": node_problems,
    "Luks": luks_problems,
    "NodeOwner": owner_problems,
    "Partition": partition_problems,
    "Proxy": _proxy_problems,
    "Raid": raid_problems,
    "Reference": _reference_problems,
    "Resource": _resource_problems,
    "Storage": storage_problems,
    "TLS": _tls_problems,
    "Tang": _tang_problems,
    "Unit": _unit_problems,
    "Verification": _verification_problems,
}
