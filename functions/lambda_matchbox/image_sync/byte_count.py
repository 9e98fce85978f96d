"""How many bytes of an image have arrived, and do they arrive in time?"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from lambda_matchbox.oci.descriptors import Blob, Descriptor, OpenBlob
from lambda_matchbox.oci.distribution.registry import Registry
from lambda_matchbox.oci.errors import RegistryError
from lambda_matchbox.oci.image_reference import ImageReference


class ByteCount(Protocol):
    """Is told of a download."""

    def begin(self, total: int) -> None:
        """A download begins, of `total` bytes at most: layers that cannot matter are left out."""

    def add(self, count: int) -> None:
        """That many more bytes have arrived."""


class _Counted:
    def __init__(self, blob: Blob, add: Callable[[int], object]) -> None:
        self._blob = blob
        self._add = add

    def read(self, size: int) -> bytes:
        piece = self._blob.read(size)
        self._add(len(piece))
        return piece


def counted(
    registry: Registry,
    image: ImageReference,
    layers: Sequence[Descriptor],
    count: ByteCount | None,
    time_limit: float,
) -> OpenBlob:
    """What opens blobs of the image, and tells `count` of each byte.

    Where they have not all been read after `time_limit` seconds, reading raises RegistryError.
    """
    if count is not None:
        count.begin(sum(layer.size for layer in layers))
    end = time.monotonic() + time_limit

    def add(size: int) -> None:
        if time.monotonic() > end:
            raise RegistryError(f"{image}: its layers have not come within {time_limit / 60:g} minutes")
        if count is not None:
            count.add(size)

    @contextmanager
    def open_blob(descriptor: Descriptor) -> Iterator[Blob]:
        with registry.open_blob(image, descriptor) as blob:
            yield _Counted(blob, add)

    return open_blob
