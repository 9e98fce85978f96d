"""`matchboxctl group|profile|ignition|generic|cloud`: list, describe, get, create, delete."""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, TypeVar

from lambda_matchbox.catalog.labels import InvalidMACError
from lambda_matchbox.catalog.templates import TEMPLATE_KINDS
from lambda_matchbox.errors import DocumentError, MatchboxError, StoreUnavailableError
from matchboxctl.cli.arguments import DATA_PATH
from matchboxctl.cli.errors import FailedError, MissingError, UsageError
from matchboxctl.cli.warnings import Warnings
from matchboxctl.documents.directory_documents import DirectoryDocuments
from matchboxctl.documents.protocol import Documents
from matchboxctl.resources.files import read_file
from matchboxctl.resources.group import GroupResource
from matchboxctl.resources.output import OUTPUTS, json_for_terminal
from matchboxctl.resources.profile import ProfileResource
from matchboxctl.resources.resource import Draft, Resource
from matchboxctl.resources.tables import description, shown, table
from matchboxctl.resources.template import TemplateResource
from matchboxctl.store.mode import store_settings

RESOURCES: Sequence[Resource] = (GroupResource(), ProfileResource(), *map(TemplateResource, TEMPLATE_KINDS))
"""All of them."""

_RETRY_SECONDS = 10.0
"""An operator is waiting."""
_READ_TIMEOUT = 20.0
"""For one page of a list."""
_MOST_NAMED = 5

_Answer = TypeVar("_Answer")


class Place(NamedTuple):
    """The documents of one resource, wherever they are."""

    resource: Resource
    documents: Documents


def place_of(word: str, data_path: str | None) -> Place:
    """Where the documents are that flag and environment mean. Raises UsageError."""
    resource = next(resource for resource in RESOURCES if resource.word == word)
    store = store_settings(os.environ, data_path)
    if store is None:
        root = Path(data_path or DATA_PATH)
        if not root.is_dir():
            raise UsageError(f"{root} is no directory: name matchbox's data directory with --data-path")
        return Place(resource, DirectoryDocuments(root))
    # Imported where it is needed: directory mode does without boto3.
    from matchboxctl.documents.table_documents import TableDocuments

    # Without any, whoever asks later waits for them.
    store.credentials()
    return Place(resource, TableDocuments(store, _RETRY_SECONDS, read_timeout=_READ_TIMEOUT))


def list_all(place: Place, output: str | None) -> None:
    """Print all of them. Raises FailedError where some could not be read, which standard error names."""
    resource, warnings = place.resource, Warnings()

    def told(line: str) -> None:
        warnings.warn(shown(line))

    with _refused():
        if output is None:
            text = table(resource.columns, resource.rows(place.documents, told))
        else:
            text = OUTPUTS[output](resource.listed(place.documents, told))
    _print_text(text)
    if warnings.count:
        are = "is" if warnings.count == 1 else "are"
        raise FailedError(f"{warnings.count} could not be read and {are} not listed; see the warnings above")


def describe(place: Place, name: str, output: str | None) -> None:
    """Print one for a reader. Raises MissingError."""
    found = _found(place, name, place.resource.described)
    with _refused():
        text = description(found.facts) if output is None else OUTPUTS[output](found.document)
    _print_text(text)


def get(place: Place, name: str, output: str | None) -> None:
    """Print one as its file has it. Raises MissingError."""
    found = _found(place, name, place.resource.content)
    if output is not None:
        with _refused():
            text = OUTPUTS[output](found.document)
        _print_text(text)
    elif place.resource.kind in TEMPLATE_KINDS:
        _print(found.text)
    else:
        _print_text(json_for_terminal(found.text.decode()))


def create(place: Place, paths: Sequence[str], name: str | None) -> None:
    """Add what the files say, or replace what is there; nothing is written unless all files can be.

    Raises UsageError and FailedError.
    """
    if paths.count("-") > 1:
        raise UsageError("standard input (-f -) can be read only once")
    if name is not None and len(paths) > 1:
        raise UsageError("--name names one template, and there are several files")
    drafts: dict[str, Draft] = {}
    for path in paths:
        draft = place.resource.draft(read_file(path, name))
        if draft.name in drafts:
            raise FailedError(f"{place.resource.word} {shown(draft.name)} is in two of the files: nothing is written")
        drafts[draft.name] = draft
        _note(draft.notes)
    for draft in drafts.values():
        with _refused():
            there = place.documents.holds(place.resource.kind, draft.name)
            draft.put(place.documents)
        print(f"{place.resource.word} {shown(draft.name)} {'replaced' if there else 'created'}", flush=True)
    # Those that were written together may name each other.
    for draft in drafts.values():
        with _refused():
            _note([f"{place.resource.word} {draft.name}: {line}" for line in draft.failing(place.documents)])


def delete(place: Place, names: Sequence[str], *, yes: bool) -> None:
    """Take them out; unless `yes` is said, those that others name only after a question.

    Raises MissingError where some were not there (the others go), and FailedError where the answer was no.
    """
    resource = place.resource
    names = list(dict.fromkeys(names))
    for name in names:
        _check(resource, name)
    if not yes:
        with _refused():
            _ask(place, [name for name in names if place.documents.holds(resource.kind, name)])
    missing = []
    for name in names:
        with _refused():
            deleted = resource.delete(place.documents, name)
        if deleted:
            print(f"{resource.word} {shown(name)} deleted", flush=True)
        else:
            missing.append(name)
    if missing:
        raise MissingError(f"no {resource.word} {', '.join(map(repr, missing))}")


def _ask(place: Place, names: Sequence[str]) -> None:
    """Raises FailedError where somebody names them, and whoever is asked says no, or nobody can be asked."""
    told: list[str] = []
    users = place.resource.users(place.documents, names, told.append) if names else {}
    _note([f"{line}: whether it names what is to be deleted is unknown" for line in told])
    if not users:
        return
    for name, who in users.items():
        more = f" and {len(who) - _MOST_NAMED} others" if len(who) > _MOST_NAMED else ""
        who_names = shown(", ".join(who[:_MOST_NAMED]))
        print(f"{place.resource.word} {shown(name)} is named by {who_names}{more}", file=sys.stderr)
    if sys.stdin is None or not sys.stdin.isatty():
        raise FailedError("nothing is deleted: nobody can be asked here; --yes deletes nevertheless")
    print("delete nevertheless? [y/N] ", end="", file=sys.stderr, flush=True)
    # As bytes: a key of another encoding is no answer, and no error.
    if sys.stdin.buffer.readline().strip().lower() not in (b"y", b"yes"):
        raise FailedError("nothing is deleted")


def _found(place: Place, name: str, ask: Callable[[Documents, str], _Answer | None]) -> _Answer:
    """Raises MissingError where there is none, FailedError where it cannot be read."""
    _check(place.resource, name)
    with _refused():
        try:
            found = ask(place.documents, name)
        except (DocumentError, InvalidMACError) as error:
            raise FailedError(f"{place.resource.word} {shown(name)} cannot be read: {shown(str(error))}") from error
    if found is None:
        raise MissingError(f"no {place.resource.word} {name!r}")
    return found


def _check(resource: Resource, name: str) -> None:
    if why := resource.fault(name) or ("" if name else f"an empty text names no {resource.word}"):
        raise UsageError(why)


@contextmanager
def _refused() -> Iterator[None]:
    """Raise FailedError for what the place refuses in the body, or does not answer, and for what is too deep."""
    from lambda_matchbox.aws.catalog.object_cache import LostObjectError
    from lambda_matchbox.aws.clients.errors import AWSError

    try:
        yield
    except (AWSError, LostObjectError):
        raise
    except StoreUnavailableError as error:
        raise FailedError(f"{error}; run the same command again") from error
    except MatchboxError as error:
        raise FailedError(shown(str(error))) from error
    except RecursionError as error:
        # What can be read may be too much to write: YAML takes several calls for each level.
        raise FailedError("metadata are nested too deeply to be shown") from error


def _note(lines: Sequence[str]) -> None:
    for line in lines:
        print(f"note: {shown(line)}", file=sys.stderr)


def _print_text(text: str) -> None:
    # What an item of a table holds need not be UTF-8 in the end.
    _print(text.encode(errors="backslashreplace"))


def _print(text: bytes) -> None:
    sys.stdout.flush()
    left = memoryview(text)
    while left:
        # Under PYTHONUNBUFFERED it may take a part only.
        left = left[sys.stdout.buffer.write(left) :]
    sys.stdout.buffer.flush()
