"""Groups, profiles and templates: lists, and each with what names it and what the validation says."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from aiohttp import web

from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import Profile
from lambda_matchbox.catalog.templates import TEMPLATE_KINDS
from matchboxctl.cli.errors import MissingError
from matchboxctl.cli.tables import policy_lines
from matchboxctl.console.catalog import CATALOG, WORDS
from matchboxctl.console.checks import CHECKS, Checked
from matchboxctl.console.templates import page
from matchboxctl.documents.names import id_error, template_name_error
from matchboxctl.documents.protocol import Documents
from matchboxctl.render.masked_documents import masked_document, masked_text
from matchboxctl.resources.reading import Entry, Read, part_of, read, read_all
from matchboxctl.validate.findings import Finding, Severity
from matchboxctl.validate.overview import Key, Overview, Users
from matchboxctl.validate.report import summary

ROWS = 50
"""Of a page."""

_WAIT_SECONDS = 1.0
_MOST_LIVE = 100
_MOST_SHOWN = 256 * 1024
_KINDS = "groups|profiles|templates"


class Row(NamedTuple):
    """A document in a list: its fields with secrets masked, and why it cannot be read."""

    name: str
    size: int
    fields: Mapping[str, Any]
    problem: str


class Said(NamedTuple):
    """What the validation says of a document, and which documents name it."""

    findings: Sequence[Finding]
    users: Users

    @property
    def faults(self) -> int:
        """The number of faults."""
        return sum(finding.severity is Severity.FAULT for finding in self.findings)


def key_of(kind: str, name: str) -> Key:
    """The key of a document in a validation."""
    if kind != "templates":
        return kind, name
    template_kind, _, rest = name.partition("/")
    return template_kind, rest


def _said(found: Overview | None, kind: str, names: Sequence[str]) -> Mapping[str, Said | None]:
    if found is None:
        return dict.fromkeys(names)
    keys = {name: key_of(kind, name) for name in names}
    findings = found.findings(keys.values())
    return {name: Said(findings[key], found.users.get(key, Users())) for name, key in keys.items()}


def _name(request: web.Request, kind: str) -> str:
    """The name in the path. Raises MissingError for one that no document can have."""
    name = request.match_info["name"]
    template_kind, rest = key_of(kind, name)
    problem = id_error(name)
    if kind == "templates":
        problem = template_name_error(rest) if rest and template_kind in TEMPLATE_KINDS else "it is no KIND/NAME"
    if problem:
        raise MissingError(f"no {WORDS[kind]} {name!r}: {problem}")
    return name


async def documents(request: web.Request) -> web.Response:
    """A part of the list."""
    kind, catalog = request.match_info["kind"], request.app[CATALOG]
    prefix, after = request.query.get("q", "").strip(), request.query.get("after", "")
    part = part_of(await catalog.entries(kind), prefix, after, ROWS)
    found: Sequence[Read] = [Read(entry, None) for entry in part.entries]
    if kind != "templates":
        found = await catalog.read(partial(_read_all, kind, part.entries))
    rows = [_row(one) for one in found if kind == "templates" or one.document is not None or one.problem]
    return page(
        request,
        "documents.html",
        kind=kind,
        rows=rows,
        part=part,
        prefix=prefix,
        after=after,
        **_validation(kind, [row.name for row in rows], await _validated(request)),
    )


def _read_all(kind: str, some: Sequence[Entry], documents: Documents) -> list[Read]:
    return read_all(documents, kind, some)


def _row(found: Read) -> Row:
    fields: Mapping[str, Any] = {}
    if isinstance(found.document, Group | Profile):
        fields = masked_document(found.document)
    return Row(found.entry.name, found.entry.size, fields, found.problem)


async def document(request: web.Request) -> web.Response:
    """One document."""
    kind, catalog = request.match_info["kind"], request.app[CATALOG]
    name = _name(request, kind)
    found = await catalog.read(lambda documents: read(documents, kind, Entry(name)))
    if found.document is None and not found.problem:
        raise MissingError(f"no {WORDS[kind]} {name!r}")
    text = None if found.document is None else masked_text(found.document)
    policy = found.document.boot if isinstance(found.document, Group) else None
    return page(
        request,
        "document.html",
        kind=kind,
        name=name,
        row=_row(found),
        policy=[] if policy is None else policy_lines(policy.fields()),
        text=None if text is None else text[:_MOST_SHOWN],
        is_cut=text is not None and len(text) > _MOST_SHOWN,
        size=len(found.document) if isinstance(found.document, bytes) else 0,
        **_validation(kind, [name], await _validated(request)),
    )


async def live(request: web.Request) -> web.Response:
    """What the validation says of these documents, once it has ended."""
    kind = request.match_info["kind"]
    names = request.query.getall("name", []) or request.query.getall("key", [])
    checked = request.app[CHECKS].validation.last
    return page(request, "documents_live.html", kind=kind, **_validation(kind, names[:_MOST_LIVE], checked))


async def _validated(request: web.Request) -> Checked[Overview]:
    validation = request.app[CHECKS].validation
    await validation.fresh(_WAIT_SECONDS)
    return validation.last


def _validation(kind: str, names: Sequence[str], checked: Checked[Overview]) -> Mapping[str, Any]:
    return {
        "said": _said(checked.found, kind, names),
        "validated": None if checked.found is None else summary(checked.found.result),
        "checked": checked,
        "most": ROWS,
    }


ROUTES = (
    web.get(f"/{{kind:{_KINDS}}}", documents),
    web.get(f"/live/{{kind:{_KINDS}}}", live),
    web.get(f"/{{kind:{_KINDS}}}/{{name:.+}}", document),
)
