"""Findings on the secrets that templates name."""

import re
from collections.abc import Iterable, Iterator

from lambda_matchbox.catalog.groups import Group
from matchboxctl.secrets.references import secrets_named_in
from matchboxctl.validate.contents import Contents
from matchboxctl.validate.findings import Finding, Severity, some

ADVICE = 'add "token": true to their boot policies'

_RULE = "secret"
_OF_CLUSTER = re.compile("talos/([^/]+)/.")


def secret_findings(contents: Contents) -> Iterator[Finding]:
    """Secrets that machines will not get: without a token, absent, or not used as others could read them."""
    named = {template[:2]: names for template in contents.templates if (names := secrets_named_in(template))}
    if not named:
        return
    groups: dict[tuple[str, str], list[str]] = {}
    profiles = {profile.id: profile for profile in contents.profiles}
    for group in contents.groups:
        if not has_token(group) and group.profile in profiles:
            for key in profiles[group.profile].template_ids.items():
                groups.setdefault(key, []).append(group.id)
    stored = contents.secrets()
    for key, names in named.items():
        file = contents.file(*key)
        if ids := groups.get(key):
            yield Finding(Severity.FAULT, _RULE, file, without_token(names, ids), ADVICE, groups=ids)
        if stored.names is not None:
            for name in sorted(names):
                for line in stored.absent([name]):
                    yield Finding(Severity.FAULT, _RULE, file, line, f"create it with `matchboxctl {_command(name)}`")
    if stored.names is None:
        (line,) = stored.absent(())
        yield Finding(Severity.NOTE, _RULE, "", line)
    for line in stored.problems:
        yield Finding(Severity.FAULT, _RULE, "" if contents.root is None else str(contents.root / "secrets"), line)


def _command(name: str) -> str:
    """What creates a secret."""
    found = _OF_CLUSTER.match(name)
    return "secret set" if found is None else f"talos secrets --cluster {found[1]}"


def has_token(group: Group) -> bool:
    """Whether the group's machines get secrets."""
    return group.boot is not None and group.boot.token


def without_token(names: Iterable[str], groups: Iterable[str]) -> str:
    """Why machines of these groups get an error."""
    return f'machines of {some(groups)} get no secret ({", ".join(sorted(names))}): no "token": true in its boot policy'
