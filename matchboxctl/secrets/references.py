"""The templates that name secrets."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from lambda_matchbox.answers.ignition import is_ignition_config
from lambda_matchbox.catalog.templates import TEMPLATE_KINDS, Template
from lambda_matchbox.errors import DocumentError, MatchboxError
from lambda_matchbox.gotemplate.engine import TemplateError, check_syntax
from lambda_matchbox.secrets.references import FUNCTION, InvalidNameError, check_name, references_in
from matchboxctl.documents.directory_documents import DirectoryDocuments
from matchboxctl.store.mode import StoreSettings

Warn = Callable[[str], None]


def users_of_secrets(store: StoreSettings | Path, warn: Warn) -> Mapping[str, list[str]]:
    """The templates that name each secret, such as `ignition/worker.yaml`.

    `warn` gets a line for each that cannot be read, or whose names are not known. Raises the errors of the store.
    """
    templates = _in_directory(store, warn) if isinstance(store, Path) else _in_table(store, warn)
    return users_in(_known(templates, warn))


def _known(templates: Iterable[Template], warn: Warn) -> Iterator[Template]:
    for template in templates:
        if FUNCTION.encode() in template.body and not _is_as_it_is(template):
            try:
                check_syntax(template.body, name=template.id, functions=(FUNCTION,))
            except TemplateError as error:
                warn(f"{template.kind}: {error}: whether it names secrets is not known")
                continue
        yield template


def users_in(templates: Iterable[Template]) -> Mapping[str, list[str]]:
    """The templates that name each secret, by its name."""
    found: dict[str, list[str]] = {}
    for template in templates:
        for name in secrets_named_in(template):
            found.setdefault(name, []).append(f"{template.kind}/{template.id}")
    return {name: sorted(found[name]) for name in sorted(found)}


def secrets_named_in(template: Template) -> frozenset[str]:
    """The names of the secrets that a template uses, without those that cannot be names: they are its errors."""
    if _is_as_it_is(template):
        return frozenset()
    return frozenset(reference.name for reference in references_in(template.body) if is_name(reference.name))


def _is_as_it_is(template: Template) -> bool:
    return template.kind == "ignition" and is_ignition_config(template.id)


def is_name(text: str) -> bool:
    """Whether a secret can have this name."""
    try:
        check_name(text)
    except InvalidNameError:
        return False
    return True


def _in_directory(data_path: Path, warn: Warn) -> Iterator[Template]:
    documents = DirectoryDocuments(data_path)
    for kind in TEMPLATE_KINDS:
        for name in documents.names(kind):
            try:
                body = documents.template(kind, name)
            except MatchboxError as error:
                warn(str(error))
                continue
            if body is not None:
                yield Template(kind, name, body)


def _in_table(store: StoreSettings, warn: Warn) -> Iterator[Template]:
    from lambda_matchbox.aws.catalog.items import template_in
    from lambda_matchbox.aws.catalog.table_contents import scan_table
    from matchboxctl.store.advice import advising_on

    with advising_on(store):
        clients = store.clients()
        for (kind, name), item in scan_table(clients).templates.items():
            try:
                body = template_in(item, lambda reference: clients.body(reference.key))
            except (LookupError, TypeError, DocumentError):
                warn(f"{kind}/{name}: its item cannot be read: see `matchboxctl fsck`")
                continue
            yield Template(kind, name, body)
