"""What an import changes in the store: secrets, templates, profiles and groups."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple, TypeVar

from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import Profile
from lambda_matchbox.errors import DocumentError
from matchboxctl.cli.errors import FailedError
from matchboxctl.documents.protocol import Documents
from matchboxctl.secrets.stores import SecretWriter
from matchboxctl.talos.cluster import POLICY, Cluster, machine_in, role_id
from matchboxctl.talos.machine_config import ConfigError
from matchboxctl.talos.node_values import ROLES
from matchboxctl.talos.secret_values import OTHER, part_name
from matchboxctl.talos.template_values import differing_paths, template_values

_Document = TypeVar("_Document", Group, Profile)
_MAX_SHOWN = 4
# The labels and the metadata that an import writes; an operator's own stay.
_OWN_LABELS = frozenset({"mac", "uuid"})
_OWN_METADATA = frozenset({"hostname", "disk", "addresses", "gateway", "interface", "patches", "documents"})
_UNREADABLE = "correct it, or delete it to have a new one. Nothing was written"
_SAME_VALUES = "comments, or places for values of nodes"


class Became(StrEnum):
    """What becomes of a document; a group is gone if its node is no longer listed."""

    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    GONE = "gone"
    DELETED = "deleted"


class Change(NamedTuple):
    """What becomes of one document; `what` are paths of values that differ."""

    kind: str
    name: str
    change: Became
    what: Sequence[str] = ()
    write: Callable[[], object] | None = None

    def document(self) -> Mapping[str, object]:
        """The change for programs."""
        return {"kind": self.kind, "name": self.name, "change": str(self.change), "what": list(self.what)}


def some(what: Sequence[str]) -> str:
    """The first paths, and how many more there are."""
    more = len(what) - _MAX_SHOWN
    return ", ".join(what[:_MAX_SHOWN]) + (f" and {more} more" if more > 0 else "")


def secret_changes(store: SecretWriter, cluster: Cluster, *, replace: bool) -> Iterator[Change]:
    """The changes of secrets. Raises FailedError for a cluster with other secrets."""
    names = {part: part_name(cluster.name, part) for part in cluster.secrets.parts}
    values = store.values(names.values())
    stored = {part: values[name] for part, name in names.items() if name in values}
    try:
        replaced, added = cluster.secrets.replaced(stored), cluster.secrets.added(stored)
        texts = cluster.secrets.texts(stored)
    except ConfigError as error:
        raise FailedError(f"a secret of cluster {cluster.name} is no document ({error}): nothing was written") from None
    if replaced and not replace:
        raise FailedError(
            f"cluster {cluster.name} has other secrets ({some(replaced)}): the files are of another cluster, or its "
            "secrets were replaced; use --replace-secrets for that. Nothing was written"
        )
    for part, text in texts.items():
        name, before = names[part], stored.get(part)
        change = Became.CREATED if before is None else Became.UNCHANGED if before == text else Became.CHANGED
        if before != text:
            store.check(name, text)
        write = None if before == text else lambda name=name, text=text: store.set(name, text)
        # What was found by its looks is always named.
        what = added[part] if change == Became.CHANGED or part == OTHER else ()
        yield Change("secret", name, change, what, write)


def document_changes(documents: Documents, cluster: Cluster, assets: str) -> Iterator[Change]:
    """The changes of templates and profiles; with `assets` those of kernel and initramfs too."""
    for template in cluster.templates:
        before = documents.template(template.kind, template.id)
        change = Became.CREATED if before is None else Became.UNCHANGED if before == template.body else Became.CHANGED
        what: Sequence[str] = ()
        if change == Became.CHANGED and before is not None:
            what = differing_paths(template_values(before), template_values(template.body)) or [_SAME_VALUES]
        write = None if change == Became.UNCHANGED else lambda one=template: documents.put_template(*one)
        yield Change("template", template.id, change, what, write)
    for profile in cluster.profiles:
        stored = _stored_profile(documents, profile.id)
        yield _change("profile", stored, _kept(profile, stored, assets), documents.put_profile)


def _stored_profile(documents: Documents, profile_id: str) -> Profile | None:
    try:
        return documents.profile(profile_id)
    except DocumentError as error:
        raise FailedError(f"{error}: {_UNREADABLE}") from None


def _kept(profile: Profile, stored: Profile | None, assets: str) -> Profile:
    """The profile with what an operator may have changed in the stored one."""
    if stored is None or stored.boot is None or profile.boot is None:
        return profile
    boot = stored.boot._replace(kernel=profile.boot.kernel, initrd=profile.boot.initrd) if assets else stored.boot
    return stored._replace(ignition_id=profile.ignition_id, boot=boot)


def _change(kind: str, before: _Document | None, after: _Document, put: Callable[[_Document], None]) -> Change:
    if before is None:
        return Change(kind, after.id, Became.CREATED, (), lambda: put(after))
    what = differing_paths(before.document(), after.document())
    return Change(
        kind, after.id, Became.CHANGED if what else Became.UNCHANGED, what, (lambda: put(after)) if what else None
    )


def group_changes(documents: Documents, stored: Sequence[Group], cluster: Cluster, *, prune: bool) -> Iterator[Change]:
    """The changes of groups: a node keeps the group of its machine, or else takes the one of its name."""
    own = {role_id(cluster.name, role) for role in ROLES}
    groups = {group.id: group for group in stored if group.profile in own}
    of_machine = {_machine(group): group for group in groups.values()}
    kept = {of_machine[machine].id for machine in map(_machine, cluster.groups) if machine in of_machine}
    taken = kept.union(group.id for group in stored if group.id not in groups)
    for group in cluster.groups:
        before = of_machine.get(_machine(group))
        if before is None and group.id in taken:
            group = group._replace(id=f"{group.id}-{machine_in(group.selector)}")
        elif before is None:
            before = groups.get(group.id)
        if before is None and documents.holds("groups", group.id):
            raise FailedError(f"group {group.id} cannot be read: {_UNREADABLE}")
        if before is not None:
            kept.add(before.id)
            group = _merged(group, before)
        yield _change("group", before, group, documents.put_group)
    for group in groups.values():
        if group.id not in kept:
            delete = (lambda one=group: documents.delete_group(one.id)) if prune else None
            yield Change("group", group.id, Became.DELETED if prune else Became.GONE, (), delete)


def _machine(group: Group) -> object:
    return group.selector.get("mac") or group.selector.get("uuid")


def _merged(group: Group, stored: Group) -> Group:
    """The group with what an operator may have changed in the stored one."""
    others = {key: value for key, value in stored.metadata.items() if key not in _OWN_METADATA}
    labels = {key: value for key, value in stored.selector.items() if key not in _OWN_LABELS}
    policy = stored.boot if stored.boot is not None and stored.boot.token else POLICY
    return group._replace(
        id=stored.id, selector={**labels, **group.selector}, metadata={**others, **group.metadata}, boot=policy
    )
