"""`matchboxctl talos import`: what a cluster's files and nodes change in the store, and writing it."""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import Profile
from lambda_matchbox.errors import DocumentError
from matchboxctl.cli.errors import FailedError, on_interrupt
from matchboxctl.cli.output import print_result
from matchboxctl.cli.plurals import counted
from matchboxctl.cli.progress import Progress
from matchboxctl.cli.tables import shown, table
from matchboxctl.cli.wrapping import wrapped
from matchboxctl.documents.protocol import Documents
from matchboxctl.secrets.stores import SecretWriter
from matchboxctl.talos.cluster import DEFAULT_ASSETS, POLICY, Cluster, RoleFile, assemble, check_name, role_id
from matchboxctl.talos.machine_config import ConfigError, MachineConfig, value_of
from matchboxctl.talos.nodes import ROLES, Node, NodesError, read_nodes
from matchboxctl.talos.rules import problems
from matchboxctl.talos.secret_values import PARTS, Secrets, part_name
from matchboxctl.talos.template_values import differing_paths, template_values

_Document = TypeVar("_Document", Group, Profile)

_HEAD = ("KIND", "NAME", "CHANGE", "WHAT")
_MAX_SHOWN = 4
_CREATED, _CHANGED, _UNCHANGED, _GONE, _DELETED = "created", "changed", "unchanged", "gone", "deleted"
# The metadata that an import writes; an operator's own stays.
_OWN_METADATA = frozenset({"hostname", "disk", "addresses", "gateway", "interface", "patches", "documents"})
_SAME_VALUES = "comments, or places for values of nodes"


class ImportOptions(NamedTuple):
    """The files of the roles, and of `talosctl gen secrets` if given; the nodes; and what else the command line says.

    Without `assets` the kernel and the initramfs of existing profiles stay.
    """

    files: Sequence[Path]
    nodes: Path
    cluster: str
    assets: str
    dry_run: bool
    prune: bool
    replace_secrets: bool


class Change(NamedTuple):
    """What becomes of one document; `what` are paths of values that differ."""

    kind: str
    name: str
    change: str
    what: Sequence[str] = ()
    write: Callable[[], object] | None = None

    def document(self) -> Mapping[str, object]:
        """The change for programs."""
        return {"kind": self.kind, "name": self.name, "change": self.change, "what": list(self.what)}


def import_cluster(documents: Documents, secrets: SecretWriter, options: ImportOptions, output: str) -> None:
    """Print what differs, and write it. Raises CommandError; then nothing is written that was wrong."""
    groups = documents.groups(lambda line: print(f"matchboxctl: {shown(line)}", file=sys.stderr))
    cluster = _read(groups, options)
    changes = [
        *_secret_changes(secrets, cluster, replace=options.replace_secrets),
        *_document_changes(documents, cluster, options.assets),
        *_group_changes(documents, groups, cluster, prune=options.prune),
    ]
    due = [change for change in changes if change.write is not None]
    if not options.dry_run:
        _write(due)
    shown_changes = [change for change in changes if change.change != _UNCHANGED]
    result = {
        "cluster": cluster.name,
        "dry_run": options.dry_run,
        "unchanged": len(changes) - len(shown_changes),
        "changes": [change.document() for change in shown_changes],
    }
    print_result(output, lambda: result, lambda: _text(changes, shown_changes, options))


def _text(changes: Sequence[Change], differing: Sequence[Change], options: ImportOptions) -> str:
    rows = [(one.kind, one.name, one.change, _some(one.what)) for one in differing]
    words = [one.change for one in changes]
    numbers = [f"{words.count(word)} {word}" for word in (_CREATED, _CHANGED, _UNCHANGED)]
    numbers += [f"{words.count(word)} {word}" for word in (_GONE, _DELETED) if word in words]
    note = "; nothing was written (--dry-run)" if options.dry_run else ""
    if _GONE in words:
        note += "; groups that are gone from the list of nodes are deleted with --prune"
    return (table(_HEAD, rows) if rows else "") + f"cluster {shown(options.cluster)}: {', '.join(numbers)}{note}\n"


def _some(what: Sequence[str]) -> str:
    more = len(what) - _MAX_SHOWN
    return ", ".join(what[:_MAX_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _write(changes: Sequence[Change]) -> None:
    written = 0

    def left() -> str:
        return f"{written} of {counted(len(changes), 'change')} were written; the same command writes the rest"

    try:
        with on_interrupt(left), Progress("writing", len(changes), "documents") as progress:
            for change in changes:
                if change.write is not None:
                    change.write()
                written += 1
                progress.add(1)
    finally:
        error = sys.exc_info()[0]
        if error is not None and issubclass(error, Exception) and written:
            print(wrapped(f"matchboxctl: {left()}", sys.stderr), file=sys.stderr)


def _read(groups: Sequence[Group], options: ImportOptions) -> Cluster:
    """The cluster of files and nodes. Raises FailedError after a line for each problem."""
    found: list[str] = []
    files: list[RoleFile] = []
    bundle = Secrets()
    nodes: list[Node] = []
    try:
        check_name(options.cluster)
        nodes = read_nodes(str(options.nodes), _content(options.nodes))
    except NodesError as error:
        found += error.problems
    except ConfigError as error:
        found.append(str(error))
    for path in options.files:
        try:
            found += _add_file(path, files, bundle, nodes)
        except (ConfigError, ValueError) as error:
            found.append(f"{path.name}: {error}")
    roles = [file.config.role for file in files]
    found += [f"two files are of the role {role}" for role in ROLES if roles.count(role) > 1]
    missing = [role for role in ROLES if role not in roles and any(node.role == role for node in nodes)]
    found += [f"{options.nodes.name} has nodes of the role {role}, of which there is no file" for role in missing]
    found += _foreign_groups(groups, options.cluster, nodes)
    if not found:
        try:
            cluster = assemble(options.cluster, files, nodes, options.assets or DEFAULT_ASSETS, bundle)
        except (ConfigError, ValueError) as error:
            found.append(str(error))
        else:
            return cluster
    for line in found:
        print(wrapped(f"matchboxctl: {shown(line)}", sys.stderr), file=sys.stderr)
    raise FailedError(f"{counted(len(found), 'problem')}, see above: nothing was written")


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise FailedError(f"{path}: cannot be read: {error.strerror}") from error


def _add_file(path: Path, files: list[RoleFile], bundle: Secrets, nodes: Iterable[Node]) -> Iterator[str]:
    """Add a file to those of its kind; yields what is wrong with it. Raises ConfigError and ValueError."""
    try:
        config = MachineConfig(_content(path).decode())
    except UnicodeDecodeError:
        raise ConfigError("not UTF-8") from None
    top = value_of(config.main.node) if config.main is not None else {}
    if isinstance(top, dict) and {"cluster", "secrets", "trustdinfo"} <= set(top):
        bundle.add_bundle(top, path.name)
        return
    if config.main is None or not {"machine", "cluster"} & set(top if isinstance(top, dict) else ()):
        yield f"{path.name} is no configuration of a role: use what `talosctl gen config` writes"
        return
    files.append(RoleFile(path.name, config))
    own = [node for node in nodes if node.role == config.role]
    for problem in problems(config, installs=not (own and all(node.disk for node in own))):
        yield f"{path.name}: {problem}"


def _foreign_groups(groups: Sequence[Group], cluster: str, nodes: Sequence[Node]) -> Iterator[str]:
    """Machines of other groups: which one a machine would get depends on their selectors."""
    own = {role_id(cluster, role) for role in ROLES}
    by_label: dict[tuple[str, str], Group] = {}
    for group in groups:
        if group.profile not in own:
            for key, value in group.selector.items():
                for one in [value] if isinstance(value, str) else value:
                    by_label.setdefault((key.lower(), one.lower()), group)
    for node in nodes:
        for label, other in ((label, by_label.get(label)) for label in node.selector.items()):
            if other is not None:
                selected = f"{label[0]} {label[1]} is in group {other.id} of profile {other.profile}"
                yield f"{node.where}: {selected}: delete that group first"


def _secret_changes(store: SecretWriter, cluster: Cluster, *, replace: bool) -> Iterator[Change]:
    """The changes of secrets. Raises FailedError for a cluster with other secrets."""
    names = {part: part_name(cluster.name, part) for part in cluster.secrets.parts}
    values = store.values(names.values())
    stored = {part: values[name] for part, name in names.items() if name in values}
    differing = cluster.secrets.differing(stored)
    if not replace and (other := [f"{part} {key}".rstrip() for part in PARTS for key in differing.get(part, ())]):
        raise FailedError(
            f"cluster {cluster.name} has other secrets ({_some(other)}): the files are of another cluster, or its "
            "secrets were replaced; use --replace-secrets for that. Nothing was written"
        )
    for part, text in cluster.secrets.texts(stored).items():
        name, before = names[part], stored.get(part)
        change = _CREATED if before is None else _UNCHANGED if before == text else _CHANGED
        write = None if before == text else lambda name=name, text=text: store.set(name, text)
        yield Change("secret", name, change, differing.get(part, ()) if before is not None else (), write)


def _document_changes(documents: Documents, cluster: Cluster, assets: str) -> Iterator[Change]:
    for template in cluster.templates:
        before = documents.template(template.kind, template.id)
        change = _CREATED if before is None else _UNCHANGED if before == template.body else _CHANGED
        what: Sequence[str] = ()
        if change == _CHANGED and before is not None:
            what = differing_paths(template_values(before), template_values(template.body)) or [_SAME_VALUES]
        write = None if change == _UNCHANGED else lambda one=template: documents.put_template(*one)
        yield Change("template", template.id, change, what, write)
    for profile in cluster.profiles:
        stored = _stored_profile(documents, profile.id)
        yield _change("profile", stored, _kept(profile, stored, assets), documents.put_profile)


def _stored_profile(documents: Documents, profile_id: str) -> Profile | None:
    """The profile; None also for one that cannot be read, which is replaced."""
    try:
        return documents.profile(profile_id)
    except DocumentError:
        return None


def _kept(profile: Profile, stored: Profile | None, assets: str) -> Profile:
    """The profile with what an operator may have changed in the stored one."""
    if stored is None or stored.boot is None or profile.boot is None:
        return profile
    boot = stored.boot._replace(kernel=profile.boot.kernel, initrd=profile.boot.initrd) if assets else stored.boot
    return stored._replace(ignition_id=profile.ignition_id, boot=boot)


def _change(kind: str, before: _Document | None, after: _Document, put: Callable[[_Document], None]) -> Change:
    if before is None:
        return Change(kind, after.id, _CREATED, (), lambda: put(after))
    what = differing_paths(before.document(), after.document())
    return Change(kind, after.id, _CHANGED if what else _UNCHANGED, what, (lambda: put(after)) if what else None)


def _group_changes(documents: Documents, stored: Sequence[Group], cluster: Cluster, *, prune: bool) -> Iterator[Change]:
    """The changes of groups: a node keeps its group, found by its machine or else by its id."""
    own = {role_id(cluster.name, role) for role in ROLES}
    groups = {group.id: group for group in stored if group.profile in own}
    by_machine = {_machine(group): group for group in groups.values()}
    kept: set[str] = set()
    for group in cluster.groups:
        before = by_machine.get(_machine(group)) or groups.get(group.id)
        if before is not None:
            kept.add(before.id)
            others = {key: value for key, value in before.metadata.items() if key not in _OWN_METADATA}
            policy = before.boot if before.boot is not None and before.boot.token else POLICY
            group = group._replace(id=before.id, metadata={**others, **group.metadata}, boot=policy)
        yield _change("group", before, group, documents.put_group)
    for group in groups.values():
        if group.id not in kept:
            delete = (lambda one=group: documents.delete_group(one.id)) if prune else None
            yield Change("group", group.id, _DELETED if prune else _GONE, (), delete)


def _machine(group: Group) -> object:
    return tuple(sorted(group.selector.items()))
