"""How do an operator's files get into the bucket below `assets/`, and out of it?

Each object has its content type, and in its metadata the SHA-256 of its bytes, by which it is known again.
"""

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from lambda_matchbox.aws.assets import object_key
from lambda_matchbox.aws.clients.store_clients import StoreClients
from lambda_matchbox.aws.layout import ASSETS_PREFIX
from lambda_matchbox.golang.http import content_type

_DIGEST = "sha256"
_PIECE = 1024 * 1024


class AssetFile(NamedTuple):
    """A file as it would be put."""

    file: Path
    size: int
    sha256: str
    content_type: str


def asset_file(path: str, file: Path) -> AssetFile:
    """Read the file that is to be served under this path. Raises OSError."""
    digest = hashlib.sha256()
    with file.open("rb") as opened:
        head = opened.read(content_type.SNIFFED)
        digest.update(head)
        size = len(head)
        while piece := opened.read(_PIECE):
            digest.update(piece)
            size += len(piece)
    return AssetFile(file, size, digest.hexdigest(), content_type.of_file(path, head))


class AssetObjects:
    """The objects below `assets/` of a bucket; for any number of threads."""

    def __init__(self, clients: StoreClients) -> None:
        self._s3 = clients.s3
        self._bucket = clients.bucket

    def sizes(self) -> dict[str, int]:
        """The bytes of each asset, by its path."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=ASSETS_PREFIX)
        listed = (found for page in pages for found in page.get("Contents", ()))
        # Consoles make an empty object for what they show as a directory.
        paths = ((found["Key"].removeprefix(ASSETS_PREFIX), found["Size"]) for found in listed)
        return {path: size for path, size in paths if path and not path.endswith("/")}

    def sha256(self, path: str) -> str | None:
        """The digest that was put with the asset; None where it was put by other means."""
        return self._s3.head_object(Bucket=self._bucket, Key=ASSETS_PREFIX + path)["Metadata"].get(_DIGEST)

    def holds(self, path: str, file: AssetFile) -> bool:
        """Whether the asset, which is known to be there, is this file."""
        head = self._s3.head_object(Bucket=self._bucket, Key=ASSETS_PREFIX + path)
        known = head["ContentLength"], head["Metadata"].get(_DIGEST), head["ContentType"]
        return known == (file.size, file.sha256, file.content_type)

    def put(self, path: str, file: AssetFile, sent: Callable[[int], object]) -> None:
        """Put it, whole or not at all; `sent` is told how many more bytes are on their way."""
        self._s3.upload_file(
            str(file.file),
            self._bucket,
            ASSETS_PREFIX + path,
            ExtraArgs={"ContentType": file.content_type, "Metadata": {_DIGEST: file.sha256}},
            Callback=sent,
        )

    def get(self, path: str, file: Path, received: Callable[[int], object]) -> None:
        """Write the asset to a file; `received` is told how many more bytes there are."""
        self._s3.download_file(self._bucket, ASSETS_PREFIX + path, str(file), Callback=received)

    def delete(self, path: str) -> None:
        """Take the asset away."""
        self._s3.delete_object(Bucket=self._bucket, Key=ASSETS_PREFIX + path)


def unwritable(paths: Iterable[str]) -> dict[str, str]:
    """A line for each path that no object can have."""
    reason = "the path is no UTF-8, or longer than an object's may be (1,017 bytes)"
    return {path: f"asset {path!r}: {reason}" for path in paths if object_key(ASSETS_PREFIX, path) is None}
