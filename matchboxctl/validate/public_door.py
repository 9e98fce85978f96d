"""Findings on what CloudFront as the front door refuses, or gives to the internet."""

import re
from collections.abc import Iterator

from lambda_matchbox.answers.report import ROUTE as REPORT
from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import NetBoot, Profile
from lambda_matchbox.catalog.templates import TEMPLATE_KINDS
from matchboxctl.netboot.addresses import BASE, DIRECTORY
from matchboxctl.validate.boot_addresses import boot_addresses
from matchboxctl.validate.contents import Contents
from matchboxctl.validate.findings import Finding, Severity
from matchboxctl.validate.secrets import has_token

_CONFIGURATIONS = (*(f"/{kind}" for kind in TEMPLATE_KINDS), "/metadata", REPORT)
_PLAIN = (DIRECTORY, "http://")


def plain_address_findings(contents: Contents) -> Iterator[Finding]:
    """Addresses of configurations that are not https."""
    for profile in contents.profiles:
        for address in boot_addresses(profile.boot or NetBoot()):
            if address.path in _CONFIGURATIONS and address.text.lower().startswith(_PLAIN):
                message = f"{address.where} requests {address.path} over http, which CloudFront refuses"
                advice = f"begin it with the https address of the output ConfigurationUrl, or with {BASE} and a token"
                yield Finding(Severity.FAULT, "https", contents.file("profiles", profile.id), message, advice)


def public_findings(contents: Contents) -> Iterator[Finding]:
    """Metadata for whoever names a machine's labels."""
    profiles = {profile.id: profile for profile in contents.profiles}
    bodies = {template[:2]: template.body for template in contents.templates}
    for group in contents.groups:
        profile_of_group = profiles.get(group.profile)
        if profile_of_group is None or has_token(group):
            continue
        if used := _using(group, profile_of_group, bodies):
            message = f"whoever on the internet names its labels gets its metadata, which {' and '.join(used)} uses"
            file = contents.file("groups", group.id)
            advice = 'add "token": true to its boot policy, unless none of it is secret'
            yield Finding(Severity.NOTE, "public", file, message, advice, groups=[group.id])


def _using(group: Group, profile: Profile, bodies: dict[tuple[str, str], bytes]) -> list[str]:
    """The profile's templates that name a key of its metadata or of the group's."""
    metadata = {**profile.metadata, **group.metadata}
    if not metadata:
        return []
    keys = b"|".join(re.escape(key.encode(errors="replace")) for key in metadata)
    naming = re.compile(rb"[.\"](?:" + keys + rb")\b")
    return [" ".join(key) for key in profile.template_ids.items() if naming.search(bodies.get(key, b""))]
