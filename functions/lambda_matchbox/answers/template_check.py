"""A check for templates that fail whatever machine requests them.

A template is rendered and checked as by its route, with its group's metadata and selector (the first of a list).
Further labels are the machine's own: a template that reads one is tried with several made-up values, and fails only if
it fails with all of them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple
from urllib.parse import urlencode

from lambda_matchbox.answers import cloud, generic, ignition
from lambda_matchbox.answers.errors import RenderError, translated_errors
from lambda_matchbox.answers.template_data import data_of
from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import Profile
from lambda_matchbox.catalog.selection import selectors_of
from lambda_matchbox.catalog.stores import Selection
from lambda_matchbox.catalog.templates import TEMPLATE_KINDS, Template
from lambda_matchbox.errors import MatchboxError
from lambda_matchbox.gotemplate import engine
from lambda_matchbox.http import Response

# The last two have parts, for functions that take a label apart.
_MADE_UP = ("x", "0", "/x", "1.2.3-x-y", "52:54:00:12:34:56")
_MAX_LABELS = 20
# Groups of one template differ in little, and each takes milliseconds.
_MAX_GROUPS = 200
# A group is rendered once, or for each label that the template asks for and each made-up value. Some templates take
# seconds.
_MAX_RENDERINGS = 1000
_ABSENT = "there is no value for "


class TemplateFailure(NamedTuple):
    """The error that machines of these groups would get; `made_up` are the labels that it was tried with."""

    groups: list[str]
    reason: str
    made_up: tuple[str, ...]

    def __str__(self) -> str:
        tried = f" (tried with made-up labels: {', '.join(self.made_up)})" if self.made_up else ""
        return f"{self.reason}{tried}"


def failures(
    groups: Iterable[Group], profiles: Iterable[Profile], templates: Iterable[Template]
) -> list[TemplateFailure]:
    """The failures, each once with all its groups. An absent profile or template is not a failure."""
    by_id = {profile.id: profile for profile in profiles}
    bodies = {(template.kind, template.id): template.body for template in templates}
    tried: dict[tuple[str, str], _Trial] = {}
    found: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for group in groups:
        for kind in TEMPLATE_KINDS:
            key = (kind, getattr(by_id.get(group.profile), f"{kind}_id", ""))
            if key not in bodies:
                continue
            trial = tried.setdefault(key, _Trial(Template(*key, bodies[key])))
            if trial.groups >= _MAX_GROUPS or trial.renderings >= _MAX_RENDERINGS:
                continue
            for failure in trial.failure(Selection(group, by_id.get(group.profile))):
                found.setdefault(failure, []).append(group.id)
    return [TemplateFailure(ids, reason, made_up) for (reason, made_up), ids in found.items()]


def check_syntax(template: Template) -> None:
    """Raises RenderError or InvalidConfigError for a template that fails whatever the data."""
    if template.kind == "ignition" and ignition.is_ignition_config(template.id):
        ignition.respond(template, {})
        return
    with translated_errors():
        engine.check_syntax(template.body, name=template.id)


class _Trial:
    """One template, and how often it was tried so far."""

    def __init__(self, template: Template) -> None:
        self._template = template
        self.groups = 0
        self.renderings = 0

    def failure(self, selection: Selection) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Why it fails for a group with every value of the made-up labels, and these labels."""
        self.groups += 1
        reason, made_up = self._tried(selection, _MADE_UP[0])
        if reason and all(self._tried(selection, value)[0] for value in _MADE_UP[1:] if made_up):
            yield reason, made_up

    def _tried(self, selection: Selection, value: str) -> tuple[str, tuple[str, ...]]:
        """Why the template fails, empty if it does not, and the labels that were set to `value`."""
        labels = dict(selectors_of(selection.group.selector)[0].pairs)
        made_up: list[str] = []
        reason = ""
        while len(made_up) < _MAX_LABELS:
            self.renderings += 1
            try:
                _RESPOND[self._template.kind](self._template, data_of(selection, labels, urlencode(labels)))
            except RenderError as error:
                label = error.reason.removeprefix(_ABSENT)
                if str(error) == reason:
                    # The label did not help: it is not what the template asks for.
                    return reason, tuple(made_up[:-1])
                reason = str(error)
                if label == error.reason or label in labels:
                    return reason, tuple(made_up)
                labels[label] = value
                made_up.append(label)
            except MatchboxError as error:
                return str(error), tuple(made_up)
            else:
                return "", tuple(made_up)
        return "", tuple(made_up)


_RESPOND: dict[str, Callable[[Template, Mapping[str, object]], Response]] = {
    "ignition": ignition.respond,
    "cloud": cloud.respond,
    "generic": generic.respond,
}
