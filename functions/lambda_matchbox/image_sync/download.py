"""Download of an image's layers, with a time limit and progress."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple, Protocol

from lambda_matchbox.oci.descriptors import Blob, Descriptor, OpenBlob
from lambda_matchbox.oci.distribution.registry import Registry
from lambda_matchbox.oci.errors import RegistryError
from lambda_matchbox.oci.image_reference import ImageReference


class DownloadProgress(Protocol):
    """Receives the progress of a download."""

    def begin(self, total: int) -> None:
        """A download of at most `total` bytes begins; layers that are not needed are skipped."""

    def add(self, count: int) -> None:
        """`count` more bytes have arrived."""


class Downloads(NamedTuple):
    """Downloads from a registry: the layers of an image within `time_limit` seconds."""

    registry: Registry
    time_limit: float = 1800.0
    progress: DownloadProgress | None = None

    def open_blobs(self, image: ImageReference, layers: Sequence[Descriptor]) -> OpenBlob:
        """A function that opens blobs of the image; past the time limit reading raises RegistryError."""
        if self.progress is not None:
            self.progress.begin(sum(layer.size for layer in layers))
        end = time.monotonic() + self.time_limit

        def count(size: int) -> None:
            if time.monotonic() > end:
                raise RegistryError(f"{image}: download took longer than {self.time_limit / 60:g} minutes")
            if self.progress is not None:
                self.progress.add(size)

        @contextmanager
        def open_blob(descriptor: Descriptor) -> Iterator[Blob]:
            with self.registry.open_blob(image, descriptor) as blob:
                yield _CountedBlob(blob, count)

        return open_blob


class _CountedBlob:
    def __init__(self, blob: Blob, count: Callable[[int], object]) -> None:
        self._blob = blob
        self._count = count

    def read(self, size: int) -> bytes:
        piece = self._blob.read(size)
        self._count(len(piece))
        return piece
