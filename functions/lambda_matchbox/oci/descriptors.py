"""What a manifest says of the parts of an image (OCI image specification, "Descriptor")."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol


class Descriptor(NamedTuple):
    """One part: its media type, digest (`sha256:` and 64 hexadecimal digits), size in bytes, and annotations."""

    media_type: str
    digest: str
    size: int
    annotations: Mapping[str, str] = {}


class Manifest(NamedTuple):
    """An image: its config (whose labels are read from it) and its layers, the lowest first."""

    config: Descriptor
    layers: tuple[Descriptor, ...]
    annotations: Mapping[str, str] = {}


class Blob(Protocol):
    """The bytes of a part as they arrive."""

    def read(self, size: int) -> bytes:
        """At most `size` bytes (at least one is asked for), none at the end.

        Raises DigestError at the end at the latest where the bytes are not those of the descriptor, and RegistryError
        where they cannot be had. What was read before the end is not verified yet.
        """


OpenBlob = Callable[[Descriptor], AbstractContextManager[Blob]]
"""Opens a part of an image from its start."""
