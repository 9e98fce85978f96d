"""Which templates would fail when a machine asks for them, as far as the groups tell?

A template is rendered and checked as its route does it, with what its group says and the labels that it selects by, the
first of a list.
Labels beyond these are a machine's own: where a template asks for one, it is tried with several made-up values, and
only what fails with all of them is told.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple
from urllib.parse import urlencode

from lambda_matchbox.answers.cloud import cloud_answer
from lambda_matchbox.answers.errors import RenderError, translated_errors
from lambda_matchbox.answers.generic import generic_answer
from lambda_matchbox.answers.ignition import ignition_answer, is_ignition_config
from lambda_matchbox.answers.template_data import data_of
from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import Profile
from lambda_matchbox.catalog.selection import selectors_of
from lambda_matchbox.catalog.stores import Selection
from lambda_matchbox.catalog.templates import TEMPLATE_KINDS, Template
from lambda_matchbox.errors import MatchboxError
from lambda_matchbox.gotemplate import engine

# The last two have parts, for functions that take a label apart.
_MADE_UP = ("x", "0", "/x", "1.2.3-x-y", "52:54:00:12:34:56")
_MOST_LABELS = 20
# Groups of one template differ in little, and each takes milliseconds.
_MOST_GROUPS = 200
# A group is rendered once, or for each label that the template asks for and each made-up value. Some templates take
# seconds.
_MOST_RENDERINGS = 1000
_ABSENT = "there is no value for "


class Failure(NamedTuple):
    """What a machine of these groups would be told; `made_up` are the labels that it was tried with."""

    groups: list[str]
    reason: str
    made_up: tuple[str, ...]

    def __str__(self) -> str:
        tried = f" (tried with made-up labels: {', '.join(self.made_up)})" if self.made_up else ""
        return f"{self.reason}{tried}"


def failures(groups: Iterable[Group], profiles: Iterable[Profile], templates: Iterable[Template]) -> list[Failure]:
    """What fails, the same failure of several groups once. What is named and not among these is no failure here."""
    by_id = {profile.id: profile for profile in profiles}
    bodies = {(template.kind, template.id): template.body for template in templates}
    tried: dict[tuple[str, str], _Trial] = {}
    found: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for group in groups:
        for kind in TEMPLATE_KINDS:
            key = (kind, getattr(by_id.get(group.profile), f"{kind}_id", ""))
            if key not in bodies:
                continue
            trial = tried.setdefault(key, _Trial(_ANSWERS[kind], key[1], bodies[key]))
            if trial.groups >= _MOST_GROUPS or trial.renderings >= _MOST_RENDERINGS:
                continue
            for failure in trial.failure(Selection(group, by_id.get(group.profile))):
                found.setdefault(failure, []).append(group.id)
    return [Failure(ids, reason, made_up) for (reason, made_up), ids in found.items()]


def check_syntax(kind: str, template_id: str, source: bytes) -> None:
    """Raises RenderError and InvalidConfigError for what fails whatever the data."""
    if kind == "ignition" and is_ignition_config(template_id):
        ignition_answer(template_id, source, {})
        return
    with translated_errors(template_id):
        engine.check_syntax(source, name=template_id)


_Answer = Callable[[str, bytes, Mapping[str, object]], object]


class _Trial:
    """One template, and how much of it was tried so far."""

    def __init__(self, answer: _Answer, template_id: str, body: bytes) -> None:
        self._answer = answer
        self._template_id = template_id
        self._body = body
        self.groups = 0
        self.renderings = 0

    def failure(self, selection: Selection) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Why it fails for a group, and the labels that were made up, if it does with each value of them."""
        self.groups += 1
        reason, made_up = self._tried(selection, _MADE_UP[0])
        if reason and all(self._tried(selection, value)[0] for value in _MADE_UP[1:] if made_up):
            yield reason, made_up

    def _tried(self, selection: Selection, value: str) -> tuple[str, tuple[str, ...]]:
        """Why the template fails, empty if it does not, and the labels that it was given `value` for."""
        labels = dict(selectors_of(selection.group.selector)[0].pairs)
        made_up: list[str] = []
        reason = ""
        while len(made_up) < _MOST_LABELS:
            self.renderings += 1
            try:
                self._answer(self._template_id, self._body, data_of(selection, labels, urlencode(labels)))
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


_ANSWERS: dict[str, _Answer] = {"ignition": ignition_answer, "cloud": cloud_answer, "generic": generic_answer}
