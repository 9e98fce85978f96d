"""`matchboxctl render`: the response of a route to a machine, and why it gets that one."""

import secrets
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, closing, nullcontext, suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from lambda_matchbox.assets.file_server import Delivery
from lambda_matchbox.catalog.labels import CLIENT_IP, read_query
from lambda_matchbox.errors import MatchboxError, NotFoundError
from lambda_matchbox.http import Request, Response
from lambda_matchbox.machines.gate import RequestKind
from lambda_matchbox.secrets.function import placeholders
from lambda_matchbox.web.alb import BODY_LIMIT
from lambda_matchbox.web.failures import error_response
from lambda_matchbox.web.gate import TWO_ADDRESSES
from lambda_matchbox.web.machine import Machine, select
from lambda_matchbox.web.routes import Routes, Stores
from matchboxctl.cli.arguments import parse_labels
from matchboxctl.cli.errors import FailedError, UsageError
from matchboxctl.cli.output import print_result
from matchboxctl.machines.facts import verdict_now
from matchboxctl.render.other_groups import OtherGroups, other_groups
from matchboxctl.render.report import Report, as_text, document
from matchboxctl.render.secret_masks import Masks
from matchboxctl.secrets.references import secrets_named_in
from matchboxctl.serve.directory_stores import directory_stores
from matchboxctl.store.mode import StoreSettings
from matchboxctl.validate.secrets import has_token

_KINDS = {"ignition": "ignition_id", "cloud": "cloud_id", "generic": "generic_id"}
ROUTES = ("ipxe", "grub", *_KINDS, "metadata")
_WITH_DATA = (*_KINDS, "metadata")


class RenderOptions(NamedTuple):
    """The route, the labels as KEY=VALUE, and how many other groups to show."""

    route: str
    labels: Sequence[str]
    others: int = 0
    show_secrets: bool = False


class Source(NamedTuple):
    """The stores, and a context that explains AWS errors."""

    stores: Stores
    advising: Callable[[], AbstractContextManager[None]]


class OpenedSource(NamedTuple):
    """What is rendered from, how to close it, and warnings."""

    source: Source
    close: Callable[[], None]
    warnings: Sequence[str] = ()


def render(source: Path | StoreSettings, options: RenderOptions, output: str) -> None:
    """Print the response of the route to a machine with these labels, and why it gets that one.

    Raises UsageError, and FailedError if the response is an error.
    """
    route = options.route.strip("/")
    if route not in ROUTES:
        raise UsageError(f"unknown route {options.route!r}: use one of {', '.join(ROUTES)}")
    labels = parse_labels(options.labels)
    # Until the selection says what else is a secret.
    masks = None if options.show_secrets else Masks([{key: value} for key, value in labels])
    opened = opened_source(source)
    try:
        with closing(opened):
            report = report_of(opened.source, route, labels, options)
        masks = report.masks
    except (FailedError, MatchboxError) as error:
        raise FailedError(_masked(masks, str(error))) from error
    finally:
        for line in opened.warnings:
            print(f"matchboxctl: {_masked(masks, line)}", file=sys.stderr)
    print_result(output, lambda: document(report), lambda: f"{as_text(report)}\n")
    if report.response.status != 200:
        raise FailedError(f"{report.response.status}: {report.masked(report.reason)}")


def _masked(masks: Masks | None, text: str) -> str:
    return text if masks is None else masks.text(text)


def request_for(route: str, labels: Sequence[tuple[str, str]]) -> Request:
    """A machine's request."""
    return Request("GET", f"/{route}", "&".join(f"{_quoted(key)}={_quoted(value)}" for key, value in labels), {})


def _quoted(text: str) -> str:
    return quote(text, safe=":", errors="surrogateescape")


class Chosen(NamedTuple):
    """What is the same on every route: labels, the machine, or why no group selects it, and the other groups."""

    labels: Mapping[str, str]
    machine: Machine | None
    error: NotFoundError | None
    others: OtherGroups


def chosen(source: Source, given: Sequence[tuple[str, str]], limit: int) -> Chosen:
    """The machine's group, and so many others. Raises FailedError or MatchboxError if it cannot be determined."""
    query = read_query(request_for("", given).raw_query)
    machine, why_none = None, None
    with source.advising():
        try:
            found = select(source.stores.catalog, query, query.labels.get(CLIENT_IP, ""))
            machine = _with_placeholders(found)
        except NotFoundError as error:
            why_none = error
        group = None if machine is None else machine.selection.group
        others = other_groups(source.stores.catalog, group, query.labels, limit) if limit else OtherGroups([], 0)
    return Chosen(query.labels, machine, why_none, others)


def report_of(
    source: Source, route: str, given: Sequence[tuple[str, str]], options: RenderOptions, of: Chosen | None = None
) -> Report:
    """The report, of what was chosen before or is now.

    Raises FailedError or MatchboxError if the machine's group cannot be determined.
    """
    labels, machine, error, others = of or chosen(source, given, options.others)
    routes = Routes(source.stores, Delivery(BODY_LIMIT, boundary=secrets.token_hex(30)))
    group = None if machine is None else machine.selection.group
    if machine is not None:
        response, reason = _response(routes, route, request_for(route, given), machine)
    else:
        response, reason = error_response(error or NotFoundError()), str(error)
    profile = None if machine is None else machine.selection.profile
    data = {} if machine is None else machine.data
    template = getattr(profile, _KINDS[route]) if profile is not None and route in _KINDS else ""
    # Of a key that is given twice one value counts, and both are masked.
    labelled = [{key: value} for key, value in given]
    seen = {"labels": labels, "data": data, "selector": dict(group.selector) if group else {}}
    return Report(
        route=route,
        labels=labels,
        ignored_labels=[label for label in options.labels if label.partition("=")[0] not in labels],
        group=group,
        others=others,
        profile=profile,
        template=f"{route}/{template}" if template else "",
        data=data if route in _WITH_DATA else None,
        response=response,
        reason=reason,
        verdict=None if machine is None else _verdict(route, machine),
        secrets=() if machine is None else _secrets(source.stores, route, machine),
        masks=None if options.show_secrets else Masks([seen, labelled, *(dict(one.lacks) for one in others.nearest)]),
    )


def _with_placeholders(machine: Machine) -> Machine:
    """The machine as after a check of its token, with a placeholder for each secret."""
    return machine._replace(secrets=placeholders) if has_token(machine.selection.group) else machine


def _secrets(stores: Stores, route: str, machine: Machine) -> Sequence[str]:
    """The secrets for which the template was given placeholders."""
    if route in _KINDS and has_token(machine.selection.group):
        with suppress(MatchboxError):
            return sorted(secrets_named_in(machine.template(route, stores.catalog)))
    return ()


def _verdict(route: str, machine: Machine) -> tuple[str, str] | None:
    """What the gate says of the request; None for a group without a boot policy."""
    if machine.selection.group.boot is None:
        return None
    if (named := machine.named) is None:
        return "refuse", TWO_ADDRESSES
    kind: RequestKind = "configuration" if route in _WITH_DATA else "script"
    address = machine.query.labels.get(CLIENT_IP, "")
    return verdict_now(machine.selection, named, address, int(time.time()), kind)


def _response(routes: Routes, route: str, request: Request, machine: Machine) -> tuple[Response, str]:
    """The response, whole even if the balancer could not carry it; and the reason of an error, as in the log."""
    try:
        response = routes.machine_routes[f"/{route}"](machine)
        delivered = routes.deliver(request, response)
    except MatchboxError as error:
        return error_response(error)._replace(report=error.report), str(error)
    return delivered._replace(report=response.report), ""


def opened_source(store: Path | StoreSettings) -> OpenedSource:
    """What is rendered from in either mode."""
    return _directory(store) if isinstance(store, Path) else _tables(store)


def _directory(data_path: Path) -> OpenedSource:
    warnings: list[str] = []
    opened = directory_stores(data_path, data_path / "assets", warnings.append)
    return OpenedSource(Source(opened.stores, nullcontext), opened.close, warnings)


def _tables(store: StoreSettings) -> OpenedSource:
    # Imported here: directory mode starts without clients of AWS.
    from lambda_matchbox.web import wiring
    from matchboxctl.store.advice import advising_on

    stores = wiring.stores(store.boot_settings(), store.credentials)._replace(responses=None)
    return OpenedSource(Source(stores, partial(advising_on, store)), lambda: None)
