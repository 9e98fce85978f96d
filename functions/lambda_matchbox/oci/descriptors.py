"""Descriptors of the parts of an image (OCI image specification, "Descriptor")."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol


class Descriptor(NamedTuple):
    """A part of an image: media type, digest (`sha256:` and 64 hexadecimal digits), size in bytes, and annotations."""

    media_type: str
    digest: str
    size: int
    annotations: Mapping[str, str] = {}


class Manifest(NamedTuple):
    """An image: its config and its layers, the lowest first."""

    config: Descriptor
    layers: tuple[Descriptor, ...]
    annotations: Mapping[str, str] = {}


class Blob(Protocol):
    """The bytes of a part of an image as they arrive."""

    def read(self, size: int) -> bytes:
        """At most `size` bytes (1 or more), none at the end.

        Raises RegistryError, and at the end at the latest DigestError; bytes are not verified before the end.
        """


OpenBlob = Callable[[Descriptor], AbstractContextManager[Blob]]
"""Opens a part of an image from its start."""
