"""`matchboxctl talos import`: what a cluster's files and nodes change in the store, and writing it."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from lambda_matchbox.catalog.groups import Group
from matchboxctl.cli.errors import FailedError, on_interrupt
from matchboxctl.cli.output import print_result
from matchboxctl.cli.plurals import counted
from matchboxctl.cli.progress import Progress
from matchboxctl.cli.tables import shown, table
from matchboxctl.documents.protocol import Documents
from matchboxctl.secrets.stores import SecretWriter
from matchboxctl.talos.changes import Became, Change, document_changes, group_changes, secret_changes, some
from matchboxctl.talos.cluster import DEFAULT_ASSETS, Cluster, RoleFile, assemble, check_name, role_id
from matchboxctl.talos.machine_config import ConfigError, MachineConfig, value_of
from matchboxctl.talos.node_values import ROLES
from matchboxctl.talos.nodes import Node, NodesError, read_nodes
from matchboxctl.talos.opened import warn
from matchboxctl.talos.rules import problems, unknown_names
from matchboxctl.talos.secret_values import Secrets

_HEAD = ("KIND", "NAME", "CHANGE", "WHAT")


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


def import_cluster(documents: Documents, secrets: SecretWriter, options: ImportOptions, output: str) -> None:
    """Print what differs, and write it. Raises CommandError; then nothing is written that was wrong."""
    groups = documents.groups(warn)
    cluster = _read(groups, options)
    changes = [
        *secret_changes(secrets, cluster, replace=options.replace_secrets),
        *document_changes(documents, cluster, options.assets),
        *group_changes(documents, groups, cluster, prune=options.prune),
    ]
    due = [change for change in changes if change.write is not None]
    if not options.dry_run:
        _write(due)
    shown_changes = [change for change in changes if change.change != Became.UNCHANGED]
    result = {
        "cluster": cluster.name,
        "dry_run": options.dry_run,
        "unchanged": len(changes) - len(shown_changes),
        "changes": [change.document() for change in shown_changes],
    }
    print_result(output, lambda: result, lambda: _text(changes, shown_changes, options))


def _text(changes: Sequence[Change], differing: Sequence[Change], options: ImportOptions) -> str:
    rows = [(one.kind, one.name, one.change, some(one.what)) for one in differing]
    numbers = {each: sum(one.change == each for one in changes) for each in Became}
    always = (Became.CREATED, Became.CHANGED, Became.UNCHANGED)
    counts = [f"{number} {each}" for each, number in numbers.items() if number or each in always]
    note = "; nothing was written (--dry-run)" if options.dry_run else ""
    if numbers[Became.GONE]:
        note += "; groups that are gone from the list of nodes are deleted with --prune"
    return (table(_HEAD, rows) if rows else "") + f"cluster {shown(options.cluster)}: {', '.join(counts)}{note}\n"


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
            warn(left())


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
        warn(line)
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
    # No reason to refuse it: a later version may know them.
    for name in unknown_names(config):
        warn(f"{path.name}: {name}")


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
