"""The rules for an Ignition config inside a Butane config, to be merged or to replace it."""

import json
from collections.abc import Iterator

from lambda_matchbox.golang.json import JsonError, Members, decode
from lambda_matchbox.ignition.butane.dialects import Dialect
from lambda_matchbox.ignition.butane.report import Path, Position, ReportEntry
from lambda_matchbox.ignition.butane.structs import parts_of
from lambda_matchbox.ignition.config.reader import MismatchError, read_struct, struct, text
from lambda_matchbox.ignition.config.rules import problems
from lambda_matchbox.ignition.config.schema import fields_of

_GO_REASONS = {
    "Expecting value": "looking for beginning of value",
    "Expecting property name enclosed in double quotes": "looking for beginning of object key string",
    "Illegal trailing comma before end of object": "looking for beginning of object key string",
    "Expecting ':' delimiter": "after object key",
    "Expecting ',' delimiter": "after object key:value pair",
    "Extra data": "after top-level value",
    "Invalid control character at": "in string literal",
}


def inline_config_entries(config: str, path: Path, dialect: Dialect) -> Iterator[ReportEntry]:
    """The entries for `config`, the `inline` at `path`. Their paths are those of the Ignition config."""
    invalid = ReportEntry.error((*path, "inline"), "config is not valid")
    try:
        document = decode(config.encode())
    except JsonError as error:
        yield _syntax_error(config, error)
        yield invalid
        return
    try:
        read = read_struct("Config", document, dialect.minor)
    except MismatchError as error:
        yield ReportEntry.error(parts_of(error.path), error.reason)
        yield invalid
        return
    if text(struct(read, "ignition"), "version") != dialect.ignition_version:
        reason = "skipping validation for the merge/replace ignition config due to an unkown version"
        yield ReportEntry.warning((*path, "version"), reason)
        return
    for problem in problems(read, dialect.minor):
        yield ReportEntry(not problem.is_warning, parts_of(problem.path), problem.reason)
    for key in _unused("Config", document, (), dialect.minor):
        yield ReportEntry.warning(key, f"unused key {key[-1]}")


def _syntax_error(config: str, found: JsonError) -> ReportEntry:
    error = found.__cause__
    if not isinstance(error, json.JSONDecodeError):
        return ReportEntry.error(None, found.reason, Position(1, 1))
    position = Position(error.lineno, error.colno)
    if error.pos >= len(config) or error.msg.startswith("Unterminated"):
        return ReportEntry.error(None, "unexpected end of JSON input", position)
    where = _GO_REASONS.get(error.msg, "in JSON text")
    return ReportEntry.error(None, f"invalid character '{config[error.pos]}' {where}", position)


def _unused(kind: str, document: object, path: Path, minor: int) -> Iterator[Path]:
    fields = fields_of(kind, minor)
    if isinstance(document, list):
        for index, one in enumerate(document):
            yield from _unused(kind, one, (*path, index), minor)
    elif isinstance(document, Members) and fields:
        folded = {name.casefold(): name for name in fields}
        for key, _ in document:
            if key.casefold() not in folded:
                yield (*path, key)
        for key, member in document:
            name = folded.get(key.casefold())
            if name:
                yield from _unused(fields[name].strip("[]"), member, (*path, name), minor)
