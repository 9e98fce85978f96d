"""The commands on image sources and their releases."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from matchboxctl.cli.commands import Command
from matchboxctl.cli.options import MODES, output_option, store_flags
from matchboxctl.store.advice import chosen_with_advice

if TYPE_CHECKING:
    from lambda_matchbox.image_sync.sources import SourceStores

_store = store_flags("directory with sources/ and releases/")


def _command(*examples: str) -> Callable[[Callable[..., Any]], Command]:
    return click.command(cls=Command, epilog=MODES, examples=examples)


@contextmanager
def _stores(data_path: str, stack: str) -> Iterator["SourceStores"]:
    from matchboxctl.releases.source_stores import stores_in_directory, stores_in_table

    with chosen_with_advice(data_path, stack) as store:
        yield stores_in_directory(store) if isinstance(store, Path) else stores_in_table(store)


def _complete(context: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    from matchboxctl.cli.names import completions
    from matchboxctl.releases.source_stores import source_ids

    def ids() -> set[str]:
        with _stores(context.params["data_path"], context.params["stack"]) as stores:
            return source_ids(stores)

    return completions(ids, incomplete, context.params.get("sources") or ())


_source = click.argument("source", metavar="ID", shell_complete=_complete)


@_command("matchboxctl sync", "matchboxctl sync talos-arm64")
@click.argument("sources", metavar="[ID]...", nargs=-1, shell_complete=_complete)
@_store
@output_option()
def sync(sources: Sequence[str], data_path: str, stack: str, output: str) -> None:
    """Publish the newest images of image sources, by default of all.

    Boot images are pulled from a container registry, verified, and published as a release; a source with `verify`
    takes only images that its key or identity has signed. Logins of private registries are in docker's config.json (in
    DOCKER_CONFIG, else ~/.docker). Exits with 0 only if every source is up to date.
    """
    from matchboxctl.releases.sync import sync

    with _stores(data_path, stack) as stores:
        sync(stores, sources, os.environ, output)


@_command("matchboxctl releases talos-arm64", "matchboxctl releases talos-arm64 -o env")
@_source
@_store
@output_option("table", "env")
def releases(source: str, data_path: str, stack: str, output: str) -> None:
    """Show the releases of an image source, the newest first.

    The output env has TALOS_VERSION, KERNEL_DIGEST and INITRAMFS_DIGEST of the current release.
    """
    from matchboxctl.releases.commands import releases

    with _stores(data_path, stack) as stores:
        releases(stores, source, output)


@_command("matchboxctl rollback talos-arm64")
@_source
@click.argument("digest", metavar="[DIGEST]", required=False)
@_store
def rollback(source: str, digest: str | None, data_path: str, stack: str) -> None:
    """Serve an older release of an image source, and hold it.

    The release is the one of that digest, by default the previous one. Syncs do not update the source until
    `matchboxctl follow ID`.
    """
    from matchboxctl.releases.commands import rollback

    with _stores(data_path, stack) as stores:
        rollback(stores, source, digest)


@_command("matchboxctl follow talos-arm64")
@_source
@_store
def follow(source: str, data_path: str, stack: str) -> None:
    """Let syncs update an image source again after a rollback."""
    from matchboxctl.releases.commands import follow

    with _stores(data_path, stack) as stores:
        follow(stores, source)


@_command("matchboxctl withdraw talos-arm64")
@_source
@_store
def withdraw(source: str, data_path: str, stack: str) -> None:
    """Stop serving the releases of a removed image source."""
    from matchboxctl.releases.commands import withdraw_removed

    with _stores(data_path, stack) as stores:
        withdraw_removed(stores, source)
