"""What machines with some labels get on each route, and why."""

from collections.abc import Mapping, Sequence
from typing import Any

from lambda_matchbox.errors import MatchboxError
from matchboxctl.cli.arguments import parse_labels
from matchboxctl.cli.errors import CommandError
from matchboxctl.machines.opened_stores import OpenedStores
from matchboxctl.render.command import ROUTES, Chosen, RenderOptions, Source, chosen, report_of
from matchboxctl.render.report import document, why_not
from matchboxctl.render.secret_masks import Masks

_OTHERS = 10
_NONE: Mapping[str, Any] = {"error": "", "body": None, "why_not": ()}


def selected(opened: OpenedStores, labels: Sequence[str]) -> list[Mapping[str, Any]]:
    """The response of each route to machines with these labels, KEY=VALUE. Raises UsageError."""
    return responses(Source(opened.responses(), opened.advising), parse_labels(labels), _OTHERS)


def responses(source: Source, labels: Sequence[tuple[str, str]], others: int = 0) -> list[Mapping[str, Any]]:
    """The response of each route as a document, or an `error`, with lines on the nearest other groups."""
    try:
        found = chosen(source, labels, others)
    except (CommandError, MatchboxError) as error:
        return [_error(route, labels, error) for route in ROUTES]
    return [_response(source, route, labels, found) for route in ROUTES]


def _response(source: Source, route: str, labels: Sequence[tuple[str, str]], found: Chosen) -> Mapping[str, Any]:
    options = RenderOptions(route, [f"{key}={value}" for key, value in labels])
    try:
        report = report_of(source, route, labels, options, found)
    except (CommandError, MatchboxError) as error:
        return _error(route, labels, error)
    return {**_NONE, **document(report), "why_not": why_not(report)}


def _error(route: str, labels: Sequence[tuple[str, str]], error: Exception) -> Mapping[str, Any]:
    masks = Masks([{key: value} for key, value in labels])
    return {**_NONE, "route": route, "error": masks.text(str(error))}
