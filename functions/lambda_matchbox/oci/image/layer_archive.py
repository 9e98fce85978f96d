"""What does a layer hold? Its entries, whatever its archive and compression, or its one file."""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain

from lambda_matchbox.oci.descriptors import Descriptor, OpenBlob
from lambda_matchbox.oci.errors import ImageError
from lambda_matchbox.oci.image.decompression import beginning_of, decompressed
from lambda_matchbox.oci.image.read_ahead import read_ahead
from lambda_matchbox.oci.image.tar_stream import BLOCK, Entry, Kind, begins_archive, entries

LARGEST_LAYER = 16 << 30
"""Bytes of a layer without its compression."""

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

LayerEntries = Iterator[tuple[Entry, Iterable[bytes]]]
"""Entries, each with its body, which can be read until the next one is asked for."""


def plain_file(layer: Descriptor) -> Entry | None:
    """The file that the layer is, where its description says so: one with a title that is called no archive."""
    title = layer.annotations.get(TITLE, "")
    if not title or _LAYER_TYPE.fullmatch(layer.media_type) or _is_directory(layer):
        return None
    return Entry(title, Kind.FILE, "", layer.size)


@contextmanager
def open_layer(layer: Descriptor, open_blob: OpenBlob, largest: int = LARGEST_LAYER) -> Iterator[LayerEntries]:
    """The layer's entries, at most `largest` bytes with their headers; after the last one all of its blob was read.

    The media type matters only for a file with a title: what the bytes are is seen in them. Raises ImageError, which
    names the layer, for one that is no archive or a damaged one, and what the blob raises.
    """
    with naming(layer):
        if not is_distributed(layer):
            raise ImageError("it is needed, but such layers are not distributed by registries")
        with open_blob(layer) as blob, read_ahead(blob) as pieces:
            yield _entries(layer, pieces, largest)


@contextmanager
def naming(layer: Descriptor) -> Iterator[None]:
    """Put the layer's digest and type before what is said of an ImageError."""
    try:
        yield
    except ImageError as error:
        raise ImageError(f"layer {layer.digest} ({layer.media_type}): {error}") from error


def is_distributed(layer: Descriptor) -> bool:
    """Whether registries hold it: of "foreign" and "non-distributable" layers they hold only the description."""
    return not _NOT_DISTRIBUTED.fullmatch(layer.media_type)


def _entries(layer: Descriptor, pieces: Iterator[bytes], largest: int) -> LayerEntries:
    first = next(pieces, b"")
    rest = chain((first,), pieces)
    title = layer.annotations.get(TITLE, "")
    # ORAS calls each plain file an archive, unless it is told otherwise.
    if plain_file(layer) or (title and not _is_directory(layer) and not _is_archive(first)):
        return _one_file(Entry(title, Kind.FILE, "", layer.size), rest)
    return entries(_bounded(decompressed(rest), largest))


def _is_directory(layer: Descriptor) -> bool:
    return layer.annotations.get(UNPACK, "") == "true"


def _is_archive(beginning: bytes) -> bool:
    """Whether a blob that begins so is a tar archive, compressed or not."""
    return begins_archive(beginning_of(beginning, BLOCK))


def _one_file(entry: Entry, pieces: Iterator[bytes]) -> LayerEntries:
    yield entry, pieces
    for _ in pieces:
        pass


def _bounded(pieces: Iterable[bytes], largest: int) -> Iterator[bytes]:
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > largest:
            raise ImageError(f"it has more than {largest} bytes without its compression")
        yield piece
