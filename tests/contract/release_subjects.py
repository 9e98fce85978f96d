"""The release stores under one contract suite."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from lambda_matchbox.assets.stores import Releases
from lambda_matchbox.aws.assets import S3Assets
from lambda_matchbox.aws.clients.dynamodb import DynamoDB
from lambda_matchbox.aws.clients.dynamodb_json import encode_item
from lambda_matchbox.aws.clients.http_client import HttpClient
from lambda_matchbox.aws.clients.s3 import S3
from lambda_matchbox.aws.clients.sigv4 import Credentials
from lambda_matchbox.aws.keys import KEY, release_prefix, sync_key
from lambda_matchbox.aws.releases.reader import TableReleases
from lambda_matchbox.aws.releases.store import TableReleaseStore
from lambda_matchbox.releases.pointers import Pointer, Release
from lambda_matchbox.releases.store import ReleaseStore
from matchboxctl.directory.releases import DirectoryReleaseStore
from matchboxctl.directory.served_releases import DirectoryReleases
from tests.rigs.catalog_table import ENOUGH
from tests.rigs.service import Service
from tests.rigs.stores import Stores, new_stores
from tests.support.memory_releases import MemoryReleases, MemoryReleaseStore

LIFETIME = 3600
ON_SERVICES = ["moto", pytest.param("real", marks=pytest.mark.real)]
"""Of the fixtures that take them: moto, or DynamoDB Local with versitygw."""


class ReleaseSubject(NamedTuple):
    """A store of releases, empty at first.

    `store` opens the store of a source, as another process would. `usurp` gives the lease of a source to another,
    None where a lease cannot be lost. `kill_holder` runs a process that is killed while it holds the lease of a source,
    None where leases end with this process.
    """

    served: Releases
    store: Callable[[str], ReleaseStore]
    usurp: Callable[[str], object] | None = None
    kill_holder: Callable[[str], object] | None = None


class OnStores(NamedTuple):
    """Releases in a table and a bucket; `store` opens one with the given lifetime of leases."""

    stores: Stores
    subject: ReleaseSubject
    store: Callable[[str, float], TableReleaseStore]

    def head(self, source_id: str, directory: str, name: str) -> dict[str, Any]:
        """The headers of an object, with its checksum."""
        with closing(self.stores.buckets.client("s3")) as s3:
            key = release_prefix(source_id, directory) + name
            return dict(s3.head_object(Bucket=self.stores.name, Key=key, ChecksumMode="ENABLED"))

    def lease_end(self, source_id: str) -> int:
        """When the lease of the source ends unless it is renewed, in milliseconds since 1970."""
        with closing(self.stores.tables.client("dynamodb")) as client:
            response = client.get_item(TableName=self.stores.name, Key=encode_item({KEY: sync_key(source_id)}))
        return int(response["Item"]["until"]["N"])


def pointer(*digests: str, assets: str = "talos/arm64", held: bool = False) -> Pointer:
    """A pointer to the first of the digests."""
    releases = tuple(Release(digest, f"directory-{digest}", 10 - number) for number, digest in enumerate(digests))
    return Pointer(assets, digests[0], held, releases)


def in_memory() -> ReleaseSubject:
    """Memory; a lease there can be lost as one in a table can."""
    releases = MemoryReleases()

    def usurp(source_id: str) -> None:
        releases.leases[source_id] = "another's"

    return ReleaseSubject(releases, lambda source_id: MemoryReleaseStore(releases, source_id), usurp)


_IN_DIRECTORY = """
import os, signal, sys
from pathlib import Path
from matchboxctl.directory.releases import DirectoryReleaseStore
with DirectoryReleaseStore(Path(sys.argv[2]), sys.argv[1]).lease():
    os.kill(os.getpid(), signal.SIGKILL)
"""
_ON_STORES = """
import os, signal, sys
from lambda_matchbox.aws.releases.store import TableReleaseStore
from matchboxctl.store.mode import chosen_store
with TableReleaseStore(chosen_store("").light_clients(), sys.argv[1], lease_seconds=1.0).lease():
    os.kill(os.getpid(), signal.SIGKILL)
"""


def in_directory(root: Path) -> ReleaseSubject:
    """A directory below `root`, whose leases end with their processes and cannot be lost before."""
    root = root / "releases"
    return ReleaseSubject(
        DirectoryReleases(root),
        lambda source_id: DirectoryReleaseStore(root, source_id),
        kill_holder=lambda source_id: _run_killed(_IN_DIRECTORY, os.environ, source_id, str(root)),
    )


@contextmanager
def on_stores(tables: Service, buckets: Service) -> Iterator[OnStores]:
    """A new table and bucket."""
    stores = new_stores(tables, buckets)
    stores.create()
    with ExitStack() as opened:
        http = opened.enter_context(closing(HttpClient(connect_timeout=ENOUGH, read_timeout=ENOUGH)))

        def store(source_id: str, lease_seconds: float = ENOUGH) -> TableReleaseStore:
            return TableReleaseStore(stores.light_clients(), source_id, lease_seconds=lease_seconds)

        def usurp(source_id: str) -> None:
            item = {KEY: sync_key(source_id), "lease": "another's", "until": 10**15}
            with closing(stores.tables.client("dynamodb")) as client:
                client.put_item(TableName=stores.name, Item=encode_item(item))

        credentials = Credentials(buckets.access_key, buckets.secret_key, buckets.session_token)
        dynamodb = DynamoDB(tables.endpoint, tables.region, lambda: credentials, http)
        s3 = S3(buckets.endpoint, buckets.region, stores.name, lambda: credentials, http)
        assets = S3Assets(s3, LIFETIME, call_timeout=ENOUGH)
        releases = TableReleases(dynamodb, stores.name, assets, call_timeout=ENOUGH)
        environment = {**os.environ, **stores.environment()}
        yield OnStores(
            stores,
            ReleaseSubject(releases, store, usurp, lambda source_id: _run_killed(_ON_STORES, environment, source_id)),
            store,
        )


def _run_killed(program: str, environment: Mapping[str, str], *arguments: str) -> None:
    ended = subprocess.run([sys.executable, "-c", program, *arguments], env=environment, check=False)
    assert -signal.SIGKILL == ended.returncode
