"""The operator's files as objects of the bucket below `assets/`.

Each object has its content type and, as metadata, the SHA-256 of its bytes.
"""

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import BinaryIO, NamedTuple

from lambda_matchbox.aws.assets import object_key
from lambda_matchbox.aws.clients.store_clients import StoreClients
from lambda_matchbox.aws.keys import ASSETS_PREFIX
from lambda_matchbox.golang.http import content_type

_DIGEST = "sha256"
_CHUNK = 1024 * 1024


class LocalAsset(NamedTuple):
    """A file with what is stored of it."""

    file: Path
    size: int
    sha256: str
    content_type: str


def read_asset(path: str, file: Path) -> LocalAsset:
    """Read the file of the asset with this path. Raises OSError."""
    digest = hashlib.sha256()
    with file.open("rb") as opened:
        head = opened.read(content_type.SNIFFED)
        digest.update(head)
        size = len(head)
        while chunk := opened.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return LocalAsset(file, size, digest.hexdigest(), content_type.of_file(path, head))


class AssetObjects:
    """The objects below `assets/` of a bucket; for any number of threads."""

    def __init__(self, clients: StoreClients) -> None:
        self._clients = clients
        self._s3 = clients.s3
        self._bucket = clients.bucket

    def sizes(self) -> dict[str, int]:
        """The bytes of each asset, by its path."""
        # Consoles create an empty object for a directory.
        listed = self._clients.objects(ASSETS_PREFIX)
        paths = ((found["Key"].removeprefix(ASSETS_PREFIX), found["Size"]) for found in listed)
        return {path: size for path, size in paths if path and not path.endswith("/")}

    def sha256(self, path: str) -> str | None:
        """The digest in the asset's metadata; None if another tool stored it."""
        return self._s3.head_object(Bucket=self._bucket, Key=ASSETS_PREFIX + path)["Metadata"].get(_DIGEST)

    def is_same(self, path: str, file: LocalAsset) -> bool:
        """Whether the asset, which exists, is this file."""
        head = self._s3.head_object(Bucket=self._bucket, Key=ASSETS_PREFIX + path)
        known = head["ContentLength"], head["Metadata"].get(_DIGEST), head["ContentType"]
        return known == (file.size, file.sha256, file.content_type)

    def put(self, path: str, file: LocalAsset, sent: Callable[[int], object]) -> None:
        """Store it, whole or not at all; `sent` is given the number of further bytes sent."""
        self._s3.upload_file(
            str(file.file),
            self._bucket,
            ASSETS_PREFIX + path,
            ExtraArgs={"ContentType": file.content_type, "Metadata": {_DIGEST: file.sha256}},
            Callback=sent,
        )

    def get(self, path: str, file: BinaryIO, received: Callable[[int], object]) -> None:
        """Write the asset to a file; `received` is given the number of further bytes."""
        self._s3.download_fileobj(self._bucket, ASSETS_PREFIX + path, file, Callback=received)

    def delete(self, path: str) -> None:
        """Delete the asset."""
        self._s3.delete_object(Bucket=self._bucket, Key=ASSETS_PREFIX + path)


def invalid_paths(paths: Iterable[str]) -> dict[str, str]:
    """A message for each path that no object can have."""
    reason = "the path is not UTF-8 or is longer than 1,017 bytes, S3's limit"
    return {path: f"asset {path!r}: {reason}" for path in paths if object_key(ASSETS_PREFIX, path) is None}
