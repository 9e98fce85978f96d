"""`matchboxctl talos`, with its verbs."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from matchboxctl.cli.commands import Group
from matchboxctl.cli.options import MODES, argument, completed_by, opened_by, option, output_option
from matchboxctl.store.advice import chosen_with_advice

if TYPE_CHECKING:
    from matchboxctl.talos.opened import Opened

EPILOG = "Exit codes: 0 success, 1 failure, 2 wrong usage, 130 interrupted. " + MODES

VERIFY_EPILOG = "Exit codes: 0 nothing found, 1 problems, 2 wrong usage, 4 no group boots Talos. " + MODES

talos = Group(
    "talos",
    help="Import, verify and try clusters of Talos.",
    epilog=EPILOG,
    subcommand_metavar="VERB ...",
    examples=[
        "matchboxctl talos import cp.yaml worker.yaml --nodes n.csv --cluster c",
        "matchboxctl talos verify --cluster c",
    ],
)


@contextmanager
def _opened(data_path: str, stack: str) -> Iterator["Opened"]:
    from matchboxctl.talos.opened import opened

    with chosen_with_advice(data_path, stack) as store, opened(store) as found:
        yield found


_on_store = opened_by(_opened)
_complete_cluster = completed_by(_opened, lambda opened, _: opened.clusters())


@talos.command(
    "import",
    epilog="""Columns of nodes.csv: mac or uuid, role (controlplane or worker), hostname, address (such as 10.0.0.11/24,
several with spaces), gateway, interface, disk, and any value of the configuration, such as machine.nodeLabels.rack. A
nodes.yaml is a list of nodes with these keys and `patches`, a list of strategic-merge patches. """
    + EPILOG,
    examples=[
        "matchboxctl talos import *.yaml --nodes n.csv --cluster c --dry-run",
        "matchboxctl talos import *.yaml --nodes n.csv --cluster c --assets arm64",
    ],
)
@argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@option("--nodes", metavar="FILE", required=True, type=click.Path(path_type=Path), help="the nodes, as CSV or YAML")
@click.option(
    "--cluster", metavar="NAME", required=True, shell_complete=_complete_cluster, help="what ids and secrets begin with"
)
@option(
    "--assets",
    metavar="PATH",
    default="",
    show_default="talos, or what existing profiles have",
    help="where vmlinuz and initramfs.xz are below /assets/, such as talos/arm64",
)
@click.option("--dry-run", is_flag=True, help="show what would change, and write nothing")
@click.option("--prune", is_flag=True, help="delete the groups of nodes that are gone from the list")
@click.option("--replace-secrets", is_flag=True, help="replace the secrets of a cluster that has others")
@_on_store
@output_option()
def import_(
    opened: "Opened",
    files: Sequence[Path],
    nodes: Path,
    cluster: str,
    assets: str,
    output: str,
    *,
    dry_run: bool,
    prune: bool,
    replace_secrets: bool,
) -> None:
    """Make templates, profiles, groups and secrets of what `talosctl gen config` wrote.

    Every secret value goes into the store of secrets; the templates have references. The files' comments and documents
    stay. Again after an upgrade or with new nodes, only what differs is written. FILE may also be what `talosctl gen
    secrets` wrote, which is then stored and compared.
    """
    from matchboxctl.talos.importing import ImportOptions, import_cluster

    options = ImportOptions(files, nodes, cluster, assets.strip("/"), dry_run, prune, replace_secrets)
    import_cluster(opened.documents, opened.secrets, options, output)


@talos.command("verify", epilog=VERIFY_EPILOG, examples=["matchboxctl talos verify --cluster c"])
@click.option(
    "--cluster",
    metavar="NAME",
    default="",
    show_default="every group that boots Talos",
    shell_complete=_complete_cluster,
    help="the cluster whose nodes to verify",
)
@_on_store
@output_option()
def verify(opened: "Opened", cluster: str, output: str) -> None:
    """Check the configuration of every node, as it is rendered for it.

    By `talosctl validate --mode metal` where talosctl is on PATH, otherwise by checks of YAML, known kinds and keys,
    placeholders and what a role may have. Secrets are read from their store; nothing of them is printed.
    """
    from matchboxctl.talos.verify import verify

    verify(opened.documents, opened.secrets, cluster, output)


@talos.command(
    "secrets",
    epilog=EPILOG,
    examples=["matchboxctl talos secrets --cluster try", "matchboxctl talos secrets --cluster prod --export s.yaml"],
)
@click.option(
    "--cluster", metavar="NAME", required=True, shell_complete=_complete_cluster, help="the cluster to make them for"
)
@option(
    "--file", "-f", metavar="FILE", default="", help="store what `talosctl gen secrets` wrote, in place of new ones"
)
@option("--export", metavar="FILE", default="", help="write them to a new file, as `talosctl gen config` reads them")
@_on_store
@output_option()
def secrets(opened: "Opened", cluster: str, file: str, export: str, output: str) -> None:
    """Make the secrets of a cluster, as `talosctl gen secrets` does.

    Existing ones are never overwritten. No value is printed.
    """
    from matchboxctl.talos.cluster_secrets import make

    make(opened.secrets, cluster, Path(file) if file else None, Path(export) if export else None, output)
