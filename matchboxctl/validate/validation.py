"""The validation: all rules, applied to what a data directory, or table and bucket, contain."""

from collections.abc import Callable, Iterator

from lambda_matchbox.catalog.group_index import GroupIndex
from lambda_matchbox.releases.pointers import covering
from matchboxctl.validate.boot_sections import boot_findings
from matchboxctl.validate.configurations import configuration_findings
from matchboxctl.validate.contents import Contents
from matchboxctl.validate.findings import Finding, Result, Severity, some
from matchboxctl.validate.policies import policy_findings
from matchboxctl.validate.public_door import plain_address_findings, public_findings
from matchboxctl.validate.references import absent_profile, absent_templates
from matchboxctl.validate.secrets import secret_findings


def validate(
    contents: Contents,
    tried: Callable[[int], object] = lambda _: None,
    *,
    is_public: bool = False,
    https_only: bool = False,
) -> Result:
    """The findings of all rules; `tried` is given the numbers of groups whose templates have been tried.

    `is_public` says whether the server is on the internet, `https_only` whether it gives no configuration over http.
    """
    rules: tuple[Callable[[Contents], Iterator[Finding]], ...] = (
        _reference_findings,
        _overlap_findings,
        _source_findings,
        boot_findings,
        policy_findings,
        secret_findings,
        *([public_findings] if is_public else []),
        *([plain_address_findings] if https_only else []),
    )
    findings = [*contents.found, *(finding for rule in rules for finding in rule(contents))]
    findings += configuration_findings(contents, tried)
    findings.sort(key=lambda one: (one.file, one.line is None, one.line))
    return Result(findings, len(contents.groups), len(contents.profiles), len(contents.templates))


def _reference_findings(contents: Contents) -> Iterator[Finding]:
    """Groups whose profile is absent, and profiles whose templates are."""
    known = {profile.id for profile in contents.profiles}
    users: dict[str, list[str]] = {}
    for group in contents.groups:
        if group.profile not in known:
            users.setdefault(group.profile, []).append(group.id)
    for profile_id, ids in users.items():
        if reason := absent_profile(profile_id, contents.holds):
            message = reason if len(ids) == 1 else f"{reason}: it is that of {some(ids)}"
            advice = f"create {contents.file('profiles', profile_id)}, or name another" if profile_id else "name one"
            yield Finding(Severity.FAULT, "profile", contents.file("groups", ids[0]), message, advice, groups=ids)
    templates = {template[:2] for template in contents.templates}
    for profile in contents.profiles:
        for reason in absent_templates(profile, lambda *key: key in templates or contents.holds(*key)):
            file = contents.file("profiles", profile.id)
            yield Finding(Severity.FAULT, "template", file, reason, "create it, or remove its id from the profile")


def _overlap_findings(contents: Contents) -> Iterator[Finding]:
    """Groups that match the same machines, of which matchbox chooses any."""
    for overlap in GroupIndex(contents.groups).overlaps():
        file = contents.file("groups", overlap.ids[1])
        yield Finding(
            Severity.FAULT, "overlap", file, str(overlap), "give them different selectors", groups=overlap.ids
        )


def _source_findings(contents: Contents) -> Iterator[Finding]:
    """Image sources that have no release."""
    for source in contents.sources.values():
        if covering(contents.pointers, source.assets) is None:
            file = contents.file("sources", source.id)
            yield Finding(Severity.NOTE, "release", file, "it has no release yet", contents.sync_command(source.id))
