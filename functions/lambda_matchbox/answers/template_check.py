"""A check for templates that fail whatever machine requests them.

A template is rendered and checked as by its route, with its group's metadata and selector (the first of a list).
Further labels are the machine's own: a template that reads one is tried with several made-up values, and fails only if
it fails with all of them. So is one that takes a secret apart; where its error depends on the secret's value, nothing
is known of it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple
from urllib.parse import urlencode

from lambda_matchbox.answers import cloud, generic, ignition
from lambda_matchbox.answers.errors import InvalidConfigError, RenderError, translated_errors
from lambda_matchbox.answers.template_data import data_of
from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import Profile
from lambda_matchbox.catalog.selection import selectors_of
from lambda_matchbox.catalog.stores import Selection
from lambda_matchbox.catalog.templates import Template
from lambda_matchbox.errors import MatchboxError
from lambda_matchbox.gotemplate import engine
from lambda_matchbox.http import Response
from lambda_matchbox.secrets.function import MadeFunction, made_up, placeholders
from lambda_matchbox.secrets.references import FUNCTION, InvalidNameError, check_name, references_in

# The last two have parts, for functions that take a label apart.
_MADE_UP = ("x", "0", "/x", "1.2.3-x-y", "52:54:00:12:34:56")
_MADE_UP_SECRETS = ("1.2.3", "{}", "[]")
_MAX_LABELS = 20
# Groups of one template whose data have the same shape differ in little, and each takes milliseconds.
_MAX_GROUPS = 200
_MAX_LEVELS = 20
# A group is rendered once, or for each label that the template asks for and each made-up value. Some templates take
# seconds.
_MAX_RENDERINGS = 1000
_ABSENT = "there is no value for "


class Trial(NamedTuple):
    """A template tried for a group: the response, or the reason for which its machines get an error.

    `made_up` are the labels that it was tried with.
    """

    template: Template
    group: str
    made_up: tuple[str, ...]
    reason: str = ""
    response: Response | None = None


class TemplateFailure(NamedTuple):
    """The error that machines of these groups would get; `made_up` are the labels that it was tried with."""

    template: Template
    groups: list[str]
    reason: str
    made_up: tuple[str, ...]

    def __str__(self) -> str:
        tried = f" (tried with made-up labels: {', '.join(self.made_up)})" if self.made_up else ""
        return f"{self.reason}{tried}"


def trials(groups: Iterable[Group], profiles: Iterable[Profile], templates: Iterable[Template]) -> Iterator[Trial]:
    """A trial of each template for each of its groups, or for some of them if they are many."""
    by_id = {profile.id: profile for profile in profiles}
    found = {template[:2]: _Candidate(template) for template in templates}
    for group in groups:
        profile = by_id.get(group.profile)
        for key in () if profile is None else profile.template_ids.items():
            if key in found and found[key].is_due(group):
                yield found[key].trial(Selection(group, profile))


def failures(tried: Iterable[Trial]) -> list[TemplateFailure]:
    """The failures, each once with all its groups."""
    found: dict[tuple[Template, str, tuple[str, ...]], list[str]] = {}
    for trial in tried:
        if trial.reason:
            found.setdefault((trial.template, trial.reason, trial.made_up), []).append(trial.group)
    return [TemplateFailure(template, ids, reason, made_up) for (template, reason, made_up), ids in found.items()]


def check_syntax(template: Template) -> None:
    """Raises RenderError or InvalidConfigError for a template that fails whatever the data."""
    if template.kind == "ignition" and ignition.is_ignition_config(template.id):
        ignition.respond(template, {})
        return
    with translated_errors():
        engine.check_syntax(template.body, name=template.id, functions=(FUNCTION,))
    try:
        for reference in sorted(references_in(template.body)):
            check_name(reference.name)
    except InvalidNameError as error:
        raise InvalidConfigError(template.id, str(error)) from None


class _Candidate:
    """A template to try, and how often it was tried so far."""

    def __init__(self, template: Template) -> None:
        self._template = template
        self._groups = 0
        self._renderings = 0
        self._shapes: set[object] = set()

    def is_due(self, group: Group) -> bool:
        """Whether to try it for the group: one of the first, or one whose data has other keys or types."""
        shape = (group.profile, frozenset(group.selector), _shape(group.metadata))
        is_new = shape not in self._shapes
        self._shapes.add(shape)
        return (is_new or self._groups < _MAX_GROUPS) and self._renderings < _MAX_RENDERINGS

    def trial(self, selection: Selection) -> Trial:
        """It fails if it does with every value of the made-up labels, and in the same way with every secret."""
        self._groups += 1
        first = self._tried_with_labels(selection, placeholders)
        if not first.reason or not references_in(self._template.body):
            return first
        others = [self._tried_with_labels(selection, made_up(value)) for value in _MADE_UP_SECRETS]
        if all(other.reason == first.reason for other in others):
            return first
        return next((trial for trial in others if not trial.reason), first._replace(reason=""))

    def _tried_with_labels(self, selection: Selection, secrets: MadeFunction) -> Trial:
        first = self._tried(selection, _MADE_UP[0], secrets)
        if first.reason and first.made_up:
            others = (self._tried(selection, value, secrets) for value in _MADE_UP[1:])
            return next((trial for trial in others if not trial.reason), first)
        return first

    def _tried(self, selection: Selection, value: str, secrets: MadeFunction) -> Trial:
        """A trial in which the labels that the template asks for have that value."""
        labels = dict(selectors_of(selection.group.selector)[0].pairs)
        trial = Trial(self._template, selection.group.id, ())
        while len(trial.made_up) < _MAX_LABELS:
            self._renderings += 1
            try:
                data = data_of(selection, labels, urlencode(labels))
                response = _RESPOND[self._template.kind](self._template, data, secrets)
            except RenderError as error:
                label = error.reason.removeprefix(_ABSENT)
                if str(error) == trial.reason:
                    # The label did not help: it is not what the template asks for.
                    return trial._replace(made_up=trial.made_up[:-1])
                trial = trial._replace(reason=str(error))
                if label == error.reason or label in labels:
                    return trial
                labels[label] = value
                trial = trial._replace(made_up=(*trial.made_up, label))
            except MatchboxError as error:
                return trial._replace(reason=str(error))
            else:
                return trial._replace(reason="", response=response)
        return trial._replace(reason="")


def _shape(value: object, levels: int = _MAX_LEVELS) -> object:
    """The keys of maps, and the types of values and whether they are empty: what templates distinguish most."""
    if isinstance(value, Mapping) and levels:
        return frozenset((key, _shape(one, levels - 1)) for key, one in value.items())
    if isinstance(value, list) and levels:
        return tuple(dict.fromkeys(_shape(one, levels - 1) for one in value))
    return type(value), bool(value)


_RESPOND: dict[str, Callable[[Template, Mapping[str, object], MadeFunction], Response]] = {
    "ignition": ignition.respond,
    "cloud": cloud.respond,
    "generic": generic.respond,
}
