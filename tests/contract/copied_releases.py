"""Releases whose files have copies, and what stands in front of them."""

import hashlib
import math
from pathlib import Path
from typing import Any, NamedTuple

from lambda_matchbox.assets.released import ReleasedAssets
from lambda_matchbox.aws.assets import S3Assets
from lambda_matchbox.aws.keys import ASSETS_PREFIX, SERVED_PREFIX
from lambda_matchbox.aws.releases.copies import ReleaseCopies
from lambda_matchbox.aws.releases.store import TableReleaseStore
from lambda_matchbox.oci.image_reference import ImageReference
from lambda_matchbox.releases.pointers import Release, published
from lambda_matchbox.releases.sources import Source
from lambda_matchbox.releases.store import ReleaseFile
from tests.contract.release_subjects import OnStores

SOURCE = Source("arm", ImageReference("ghcr.io", "team/boot", "v1", ""), "talos/arm64")
ONE, TWO, THREE = (f"sha256:{letter * 64}" for letter in "123")
PATHS = ["talos/arm64/vmlinuz", "talos/arm64/boot/a file+ü%41", "talos/arm64/extra", "own", "talos/own"]


class Door(NamedTuple):
    """A bucket whose releases have copies, and what stands in front of it."""

    stored: OnStores
    store: TableReleaseStore
    copies: ReleaseCopies
    own: S3Assets
    path: Path

    def publish(self, digest: str, directory: str, files: dict[str, bytes], now: int, source: Source = SOURCE) -> None:
        """As a sync does."""
        self.put(directory, files)
        old = self.store.pointer()
        self.store.move(old, published(old, source, Release(digest, directory, now), now))

    def put(self, directory: str, files: dict[str, bytes]) -> None:
        for name, body in files.items():
            file = self.path / "file"
            file.write_bytes(body)
            self.store.put(directory, name, ReleaseFile(file, len(body), hashlib.sha256(body).hexdigest(), "text/x"))

    def app(self, path: str, release: str | None) -> bytes | None:
        served = self.stored.subject.served
        assets = ReleasedAssets(self.own, served, served.pointers(), release)
        file = assets.file(path)
        return None if file is None else assets.read(path, 0, file.size)

    def cloudfront(self, path: str, release: str | None) -> bytes | None:
        """The first origin has the copies, the second the operator's own files; the path is the same for both."""
        uri = path + (f".release-{release[7:]}" if release else "")
        return self.object(SERVED_PREFIX + uri) or self.object(ASSETS_PREFIX + uri)

    def object(self, key: str) -> bytes | None:
        return self.store._clients.s3.get(key, 0, 1 << 20, math.inf)

    def head(self, key: str) -> Any:
        clients = self.stored.stores.clients()
        return clients.s3.head_object(Bucket=clients.bucket, Key=SERVED_PREFIX + key)

    def copied(self) -> set[str]:
        listed = self.stored.stores.clients().objects(SERVED_PREFIX)
        return {each["Key"].removeprefix(SERVED_PREFIX) for each in listed}


def put_own(door: Door, *paths: str) -> None:
    for path in paths:
        door.stored.stores.put_asset(path, b"own")


def assert_as_the_app(door: Door, *, releases: tuple[str | None, ...] = (None, ONE, TWO, THREE)) -> None:
    found = {(path, release): door.cloudfront(path, release) for path in PATHS[:3] for release in releases}
    found |= {(path, None): door.cloudfront(path, None) for path in PATHS[3:]}
    assert {asked: door.app(*asked) for asked in found} == found
