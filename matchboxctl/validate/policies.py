"""Findings on the boot policies of groups."""

from collections.abc import Iterator, Mapping, Sequence

from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.labels import CLIENT_IP
from lambda_matchbox.catalog.profiles import NetBoot, Profile
from lambda_matchbox.catalog.templates import TEMPLATE_KINDS
from lambda_matchbox.machines.policy import Policy
from matchboxctl.netboot.addresses import BASE
from matchboxctl.validate.boot_addresses import boot_addresses
from matchboxctl.validate.contents import Contents
from matchboxctl.validate.findings import Finding, Severity, some

_TOKEN = "${token}"  # noqa: S105 (a variable)
_VARIABLES = (_TOKEN, BASE)
_REPORT = b"report"
_NAMING = frozenset({"mac", "uuid", "serial", CLIENT_IP})


OPEN = "whoever makes up identities leaves a state with each, and passes for other machines' installations"
CLOSE = "add approve or from, or select machines by mac, uuid or serial, unless its network is trusted"


def is_open(group: Group) -> bool:
    """Whether requests of anybody who selects the group write states of machines that nobody knows."""
    policy = group.boot
    if policy is None or not (policy.once or policy.token) or policy.approve or policy.from_networks:
        return False
    return _NAMING.isdisjoint(map(str.lower, group.selector))


def policy_findings(contents: Contents) -> Iterator[Finding]:
    """The findings on all policies, and on profiles that need one."""
    users: dict[str, list[Group]] = {}
    for group in contents.groups:
        users.setdefault(group.profile, []).append(group)
        if group.boot is not None:
            yield from _policy_findings(contents, group, group.boot)
    bodies = {template[:2]: template.body for template in contents.templates}
    for profile in contents.profiles:
        yield from _token_findings(contents, profile, users.get(profile.id, ()))
        yield from _report_findings(contents, profile, users.get(profile.id, ()), bodies)


def _policy_findings(contents: Contents, group: Group, policy: Policy) -> Iterator[Finding]:
    file = contents.file("groups", group.id)
    if not group.selector:
        message = "its boot policy is that of every machine that no other group selects"
        yield Finding(Severity.NOTE, "policy", file, message, "add a selector, unless that is meant", groups=[group.id])
    if is_open(group):
        yield Finding(Severity.NOTE, "policy", file, OPEN, CLOSE, groups=[group.id])
    unused = [name for name in ("on_disk", "done") if name in policy.fields()]
    if unused and not policy.once:
        message = f"its boot policy has {' and '.join(unused)}, which mean nothing without once"
        yield Finding(Severity.FAULT, "policy", file, message, "add once, or remove them", groups=[group.id])


def _token_findings(contents: Contents, profile: Profile, groups: Sequence[Group]) -> Iterator[Finding]:
    """Requests for configurations without the token that a group needs, and variables that scripts do not set."""
    file = contents.file("profiles", profile.id)
    boot = profile.boot or NetBoot()
    with_token = [group.id for group in groups if group.boot is not None and group.boot.token]
    without = [group.id for group in groups if group.id not in with_token]
    requested = [one for one in boot_addresses(boot) if one.path.removeprefix("/") in (*TEMPLATE_KINDS, "metadata")]
    for address in requested if with_token else ():
        if "token" not in address.query:
            message = f"{address.where} requests {address.path} without the token that {some(with_token)} needs"
            advice = f"add &token={_TOKEN} to the address"
            yield Finding(Severity.FAULT, "token", file, message, advice, groups=with_token)
    if with_token and profile.template_ids and not requested:
        message = f"no kernel argument passes the token that {some(with_token)} needs for a configuration"
        advice = f"add an address such as {BASE}{next(iter(profile.template_ids))}?token={_TOKEN}"
        yield Finding(Severity.NOTE, "token", file, message, advice, groups=with_token)
    used = [name for name in _VARIABLES if any(name in text for text in (boot.kernel, *boot.initrd, *boot.args))]
    if used and without:
        message = f"{' and '.join(used)} in the boot section is not set for {some(without)}"
        advice = "scripts set it for groups with token in their boot policy: add that, or remove the variable"
        yield Finding(Severity.FAULT, "token", file, message, advice, groups=without)


def _report_findings(
    contents: Contents, profile: Profile, groups: Sequence[Group], bodies: Mapping[tuple[str, str], bytes]
) -> Iterator[Finding]:
    """Groups that wait for a report that neither a template nor an argument mentions."""
    waiting = [
        group.id for group in groups if group.boot is not None and group.boot.once and group.boot.done == "report"
    ]
    texts = [bodies.get(key, b"") for key in profile.template_ids.items()]
    texts += [arg.encode(errors="replace") for arg in (profile.boot or NetBoot()).args]
    if waiting and not any(_REPORT in text for text in texts):
        message = f"nothing in its templates or kernel arguments calls /report, for which {some(waiting)} waits"
        advice = "call it, or use done: config; otherwise machines install at each boot"
        file = contents.file("profiles", profile.id)
        yield Finding(Severity.NOTE, "report", file, message, advice, groups=waiting)
