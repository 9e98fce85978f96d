"""The entries of a layer: those of its archive, compressed or not, or its one plain file."""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain

from lambda_matchbox.oci.descriptors import Descriptor, OpenBlob
from lambda_matchbox.oci.errors import ImageError
from lambda_matchbox.oci.image.archive_stream import BLOCK
from lambda_matchbox.oci.image.decompression import beginning_of, decompressed
from lambda_matchbox.oci.image.read_ahead import read_ahead
from lambda_matchbox.oci.image.tar_stream import EntryType, LayerEntry, begins_archive, entries

MAX_LAYER_SIZE = 16 << 30
"""Bytes of a decompressed layer, with the holes of sparse files that are read."""

TITLE = "org.opencontainers.image.title"
"""The annotation with a plain file's path (OCI image specification, "Pre-Defined Annotation Keys"; used so by ORAS)."""

UNPACK = "io.deis.oras.content.unpack"
"""The annotation, `true`, of a titled archive that is a directory (ORAS)."""

_LAYER_TYPE = re.compile(
    r"application/vnd\.(?:oci\.image\.layer\.|docker\.image\.rootfs\.|cncf\.flux\.content\.).*tar.*", re.ASCII
)
_NOT_DISTRIBUTED = re.compile(
    r"application/vnd\.(?:oci\.image\.layer\.nondistributable|docker\.image\.rootfs\.foreign)\..*"
)

LayerEntries = Iterator[tuple[LayerEntry, Iterable[bytes]]]
"""Entries with their bodies; a body can be read until the next entry is requested."""


def plain_file(layer: Descriptor) -> LayerEntry | None:
    """The file that the layer is, if its descriptor says so: it has a title and is not of an archive's type."""
    title = layer.annotations.get(TITLE, "")
    if not title or _LAYER_TYPE.fullmatch(layer.media_type) or _is_directory(layer):
        return None
    return LayerEntry(title, EntryType.FILE, "", layer.size)


@contextmanager
def open_layer(layer: Descriptor, open_blob: OpenBlob, limit: int = MAX_LAYER_SIZE) -> Iterator[LayerEntries]:
    """The layer's entries, at most `limit` bytes with their headers; after the last one the whole blob was read.

    The format is recognized by the content; the media type matters only for a file with a title. Raises ImageError,
    which names the layer, for a damaged archive, and what the blob raises.
    """
    with naming(layer):
        if not is_distributed(layer):
            raise ImageError("it is needed, but registries do not distribute this type of layer")
        with open_blob(layer) as blob, read_ahead(blob) as pieces:
            yield _entries(layer, pieces, limit)


@contextmanager
def naming(layer: Descriptor) -> Iterator[None]:
    """Prefix an ImageError with the layer's digest and type."""
    try:
        yield
    except ImageError as error:
        raise ImageError(f"layer {layer.digest} ({layer.media_type}): {error}") from error


def is_distributed(layer: Descriptor) -> bool:
    """Whether registries hold it; of "foreign" and "non-distributable" layers they have only the descriptor."""
    return not _NOT_DISTRIBUTED.fullmatch(layer.media_type)


def _entries(layer: Descriptor, pieces: Iterator[bytes], limit: int) -> LayerEntries:
    first = next(pieces, b"")
    rest = chain((first,), pieces)
    title = layer.annotations.get(TITLE, "")
    # ORAS gives plain files an archive's media type by default.
    if plain_file(layer) or (title and not _is_directory(layer) and not begins_archive(beginning_of(first, BLOCK))):
        return _one_file(LayerEntry(title, EntryType.FILE, "", layer.size), rest)
    size = _Size(limit)
    return entries(size.counted(decompressed(rest)), size.add)


def _is_directory(layer: Descriptor) -> bool:
    return layer.annotations.get(UNPACK, "") == "true"


def _one_file(entry: LayerEntry, pieces: Iterator[bytes]) -> LayerEntries:
    yield entry, pieces
    for _ in pieces:
        pass


class _Size:
    """The bytes of a layer so far, with the holes of the files that were read."""

    def __init__(self, limit: int) -> None:
        self._limit = self._left = limit

    def add(self, size: int) -> None:
        """Raises ImageError where the limit is exceeded."""
        self._left -= size
        if self._left < 0:
            raise ImageError(f"more than {self._limit} bytes when decompressed")

    def counted(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            self.add(len(piece))
            yield piece
