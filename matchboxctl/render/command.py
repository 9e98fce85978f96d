"""`matchboxctl render`: what a machine is answered by a route, and why."""

import os
import secrets
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from functools import partial
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from boot_api.handler import stores_of
from lambda_matchbox.assets.file_server import Delivery
from lambda_matchbox.aws.catalog.items import group_in
from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.labels import labels_of
from lambda_matchbox.catalog.stores import Selection
from lambda_matchbox.documents.groups_and_profiles import parse_group
from lambda_matchbox.documents.json_text import DocumentError
from lambda_matchbox.errors import MatchboxError, NotFoundError
from lambda_matchbox.http import Request, Response
from lambda_matchbox.web.alb import ACCEL_REDIRECT, BODY_LIMIT, request_of
from lambda_matchbox.web.failures import answer_of
from lambda_matchbox.web.routes import Account, Routes, Stores
from matchboxctl.cli.arguments import parse_labels
from matchboxctl.cli.errors import FailedError, UsageError
from matchboxctl.directory.assets import AssetDirectory, SignedAddresses
from matchboxctl.directory.catalog import DirectoryCatalog
from matchboxctl.directory.files import files_below
from matchboxctl.directory.releases import DirectoryReleases
from matchboxctl.render.one_selection import OneSelection
from matchboxctl.render.other_groups import OtherGroups, other_groups
from matchboxctl.render.report import Report, as_text, json_of
from matchboxctl.render.secret_masks import Masks
from matchboxctl.serve.request_line import parameters
from matchboxctl.serve.response_relay import ResponseRelay
from matchboxctl.store.mode import StoreSettings

_KINDS = {"ignition": "ignition_id", "cloud": "cloud_id", "generic": "generic_id"}
_ROUTES = ("ipxe", "grub", *_KINDS, "metadata")
_WITH_DATA = (*_KINDS, "metadata")
_JSON = ".json"
_ADDRESS_LIFETIME = 3600


class SelectorValue(NamedTuple):
    """What is asked for: the route, labels as KEY=VALUE, and how many other groups are to be shown."""

    route: str
    labels: Sequence[str]
    others: int
    show_secrets: bool


class _Truth(NamedTuple):
    """Where the answer comes from: the stores, all groups, what says why these fail, and how it is closed.

    `told` are lines for standard error.
    """

    stores: Stores
    groups: Callable[[], Iterator[Group]]
    explained: Callable[[], AbstractContextManager[None]]
    close: Callable[[], None]
    told: Sequence[str] = ()


def render(truth: Path | StoreSettings, wanted: SelectorValue, *, as_json: bool) -> None:
    """Print what the route answers to a machine with these labels, and why.

    Raises UsageError, and FailedError where the answer is an error.
    """
    route = wanted.route.strip("/")
    if route not in _ROUTES:
        raise UsageError(f"no route {wanted.route!r}: it is one of {', '.join(_ROUTES)}")
    given = parse_labels(wanted.labels)
    # Until it is known what else is a secret.
    masks = None if wanted.show_secrets else Masks([{key: value} for key, value in given])
    opened = _directory(truth) if isinstance(truth, Path) else _tables(truth)
    try:
        with closing(opened):
            report = _report(opened, route, given, wanted)
        masks = report.masks
    except (FailedError, MatchboxError) as error:
        raise FailedError(_masked(masks, str(error))) from error
    finally:
        for line in opened.told:
            print(f"matchboxctl: {_masked(masks, line)}", file=sys.stderr)
    print(json_of(report) if as_json else as_text(report))
    if report.answer.status != 200:
        raise FailedError(f"{report.answer.status}: {report.shown(report.reason)}")


def _masked(masks: Masks | None, text: str) -> str:
    return text if masks is None else masks.text(text)


def _request(route: str, labels: Sequence[tuple[str, str]]) -> Request:
    """The request as it reaches the routes from a balancer."""
    query = parameters("&".join(f"{_quoted(key)}={_quoted(value)}" for key, value in labels))
    return request_of({"httpMethod": "GET", "path": f"/{route}", "multiValueQueryStringParameters": query})


def _quoted(text: str) -> str:
    return quote(text, safe=":", errors="surrogateescape")


def _report(truth: _Truth, route: str, given: Sequence[tuple[str, str]], wanted: SelectorValue) -> Report:
    """What there is to tell. Raises FailedError or MatchboxError where it is not known which group is the machine's."""
    request = _request(route, given)
    relay = ResponseRelay()
    stores = truth.stores._replace(answers=relay, catalog=OneSelection(truth.stores.catalog))
    routes = Routes(stores, Delivery(BODY_LIMIT, boundary=secrets.token_hex(30)))
    labels = labels_of(request.raw_query)
    with truth.explained():
        selection, data = _selected(routes, request)
    group = None if selection is None else selection.group
    others = other_groups(truth.groups(), group, labels, wanted.others) if wanted.others else OtherGroups([], 0)
    account = Account()
    answer, reason = _answered(routes, request, account, relay)
    profile = None if selection is None else selection.profile
    template = getattr(profile, _KINDS[route]) if profile is not None and route in _KINDS else ""
    # A key may be given twice, and count once.
    labelled = [{key: value} for key, value in given]
    seen = {"labels": labels, "data": data, "selector": dict(group.selector) if group else {}}
    return Report(
        route=route,
        labels=labels,
        left_out=[label for label in wanted.labels if label.partition("=")[0] not in labels],
        group=group,
        others=others,
        profile=profile,
        template=f"{route}/{template}" if template else "",
        data=data if route in _WITH_DATA else None,
        answer=answer,
        reason=reason,
        butane=account.report,
        masks=None if wanted.show_secrets else Masks([seen, labelled, *(dict(one.lacks) for one in others.nearest)]),
    )


def _selected(routes: Routes, request: Request) -> tuple[Selection | None, dict[str, object]]:
    """What is selected, and the data that a template sees; nothing where no group matches."""
    try:
        machine = routes.machine(request, Account())
    except NotFoundError:
        return None, {}
    return machine.selection, machine.data()


def _answered(routes: Routes, request: Request, account: Account, relay: ResponseRelay) -> tuple[Response, str]:
    """The answer, whole even where the balancer could not carry it; and what is wrong, as the log has it."""
    try:
        answer = routes.answer(request, account)
    except MatchboxError as error:
        return answer_of(error), str(error)
    long = relay.take(answer.headers.get(ACCEL_REDIRECT, ""))
    if long is None:
        return answer, ""
    headers = {name: value for name, value in answer.headers.items() if name != ACCEL_REDIRECT}
    return Response(answer.status, headers, long.body), ""


def _directory(data_path: Path) -> _Truth:
    if not data_path.is_dir():
        raise UsageError(f"{data_path} is no directory: name matchbox's data directory with --data-path")
    addresses = SignedAddresses(secrets.token_bytes(32), _ADDRESS_LIFETIME)
    releases = DirectoryReleases(data_path / "releases", addresses)
    told: list[str] = []
    try:
        catalog = DirectoryCatalog(data_path, told.append, releases.pointers)
    except OSError as error:
        raise UsageError(f"{error.filename}: {error.strerror}") from error
    stores = Stores(catalog, AssetDirectory(data_path / "assets", addresses), releases, ResponseRelay())
    return _Truth(stores, lambda: _groups_in(data_path / "groups", told.append), nullcontext, catalog.close, told)


def _groups_in(directory: Path, tell: Callable[[str], None]) -> Iterator[Group]:
    """The groups of a data directory that parse; those that do not were named when the catalogue was read."""
    for path, file in files_below(directory, tell):
        if path.endswith(_JSON) and "/" not in path:
            try:
                yield parse_group(path.removesuffix(_JSON), file.read_bytes())
            except (DocumentError, OSError):
                continue


def _tables(store: StoreSettings) -> _Truth:
    from matchboxctl.store.advice import advising_on

    stores = stores_of(store.boot_settings(os.environ), store.credentials)
    return _Truth(stores, lambda: _groups_of(store), partial(advising_on, store), lambda: None)


def _groups_of(store: StoreSettings) -> Iterator[Group]:
    """All groups of the table, without the metadata that lie in the bucket."""
    from lambda_matchbox.aws.catalog.table_contents import scan_table
    from matchboxctl.store.advice import advising_on

    with advising_on(store):
        found = scan_table(store.clients())
    return (group_in(item, lambda _: b"{}") for item in found.groups.values())
