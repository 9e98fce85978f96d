"""Groups, profiles and templates in files that `create` reads."""

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

from lambda_matchbox.documents.unknown_keys import unknown_keys
from lambda_matchbox.errors import DocumentError
from lambda_matchbox.golang.json import without_surrogates
from matchboxctl.cli.errors import FailedError, UsageError
from matchboxctl.cli.tables import shown
from matchboxctl.documents.names import id_error
from matchboxctl.resources.yaml_files import YamlFileError, json_of_yaml

_Document = TypeVar("_Document")


class NamedFile(NamedTuple):
    """A file: a template's name after it, its bytes, and its name in messages."""

    name: str
    body: bytes
    shown: str


class Parsed(NamedTuple, Generic[_Document]):
    """A document, its id, and notes on keys that are unknown."""

    id: str
    document: _Document
    notes: Sequence[str]


def read_file(path: str, name: str | None) -> NamedFile:
    """The file, or standard input for `-`; `name` overrides the file's own. Raises FailedError, UsageError."""
    where = "standard input" if path == "-" else shown(path)
    # A process may be started without standard input.
    if path == "-" and sys.stdin is None:
        raise FailedError(f"{where} is closed")
    try:
        body = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    except OSError as error:
        raise FailedError(f"{where}: cannot be read: {error.strerror}") from error
    if name is None:
        name = "" if path == "-" else Path(path).name
    if name != without_surrogates(name):
        raise UsageError(f"{where}: the name {name!r} is not UTF-8")
    return NamedFile(name, body, where)


def parsed(
    file: NamedFile,
    word: str,
    kind: str,
    parse: Callable[[str, bytes], _Document],
) -> Parsed[_Document]:
    """The document in a file of JSON or YAML, which contains its `id`. Raises FailedError."""
    try:
        text = file.body if file.body.lstrip().startswith(b"{") else json_of_yaml(file.body)
        document = parse("", text)
    except (DocumentError, YamlFileError) as error:
        raise FailedError(f"{file.shown}: {shown(str(error))}") from error
    fields: dict[str, object] = json.loads(text.decode("utf-8", "replace"))
    document_id = next((value for key, value in reversed(fields.items()) if key.lower() == "id"), None)
    if not isinstance(document_id, str) or not document_id:
        raise FailedError(f'{file.shown}: a {word} needs an "id"')
    if why := id_error(document_id):
        raise FailedError(f"{file.shown}: {why}")
    notes = [f"{file.shown}: line {key.line}: {key}" for key in unknown_keys(kind, text)]
    return Parsed(without_surrogates(document_id), document, notes)
