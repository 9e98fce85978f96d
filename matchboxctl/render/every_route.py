"""What machines with some labels get on each route, and why."""

from collections.abc import Mapping, Sequence
from typing import Any

from lambda_matchbox.errors import MatchboxError
from matchboxctl.cli.arguments import parse_labels
from matchboxctl.cli.errors import CommandError
from matchboxctl.machines.opened_stores import OpenedStores
from matchboxctl.render.command import ROUTES, RenderOptions, Source, report_of
from matchboxctl.render.report import document, why_not
from matchboxctl.render.secret_masks import Masks

_OTHERS = 10
_NONE: Mapping[str, Any] = {"error": "", "body": None, "why_not": ()}


def selected(opened: OpenedStores, labels: Sequence[str]) -> list[Mapping[str, Any]]:
    """The response of each route to machines with these labels, KEY=VALUE. Raises UsageError."""
    return responses(Source(opened.responses(), opened.advising), parse_labels(labels), _OTHERS)


def responses(source: Source, labels: Sequence[tuple[str, str]], others: int = 0) -> list[Mapping[str, Any]]:
    """The response of each route as a document, or an `error`; the first with lines on the nearest other groups."""
    return [_response(source, route, labels, 0 if at else others) for at, route in enumerate(ROUTES)]


def _response(source: Source, route: str, labels: Sequence[tuple[str, str]], others: int) -> Mapping[str, Any]:
    options = RenderOptions(route, [f"{key}={value}" for key, value in labels], others)
    try:
        report = report_of(source, route, labels, options)
    except (CommandError, MatchboxError) as error:
        masks = Masks([{key: value} for key, value in labels])
        return {**_NONE, "route": route, "error": masks.text(str(error))}
    return {**_NONE, **document(report), "why_not": why_not(report)}
