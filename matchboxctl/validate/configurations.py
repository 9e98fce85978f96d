"""Findings on templates, and on the configurations that they render for machines."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from lambda_matchbox.answers.template_check import Trial, check_syntax, failures, trials
from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import NetBoot
from lambda_matchbox.catalog.templates import TEMPLATE_KINDS, Template
from lambda_matchbox.errors import MatchboxError
from matchboxctl.netboot.addresses import Reader
from matchboxctl.netboot.configuration import read_configuration
from matchboxctl.validate.boot_addresses import boot_addresses
from matchboxctl.validate.contents import Contents
from matchboxctl.validate.findings import Finding, Severity
from matchboxctl.validate.talosctl import refusal, talosctl

_LINE = re.compile(r", line (\d+): ")
_TALOS = "Talos v1alpha1"
_UNCHECKED = "Ignition 2."
# Each takes the program a tenth of a second.
_MAX_VALIDATED = 5
_MAX_SHOWN = 5
_UNUSED = "correct it, or remove it: no group uses it"
_REPLACE = "replace them by values of your own"
_CORRECT = "correct it, or the metadata of its groups: machines get an error"


def configuration_findings(contents: Contents, tried: Callable[[int], object]) -> Iterator[Finding]:
    """The findings on all templates, tried for the groups that use them; `tried` is given their numbers."""
    check = _ConfigurationCheck(contents)
    for trial in trials(_counted(contents.groups, tried), contents.profiles, contents.templates):
        check.add(trial)
    yield from check.findings()


class _ConfigurationCheck:
    """Collects what trials show: the same finding for several groups is one."""

    def __init__(self, contents: Contents) -> None:
        self._contents = contents
        self._groups = {group.id: group for group in contents.groups}
        self._profiles = {profile.id: profile for profile in contents.profiles}
        self._readers = {profile.id: _readers(profile.boot or NetBoot()) for profile in contents.profiles}
        self._tried: set[tuple[str, str]] = set()
        self._failed: list[Trial] = []
        self._found: dict[Finding, list[str]] = {}
        self._talosctl = talosctl()
        self._validated: dict[Template, dict[bytes, str]] = {}

    def add(self, trial: Trial) -> None:
        """Take what a trial shows."""
        self._tried.add(trial.template[:2])
        if trial.response is None:
            if trial.reason:
                self._failed.append(trial)
            return
        kind, body = trial.template.kind, trial.response.body
        reader = self._readers[self._groups[trial.group].profile].get(kind, Reader.UNKNOWN)
        file = self._file(trial.template)
        for line in trial.response.report:
            self._add(Finding(Severity.NOTE, "butane", file, line), trial)
        configuration = read_configuration(body, reader)
        if configuration.kind.startswith(_UNCHECKED):
            self._add(Finding(Severity.NOTE, "configuration", file, f"machines get {configuration.kind}"), trial)
        # What anything may read may be anything.
        if configuration.problem and reader is not Reader.UNKNOWN:
            of_another_kind = not read_configuration(body).problem
            message = f"machines get {configuration.kind}: {configuration.problem}"
            self._add_doubtful("configuration", message, trial, is_certain=of_another_kind)
        elif configuration.placeholders:
            self._add_placeholders(trial, dict.fromkeys(one.text for one in configuration.placeholders))
        elif configuration.kind.startswith(_TALOS) and self._talosctl:
            self._add_refusal(trial, body, self._talosctl)

    def findings(self) -> Iterator[Finding]:
        """The findings."""
        for failure in failures(self._failed):
            line, reason = _located(str(failure), failure.template)
            file = self._file(failure.template)
            yield Finding(Severity.FAULT, "template", file, reason, _CORRECT, line, failure.groups)
        for finding, groups in self._found.items():
            yield finding._replace(groups=groups)
        for template in self._contents.templates:
            if template[:2] not in self._tried:
                try:
                    check_syntax(template)
                except MatchboxError as error:
                    line, reason = _located(str(error), template)
                    yield Finding(Severity.FAULT, "template", self._file(template), reason, _UNUSED, line)

    def _add_doubtful(self, rule: str, message: str, trial: Trial, *, is_certain: bool = False) -> None:
        """Add a fault, or a note if made-up labels or secrets may be the cause."""
        file = self._file(trial.template)
        made_up = ["secrets"] if trial.response is not None and trial.response.holds_secret else []
        made_up += [f"labels: {', '.join(trial.made_up)}"] if trial.made_up else []
        if made_up and not is_certain:
            tried = f"{message} (tried with made-up {' and '.join(made_up)})"
            self._add(Finding(Severity.NOTE, rule, file, tried), trial)
        else:
            self._add(Finding(Severity.FAULT, rule, file, message), trial)

    def _add(self, finding: Finding, trial: Trial) -> None:
        self._found.setdefault(finding, []).append(trial.group)

    def _add_placeholders(self, trial: Trial, texts: Iterable[str]) -> None:
        """A finding for each document that has some of them: the template, or metadata of the group or its profile."""
        group = self._groups[trial.group]
        metadata = (
            (self._contents.file("groups", group.id), group.metadata),
            (self._contents.file("profiles", group.profile), self._profiles[group.profile].metadata),
        )
        template = self._file(trial.template)
        found: dict[str, list[str]] = {}
        lines: dict[str, int] = {}
        for text in texts:
            at = trial.template.body.find(text.encode())
            owners = [file for file, data in metadata if at < 0 and text in json.dumps(data, ensure_ascii=False)]
            file = (owners or [template])[0]
            found.setdefault(file, []).append(text)
            if at >= 0:
                lines.setdefault(file, trial.template.body.count(b"\n", 0, at) + 1)
        for file, left in found.items():
            message = f"placeholders are left: {', '.join(left[:_MAX_SHOWN])}"
            message += f" and {len(left) - _MAX_SHOWN} more" if len(left) > _MAX_SHOWN else ""
            self._add(Finding(Severity.FAULT, "placeholder", file, message, _REPLACE, lines.get(file)), trial)

    def _add_refusal(self, trial: Trial, body: bytes, program: str) -> None:
        validated = self._validated.setdefault(trial.template, {})
        if body not in validated:
            if len(validated) >= _MAX_VALIDATED:
                return
            validated[body] = refusal(program, body)
        if reason := validated[body]:
            self._add_doubtful("talosctl", f"talosctl refuses what it renders: {reason}", trial)

    def _file(self, template: Template) -> str:
        return self._contents.file(template.kind, template.id)


def _counted(groups: Iterable[Group], tried: Callable[[int], object]) -> Iterator[Group]:
    for group in groups:
        yield group
        tried(1)


def _readers(boot: NetBoot) -> Mapping[str, Reader]:
    """The programs that request the routes of templates, as far as kernel arguments tell."""
    return {
        route: address.reader
        for address in boot_addresses(boot)
        if (route := address.path.removeprefix("/")) in TEMPLATE_KINDS and address.reader is not Reader.UNKNOWN
    }


def _located(reason: str, template: Template) -> tuple[int | None, str]:
    """The template's line in the reason of a failure, and the rest of the reason without the template's name."""
    rest = reason.removeprefix(f"template {template.id!r}")
    if found := _LINE.match(rest):
        return int(found[1]), rest[found.end() :]
    return None, rest.removeprefix(": ")
