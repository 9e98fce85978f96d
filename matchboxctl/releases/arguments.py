"""The commands on image sources and their releases."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from matchboxctl.cli.commands import Command
from matchboxctl.cli.options import MODES, completed_by, opened_by, output_option
from matchboxctl.store.advice import advising_on, chosen_with_advice

if TYPE_CHECKING:
    from lambda_matchbox.image_sync.sources import SourceStores


def _command(*examples: str) -> Callable[[Callable[..., Any]], Command]:
    return click.command(cls=Command, epilog=MODES, examples=examples)


@contextmanager
def _stores(data_path: str, stack: str) -> Iterator["SourceStores"]:
    from matchboxctl.releases.source_stores import source_stores

    with (
        chosen_with_advice(data_path, stack) as store,
        nullcontext() if isinstance(store, Path) else advising_on(store),
    ):
        yield source_stores(store)


def _ids(stores: "SourceStores", _: str) -> set[str]:
    from matchboxctl.releases.source_stores import source_ids

    return source_ids(stores)


_store = opened_by(_stores, "directory with sources/ and releases/")
_complete = completed_by(_stores, _ids, "sources")
_source = click.argument("source", metavar="ID", shell_complete=_complete)


@_command("matchboxctl sync", "matchboxctl sync talos-arm64")
@click.argument("sources", metavar="[ID]...", nargs=-1, shell_complete=_complete)
@_store
@output_option()
def sync(stores: "SourceStores", sources: Sequence[str], output: str) -> None:
    """Publish the newest images of image sources, by default of all.

    Boot images are pulled from a container registry, verified, and published as a release; a source with `verify`
    takes only images that its key or identity has signed. Logins of private registries are in docker's config.json (in
    DOCKER_CONFIG, else ~/.docker). Exits with 0 only if every source is up to date.
    """
    from matchboxctl.releases.sync import sync

    sync(stores, sources, os.environ, output)


@_command("matchboxctl releases talos-arm64", "matchboxctl releases talos-arm64 -o env")
@_source
@_store
@output_option("table", "env", "configmap")
def releases(stores: "SourceStores", source: str, output: str) -> None:
    """Show the releases of an image source, the newest first.

    The outputs env and configmap have TALOS_VERSION, KERNEL_DIGEST and INITRAMFS_DIGEST of the current release;
    configmap is a Kubernetes ConfigMap with the source's id as its name, for Flux to substitute from.
    """
    from matchboxctl.releases.commands import releases

    releases(stores, source, output)


@_command("matchboxctl rollback talos-arm64")
@_source
@click.argument("digest", metavar="[DIGEST]", required=False)
@_store
def rollback(stores: "SourceStores", source: str, digest: str | None) -> None:
    """Serve an older release of an image source, and hold it.

    The release is the one of that digest, by default the previous one. Syncs do not update the source until
    `matchboxctl follow ID`.
    """
    from matchboxctl.releases.commands import rollback

    rollback(stores, source, digest)


@_command("matchboxctl follow talos-arm64")
@_source
@_store
def follow(stores: "SourceStores", source: str) -> None:
    """Let syncs update an image source again after a rollback."""
    from matchboxctl.releases.commands import follow

    follow(stores, source)


@_command("matchboxctl withdraw talos-arm64")
@_source
@_store
def withdraw(stores: "SourceStores", source: str) -> None:
    """Stop serving the releases of a removed image source."""
    from matchboxctl.releases.commands import withdraw_removed

    withdraw_removed(stores, source)
