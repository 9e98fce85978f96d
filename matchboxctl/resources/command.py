"""`matchboxctl group|profile|source|ignition|generic|cloud`: list, describe, get, create, delete."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple, TypeVar

from lambda_matchbox.aws.clients.errors import AWSError
from lambda_matchbox.catalog.templates import TEMPLATE_KINDS
from lambda_matchbox.errors import DocumentError, MatchboxError, StoreUnavailableError
from lambda_matchbox.golang.hardware_address import InvalidMACError
from lambda_matchbox.releases.sources import Source
from matchboxctl.cli.arguments import check_data_path
from matchboxctl.cli.confirmation import confirm_deletion
from matchboxctl.cli.errors import FailedError, MissingError, UsageError
from matchboxctl.cli.names import did_you_mean
from matchboxctl.cli.output import FORMATS, json_for_terminal, print_bytes, print_result, print_text
from matchboxctl.cli.tables import description, shown, table
from matchboxctl.cli.warnings import Warnings
from matchboxctl.documents.directory_documents import DirectoryDocuments
from matchboxctl.documents.protocol import Documents
from matchboxctl.resources.group import GroupResource
from matchboxctl.resources.profile import ProfileResource
from matchboxctl.resources.resource import Draft, Resource
from matchboxctl.resources.secret_notes import SecretNotes
from matchboxctl.resources.source import SourceResource
from matchboxctl.resources.template import TemplateResource
from matchboxctl.secrets.stored_names import Stored, stored_secrets
from matchboxctl.store.aws_errors import with_advice
from matchboxctl.store.mode import StoreSettings

_RESOURCES: Sequence[Resource] = (
    GroupResource(),
    ProfileResource(),
    SourceResource(),
    *map(TemplateResource, TEMPLATE_KINDS),
)

_RETRY_SECONDS = 10.0
"""An operator is waiting."""
_READ_TIMEOUT = 20.0
"""For one page of a list."""
_MAX_NAMED = 5

_Result = TypeVar("_Result")


class Target(NamedTuple):
    """A resource, the documents that the command works on, and how to read which secrets exist beside them."""

    resource: Resource
    documents: Documents
    secrets: Stored


def target_of(word: str, store: StoreSettings | Path) -> Target:
    """The documents of that kind in the store. Raises UsageError."""
    resource = next(resource for resource in _RESOURCES if resource.word == word)
    secrets = cache(partial(stored_secrets, store))
    if isinstance(store, Path):
        check_data_path(store)
        return Target(resource, DirectoryDocuments(store), secrets)
    # Imported here: directory mode works without boto3.
    from matchboxctl.documents.table_documents import TableDocuments

    # Fails at once without credentials, for which later calls would wait.
    store.credentials()
    return Target(resource, TableDocuments(store, _RETRY_SECONDS, read_timeout=_READ_TIMEOUT), secrets)


def list_all(target: Target, output: str) -> None:
    """Print all. Raises FailedError if some could not be read, after a warning for each."""
    resource, warnings = target.resource, Warnings()

    def warn(line: str) -> None:
        warnings.warn(shown(line))

    with _failures():
        print_result(
            output,
            lambda: resource.list_all(target.documents, warn),
            lambda: table(resource.columns, resource.rows(target.documents, warn)),
        )
    if warnings.count:
        raise FailedError(warnings.summary("listed"))


def describe(target: Target, name: str, output: str) -> None:
    """Print the details of one. Raises CommandError."""
    found = _found(target, name, target.resource.describe)
    with _failures():
        print_result(output, lambda: found.document, lambda: description(found.facts))


def get(target: Target, name: str, output: str) -> None:
    """Print the file of one, or its document. Raises CommandError."""
    found = _found(target, name, target.resource.get)
    if output != "file":
        with _failures():
            print_text(FORMATS[output](found.document))
    elif target.resource.kind in TEMPLATE_KINDS:
        print_bytes(found.file)
    else:
        print_text(json_for_terminal(found.file.decode()))


def create(target: Target, paths: Sequence[str], name: str | None) -> None:
    """Create or replace what the files hold; `name` is a template's. Nothing is written unless all of it is valid."""
    put(target, _drafts(target.resource, paths, name))


def put(target: Target, drafts: Sequence[Draft]) -> None:
    """Create or replace the documents, and name what machines would miss. Raises FailedError."""
    resource, documents = target.resource, target.documents
    with _failures():
        resource.check(documents, drafts)
        existing = {draft.name for draft in drafts if documents.holds(resource.kind, draft.name)}
    written = 0
    try:
        for draft in drafts:
            with _failures():
                draft.put(documents)
            written += 1
            done = "replaced" if draft.name in existing else "created"
            print(f"{resource.word} {shown(draft.name)} {done}", flush=True)
    finally:
        if written < len(drafts) and len(drafts) > 1:
            left = f"{written} of {len(drafts)} were written; the same command writes all of them"
            print(f"matchboxctl: {left}", file=sys.stderr)
    # Checked only now: resources created together may refer to each other.
    on_secrets = SecretNotes(documents, target.secrets)
    for draft in drafts:
        note(_problems(target, draft, on_secrets))


def create_one(target: Target, draft: Draft) -> Sequence[str]:
    """Create or replace the document; returns what machines would miss. Raises FailedError."""
    with _failures():
        target.resource.check(target.documents, [draft])
        draft.put(target.documents)
    return _problems(target, draft, SecretNotes(target.documents, target.secrets))


def _problems(target: Target, draft: Draft, on_secrets: SecretNotes) -> Sequence[str]:
    with _failures():
        problems = draft.problems(target.documents)
        if not isinstance(draft.document, Source):
            problems += on_secrets.of(draft.document)
    return [f"{target.resource.word} {draft.name}: {problem}" for problem in problems]


def _drafts(resource: Resource, paths: Sequence[str], name: str | None) -> list[Draft]:
    """The documents in the files, of which no two have one name. Raises FailedError, UsageError."""
    if paths.count("-") > 1:
        raise UsageError("standard input (-f -) can be read only once")
    if name is not None and len(paths) > 1:
        raise UsageError("--name is for a single file")
    drafts: dict[str, Draft] = {}
    for path in paths:
        files = resource.files(path, name)
        if not files:
            note([f"{path}: nothing in it"])
        for file in files:
            draft = resource.draft(file)
            if (other := drafts.setdefault(draft.name, draft)) is not draft:
                where = f"in {other.shown} and in {draft.shown}"
                raise FailedError(f"{resource.word} {shown(draft.name)} is {where}: nothing was written")
            note(draft.notes)
    return list(drafts.values())


def delete(target: Target, ids: Sequence[str], *, yes: bool) -> None:
    """Delete; asks first, without `yes`, if others refer to them.

    Raises MissingError if some did not exist (the rest is deleted), FailedError if the answer was no.
    """
    resource = target.resource
    names = list(dict.fromkeys(ids))
    for name in names:
        _check(resource, name)
    if not yes:
        with _failures():
            _confirm(target, [name for name in names if target.documents.holds(resource.kind, name)])
    missing = []
    for name in names:
        with _failures():
            deleted = resource.delete(target.documents, name)
        if deleted:
            print(f"{resource.word} {shown(name)} deleted", flush=True)
        else:
            missing.append(name)
    if missing:
        raise _absent(target, missing)


def _confirm(target: Target, names: Sequence[str]) -> None:
    """Raise FailedError if others refer to them and the operator does not confirm."""
    unreadable: list[str] = []
    users = target.resource.users(target.documents, names, unreadable.append) if names else {}
    note([f"{line}: it may refer to what is to be deleted" for line in unreadable])
    if not users:
        return
    for name, referrers in users.items():
        more = f" and {len(referrers) - _MAX_NAMED} more" if len(referrers) > _MAX_NAMED else ""
        print(
            f"{target.resource.word} {shown(name)} is used by {shown(', '.join(referrers[:_MAX_NAMED]))}{more}",
            file=sys.stderr,
        )
    confirm_deletion()


def _found(target: Target, name: str, read: Callable[[Documents, str], _Result | None]) -> _Result:
    """What `read` finds. Raises MissingError, FailedError."""
    _check(target.resource, name)
    with _failures():
        try:
            found = read(target.documents, name)
        except (DocumentError, InvalidMACError) as error:
            raise FailedError(f"{target.resource.word} {shown(name)} cannot be read: {shown(str(error))}") from error
    if found is None:
        raise _absent(target, [name])
    return found


def _absent(target: Target, names: Sequence[str]) -> MissingError:
    resource, documents, _ = target
    alike = did_you_mean(names[0], lambda: documents.names(resource.kind)) if len(names) == 1 else ""
    return MissingError(f"no {resource.word} {', '.join(map(repr, names))}{alike}")


def _check(resource: Resource, name: str) -> None:
    if error := resource.name_error(name) or ("" if name else f"a {resource.word} has no empty name"):
        raise UsageError(error)


@contextmanager
def _failures() -> Iterator[None]:
    """Raise FailedError for errors of the documents in the body, but those of AWS, which need advice."""
    try:
        yield
    except AWSError:
        raise
    except StoreUnavailableError as error:
        # Imported here: directory mode starts without clients of AWS.
        from lambda_matchbox.aws.catalog.object_cache import LostObjectError

        if isinstance(error, LostObjectError):
            raise
        raise FailedError(with_advice(error)) from error
    except MatchboxError as error:
        raise FailedError(shown(str(error))) from error
    except RecursionError as error:
        # Writing takes more stack than reading, in YAML several calls for each level.
        raise FailedError("metadata is nested too deeply to be shown") from error


def note(lines: Sequence[str]) -> None:
    """Print the lines to standard error."""
    for line in lines:
        print(f"note: {shown(line)}", file=sys.stderr)
