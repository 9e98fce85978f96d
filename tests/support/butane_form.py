"""Translated configs in Butane's own form, with which its recordings compare."""

from typing import cast

from lambda_matchbox.ignition.butane import translation
from lambda_matchbox.ignition.butane.report import ButaneError, Report
from lambda_matchbox.ignition.config.reader import Struct, struct, text
from lambda_matchbox.ignition.config.schema import NEWEST_MINOR, fields_of

_ALWAYS = "!"
_NOT_EMPTY = "0"


def translate(source: str | bytes) -> tuple[Struct, Report]:
    """The Ignition config for a Butane config, in Butane's form, and the warnings. Raises ButaneError."""
    raw = source.encode("utf-8", "replace") if isinstance(source, str) else source
    config, report = translation.translate(raw)
    minor = int(text(struct(config, "ignition"), "version").split(".")[1])
    return _sparse("Config", config, min(minor, NEWEST_MINOR)), report


def outcome(source: str) -> tuple[Struct | None, str, int]:
    """Butane's output for a config: the Ignition config, the report, the exit status."""
    try:
        ignition, report = translate(source)
    except ButaneError as error:
        return None, "".join(f"{line}\n" for line in (*error.report, f"Error translating config: {error.reason}")), 1
    return ignition, "".join(f"{entry}\n" for entry in report), 0


def _sparse(struct_name: str, value: Struct, minor: int) -> Struct:
    """`value`, a struct of Ignition 3.`minor` in Ignition's order, without empty structs and lists."""
    result: Struct = {}
    for name, kind in fields_of(struct_name, minor).items():
        member = value.get(name)
        if kind.startswith("["):
            if member:
                result[name] = [_element(kind[1:-1], one, minor) for one in cast(list[object], member)]
        elif isinstance(member, dict):
            inner = _sparse(kind, member, minor)
            if inner:
                result[name] = inner
        elif member is not None and (member or not kind.endswith(_NOT_EMPTY)):
            result[name] = member
    return result


def _element(kind: str, value: object, minor: int) -> object:
    if not isinstance(value, dict):
        return value
    needed = {name: "" for name, wanted in fields_of(kind, minor).items() if wanted.endswith(_ALWAYS)}
    return _sparse(kind, {**needed, **value}, minor)
