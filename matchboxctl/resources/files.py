"""Groups, profiles and templates in files that `create` reads."""

import json
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

from lambda_matchbox.documents.unknown_keys import unknown_keys
from lambda_matchbox.errors import DocumentError
from lambda_matchbox.golang.json import without_surrogates
from matchboxctl.cli.errors import FailedError, UsageError
from matchboxctl.cli.tables import shown
from matchboxctl.directory.drafts import is_draft
from matchboxctl.directory.files import files_below
from matchboxctl.documents.names import id_error
from matchboxctl.resources.yaml_files import YamlFileError, json_of_yaml

_Document = TypeVar("_Document")


_SUFFIXES = (".json", ".yaml", ".yml")
_SEPARATOR = re.compile(rb"^---(?:\s|$)", re.MULTILINE)


class NamedFile(NamedTuple):
    """A file, or a document in it: a template's name after it, its bytes, and its name in messages."""

    name: str
    body: bytes
    shown: str


class Parsed(NamedTuple, Generic[_Document]):
    """A document, its id, and notes on keys that are unknown."""

    id: str
    document: _Document
    notes: Sequence[str]


def read_templates(path: str, name: str | None) -> list[NamedFile]:
    """The file, or all files below the directory; `name` overrides the file's own. Raises FailedError, UsageError."""
    if not Path(path).is_dir():
        return [_read(path, name)]
    if name is not None:
        raise UsageError(f"{shown(path)} is a directory: --name is for a single file")
    unreadable: list[str] = []
    files = sorted(files_below(Path(path), unreadable.append))
    if unreadable or not files:
        raise FailedError("; ".join(map(shown, unreadable)) or f"{shown(path)}: no file in this directory")
    return [_read(str(file), below) for below, file in files]


def read_documents(path: str) -> list[NamedFile]:
    """The documents in the file, or in all files of JSON or YAML right in the directory. Raises FailedError."""
    if not Path(path).is_dir():
        return list(_documents(_read(path, None)))
    try:
        names = sorted(each.name for each in Path(path).iterdir() if not is_draft(each.name))
    except OSError as error:
        raise FailedError(f"{shown(path)}: cannot be read: {error.strerror}") from error
    files = [str(Path(path, name)) for name in names if name.endswith(_SUFFIXES)]
    if not files:
        raise FailedError(f"{shown(path)}: no {', '.join(_SUFFIXES[:-1])} or {_SUFFIXES[-1]} file in this directory")
    return [document for file in files for document in _documents(_read(file, None))]


def _read(path: str, name: str | None) -> NamedFile:
    """The file, or standard input for `-`."""
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
    """The document in the JSON of `read_documents`, which contains its `id`. Raises FailedError."""
    try:
        document = parse("", file.body)
    except DocumentError as error:
        raise FailedError(f"{file.shown}: {shown(str(error))}") from error
    fields: dict[str, object] = json.loads(file.body.decode("utf-8", "replace"))
    document_id = next((value for key, value in reversed(fields.items()) if key.lower() == "id"), None)
    unknown = [f"line {key.line}: {key}" for key in unknown_keys(kind, file.body)]
    if not isinstance(document_id, str) or not document_id:
        raise FailedError("; ".join([f'{file.shown}: a {word} needs an "id"', *unknown]))
    if why := id_error(document_id):
        raise FailedError(f"{file.shown}: {why}")
    return Parsed(without_surrogates(document_id), document, unknown)


def _documents(file: NamedFile) -> Iterator[NamedFile]:
    """The JSON of each document, whose lines are those of the file. Raises FailedError."""
    body = file.body
    first = body.lstrip()[:1]
    try:
        if first not in (b"{", b"[") or _SEPARATOR.search(body):
            texts = json_of_yaml(body)
        else:
            texts = _elements(body) if first == b"[" else [body]
    except YamlFileError as error:
        raise FailedError(f"{file.shown}: {shown(str(error))}") from error
    if len(texts) == 1:
        yield file._replace(body=texts[0])
    else:
        for number, text in enumerate(texts, 1):
            yield file._replace(body=text, shown=f"{file.shown} (document {number})")


def _elements(body: bytes) -> list[bytes]:
    """The elements of a list; the body itself where it is not JSON, which its parser reports."""
    text = body.decode("utf-8", "surrogateescape")
    decoder = json.JSONDecoder()
    found: list[str] = []
    try:
        decoder.decode(text)
        position = _after_gap(text, text.index("[") + 1)
        while text[position] != "]":
            _, end = decoder.raw_decode(text, position)
            found.append("\n" * text.count("\n", 0, position) + text[position:end])
            position = _after_gap(text, end)
    except (ValueError, RecursionError):
        return [body]
    return [each.encode("utf-8", "surrogateescape") for each in found]


def _after_gap(text: str, position: int) -> int:
    while text[position] in " \t\r\n,":
        position += 1
    return position
