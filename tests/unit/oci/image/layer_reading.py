"""Reading of a layer from a blob in small pieces."""

import io
from collections.abc import Iterator
from contextlib import contextmanager

from lambda_matchbox.oci.descriptors import Blob, Descriptor, OpenBlob
from lambda_matchbox.oci.image.layer_archive import open_layer
from lambda_matchbox.oci.image.tar_stream import EntryType
from tests.support.images import layers as made
from tests.support.images.manifests import digest_of


class Drip:
    """A blob in small pieces, followed by the error, if given."""

    def __init__(self, body: bytes, piece: int, error: Exception | None = None) -> None:
        self._body = io.BytesIO(body)
        self._piece = piece
        self._error = error
        self.ended = False

    def read(self, size: int) -> bytes:
        assert not self.ended
        piece = self._body.read(min(size, self._piece))
        if not piece:
            self.ended = True
            if self._error:
                raise self._error
        return piece


def opener(blob: Blob) -> OpenBlob:
    @contextmanager
    def open_blob(part: Descriptor) -> Iterator[Blob]:
        yield blob

    return open_blob


def read(
    body: bytes, media_type: str = made.OCI, title: str = "", unpack: bool = False, limit: int = 1 << 30
) -> list[tuple[str, EntryType, bytes]]:
    annotations = {"org.opencontainers.image.title": title} if title else {}
    if unpack:
        annotations["io.deis.oras.content.unpack"] = "true"
    layer = Descriptor(media_type, digest_of(body), len(body), annotations)
    blob = Drip(body, 1 << 16)
    with open_layer(layer, opener(blob), limit) as entries:
        found = [(entry.name, entry.type, b"".join(content)) for entry, content in entries]
    assert blob.ended
    return found
