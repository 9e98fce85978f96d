"""`matchboxctl talos verify`: the configuration of every node, rendered with its secrets and checked."""

import base64
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple
from urllib.parse import urlencode

from lambda_matchbox.answers import ignition
from lambda_matchbox.answers.template_data import data_of
from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import Profile
from lambda_matchbox.catalog.selection import selectors_of
from lambda_matchbox.catalog.stores import Selection
from lambda_matchbox.catalog.templates import Template
from lambda_matchbox.errors import MatchboxError
from lambda_matchbox.secrets.function import stored_in
from lambda_matchbox.secrets.references import references_in
from matchboxctl.cli.errors import FailedError, MissingError
from matchboxctl.cli.output import FORMATS, print_result
from matchboxctl.cli.plurals import counted
from matchboxctl.cli.progress import Progress
from matchboxctl.cli.tables import table
from matchboxctl.documents.protocol import Documents
from matchboxctl.render.secret_masks import Masks, secrets_in
from matchboxctl.secrets.stores import SecretWriter
from matchboxctl.talos.cluster import KIND, role_id
from matchboxctl.talos.machine_config import ConfigError, MachineConfig, values_in
from matchboxctl.talos.node_values import ROLES
from matchboxctl.talos.opened import warn
from matchboxctl.talos.rules import problems, unknown_names
from matchboxctl.validate.findings import some
from matchboxctl.validate.talosctl import refusal, talosctl

_FETCHED = "talos.config="
_IDENTITY = {"uuid": "00000000-0000-4000-8000-000000000001", "mac": "02:00:00:00:00:01"}


class _Values:
    """Secrets that were read before."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values

    def values(self, names: Collection[str]) -> Mapping[str, str]:
        return {name: self._values[name] for name in names if name in self._values}


class _Checked(NamedTuple):
    group: str
    problems: list[str]


def verify(documents: Documents, secrets: SecretWriter, cluster: str, output: str) -> None:
    """Print what is wrong with the configurations of nodes. Raises CommandError, FailedError if anything is."""
    nodes = list(_nodes(documents, cluster))
    if not nodes:
        which = f"cluster {cluster!r}" if cluster else "Talos"
        raise MissingError(f"no group has nodes of {which}: see `matchboxctl talos import`")
    program = talosctl()
    by = f"talosctl validate --mode metal ({program})" if program else "own checks, as talosctl is not on PATH"
    renderer = _Renderer(documents, secrets)
    checked = []
    with Progress("verifying", len(nodes), "nodes") as progress:
        for group, profile in nodes:
            checked.append(_Checked(group.id, list(renderer.problems(group, profile, program))))
            progress.add(1)
    found: dict[str, list[str]] = {}
    for one in checked:
        for problem in one.problems:
            found.setdefault(problem, []).append(one.group)
    summary = f"{counted(len(nodes), 'node')} verified by {by}"
    result = {
        "checked_by": "talosctl" if program else "matchboxctl",
        "nodes": [{"group": one.group, "problems": one.problems} for one in checked],
    }
    rows = [(some(groups), problem) for problem, groups in found.items()]
    print_result(output, lambda: result, lambda: table(("NODES", "PROBLEM"), rows) if rows else "")
    if found:
        raise FailedError(f"{counted(len(found), 'problem')} in {summary}")
    if output not in FORMATS:
        print(f"{summary}: nothing found")


def _nodes(documents: Documents, cluster: str) -> Iterator[tuple[Group, Profile]]:
    """The groups, with their profiles, that boot Talos with a configuration of ours."""
    own = {role_id(cluster, role) for role in ROLES}
    profiles = {profile.id: profile for profile in documents.profiles(warn)}
    for group in sorted(documents.groups(warn), key=lambda one: one.id):
        profile = profiles.get(group.profile)
        if profile is None or not profile.ignition_id or profile.boot is None:
            continue
        if (profile.id in own) if cluster else any(_FETCHED in arg for arg in profile.boot.args):
            yield group, profile


class _Read(NamedTuple):
    """A template, the secrets that it names, and their masks."""

    body: bytes
    values: _Values
    masks: Masks


class _Renderer:
    """Renders configurations, for which each template and its secrets are read once."""

    def __init__(self, documents: Documents, secrets: SecretWriter) -> None:
        self._documents = documents
        self._secrets = secrets
        self._templates: dict[str, _Read | None] = {}

    def problems(self, group: Group, profile: Profile, program: str | None) -> Iterator[str]:
        """What is wrong with the configuration of a group's nodes, without a value."""
        if profile.ignition_id not in self._templates:
            self._templates[profile.ignition_id] = self._template(profile.ignition_id)
        template = self._templates[profile.ignition_id]
        if template is None:
            yield f"template {KIND}/{profile.ignition_id} does not exist"
            return
        body, values, masks = template
        if references_in(body) and not (group.boot and group.boot.token):
            yield 'no "token": true in its boot policy, without which it gets no secrets'
        # Talos asks with these; what selects the node is known.
        labels = {**_IDENTITY, **dict(selectors_of(group.selector)[0].pairs)}
        data = data_of(Selection(group, profile), labels, urlencode(labels))
        try:
            config = ignition.respond(Template(KIND, profile.ignition_id, body), data, stored_in(values)).body
            found = _own_checks(config) if program is None else [refusal(program, config)]
            yield from (masks.text(one) for one in found if one)
        except (MatchboxError, ConfigError) as error:
            yield masks.text(str(error))

    def _template(self, name: str) -> _Read | None:
        body = self._documents.template(KIND, name)
        if body is None:
            return None
        values = self._secrets.values({one.name for one in references_in(body)})
        own = {"secret": [{**values}, *map(_members, values.values())]}
        return _Read(body, _Values(values), Masks({**own, "decoded secret": [*map(_decoded, secrets_in(own))]}))


def _own_checks(config: bytes) -> Iterator[str]:
    read = MachineConfig(config.decode())
    yield from problems(read)
    yield from unknown_names(read)


def _decoded(text: str) -> str | None:
    """The text of which this is the base64."""
    try:
        return base64.b64decode(text, validate=True).decode()
    except ValueError:
        return None


def _members(text: str) -> object:
    """The values in a secret that is a document."""
    try:
        return values_in(text)
    except ConfigError:
        return None
