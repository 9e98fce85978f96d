"""`matchboxctl render`: what a machine is answered by a route, and why."""

import os
import secrets
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from aws_stores.group_items import group_in
from boot_api.alb import BODY_LIMIT, FRONT_HEADER, Answer, Request, request_of
from boot_api.failures import answer_of
from boot_api.handler import stores_of
from boot_api.routes import Account, Routes, Stores
from matchbox.assets import Delivery
from matchbox.documents import parse_group
from matchbox.errors import MatchboxError
from matchbox.groups import Group
from matchbox.json_documents import DocumentError
from matchbox.labels import labels_of
from matchbox.stores import Selection
from matchboxctl.answer_relay import AnswerRelay
from matchboxctl.asset_files import AssetDirectory, SignedAddresses
from matchboxctl.data_directory import files_below
from matchboxctl.directory import DirectoryCatalog
from matchboxctl.other_groups import OtherGroups, other_groups
from matchboxctl.release_directory import ReleaseDirectory
from matchboxctl.rendered_report import Report, as_text, json_of
from matchboxctl.request_line import parameters
from matchboxctl.secret_masks import Masks
from matchboxctl.store_mode import StoreSettings
from matchboxctl.usage import FailedError, UsageError

_KINDS = {"ignition": "ignition_id", "cloud": "cloud_id", "generic": "generic_id"}
_ROUTES = ("ipxe", "grub", *_KINDS, "metadata")
_WITH_DATA = (*_KINDS, "metadata")
_JSON = ".json"
_ADDRESS_LIFETIME = 3600


class Wanted(NamedTuple):
    """What is asked for: the route, labels as KEY=VALUE, and how many other groups are to be shown."""

    route: str
    labels: Sequence[str]
    others: int
    show_secrets: bool


class _Truth(NamedTuple):
    """Where the answer comes from: the stores, all groups, and how it is closed."""

    stores: Stores
    groups: Callable[[], Iterator[Group]]
    close: Callable[[], None]


def render(truth: Path | StoreSettings, wanted: Wanted, *, as_json: bool) -> None:
    """Print what the route answers to a machine with these labels, and why.

    Raises UsageError, and FailedError where the answer is an error.
    """
    route = wanted.route.strip("/")
    if route not in _ROUTES:
        raise UsageError(f"no route {wanted.route!r}: it is one of {', '.join(_ROUTES)}")
    request = _request(route, wanted.labels)
    opened = _directory(truth) if isinstance(truth, Path) else _tables(truth)
    with closing(opened):
        report = _report(opened, route, request, wanted)
    print(json_of(report) if as_json else as_text(report))
    if report.answer.status != 200:
        raise FailedError(f"{report.answer.status}: {report.reason}")


def _request(route: str, labels: Sequence[str]) -> Request:
    """The request as it reaches the routes from a balancer. Raises UsageError for what is no label."""
    pairs = []
    for label in labels:
        key, equals, value = label.partition("=")
        if not key or not equals:
            raise UsageError(f"--label {label!r} is no KEY=VALUE, such as mac=52:54:00:12:34:56")
        pairs.append(f"{_quoted(key)}={_quoted(value)}")
    query = parameters("&".join(pairs))
    return request_of({"httpMethod": "GET", "path": f"/{route}", "multiValueQueryStringParameters": query})


def _quoted(text: str) -> str:
    return quote(text, safe=":", errors="surrogateescape")


def _report(truth: _Truth, route: str, request: Request, wanted: Wanted) -> Report:
    relay = AnswerRelay()
    routes = Routes(truth.stores._replace(answers=relay), Delivery(BODY_LIMIT, boundary=secrets.token_hex(30)))
    labels = labels_of(request.raw_query)
    selection, data = _selected(routes, request)
    group = None if selection is None else selection.group
    others = other_groups(truth.groups(), group, labels, wanted.others) if wanted.others else OtherGroups([], 0)
    account = Account()
    answer, reason = _answered(routes, request, account, relay)
    profile = None if selection is None else selection.profile
    template = getattr(profile, _KINDS[route]) if profile is not None and route in _KINDS else ""
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
        masks=None if wanted.show_secrets else Masks([seen, *(dict(one.lacks) for one in others.nearest)]),
    )


def _selected(routes: Routes, request: Request) -> tuple[Selection | None, dict[str, object]]:
    """What is selected, and the data that a template sees; nothing where the answer says what is wrong."""
    try:
        machine = routes.machine(request, Account())
    except MatchboxError:
        return None, {}
    return machine.selection, machine.data()


def _answered(routes: Routes, request: Request, account: Account, relay: AnswerRelay) -> tuple[Answer, str]:
    """The answer, whole even where the balancer could not carry it; and what is wrong, as the log has it."""
    try:
        answer = routes.answer(request, account)
    except MatchboxError as error:
        return answer_of(error), str(error)
    long = relay.take(answer.headers.get(FRONT_HEADER, ""))
    if long is None:
        return answer, ""
    headers = {name: value for name, value in answer.headers.items() if name != FRONT_HEADER}
    return Answer(answer.status, headers, long.body), ""


def _directory(data_path: Path) -> _Truth:
    if not data_path.is_dir():
        raise UsageError(f"{data_path} is no directory: name matchbox's data directory with --data-path")
    addresses = SignedAddresses(secrets.token_bytes(32), _ADDRESS_LIFETIME)
    releases = ReleaseDirectory(data_path / "releases", addresses)
    try:
        catalog = DirectoryCatalog(data_path, _tell, releases.pointers)
    except OSError as error:
        raise UsageError(f"{error.filename}: {error.strerror}") from error
    stores = Stores(catalog, AssetDirectory(data_path / "assets", addresses), releases, AnswerRelay())
    return _Truth(stores, lambda: _groups_in(data_path / "groups"), catalog.close)


def _groups_in(directory: Path) -> Iterator[Group]:
    """The groups of a data directory that parse; those that do not were named when the catalogue was read."""
    for path, file in files_below(directory, _tell):
        if path.endswith(_JSON) and "/" not in path:
            try:
                yield parse_group(path.removesuffix(_JSON), file.read_bytes())
            except (DocumentError, OSError):
                continue


def _tables(store: StoreSettings) -> _Truth:
    settings = store.boot_settings(os.environ)
    return _Truth(stores_of(settings, store.credentials), lambda: _groups_of(store), lambda: None)


def _groups_of(store: StoreSettings) -> Iterator[Group]:
    """All groups of the table, without the metadata that lie in the bucket."""
    from aws_stores.contents import scan
    from matchboxctl.aws_refusals import explained

    with explained(store):
        found = scan(store.dynamodb(), store.table)
    return (group_in(item, lambda _: b"{}") for item in found.groups.values())


def _tell(line: str) -> None:
    print(f"matchboxctl: {line}", file=sys.stderr)
