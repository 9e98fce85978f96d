"""Extraction of files from images made by the tests."""

import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from lambda_matchbox.oci.descriptors import Descriptor
from lambda_matchbox.oci.errors import DigestError
from lambda_matchbox.oci.image.image_files import extract_files
from lambda_matchbox.oci.image.spooling import ExtractedFile
from tests.support.images.layers import Layer
from tests.support.images.manifests import digest_of


def sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


@dataclass
class Blobs:
    """Blobs that record how often each was opened, and that may be damaged."""

    bodies: dict[str, bytes] = field(default_factory=dict)
    opened: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    damaged: set[str] = field(default_factory=set)

    def add(self, layer: Layer) -> Descriptor:
        digest = digest_of(layer.body)
        self.bodies[digest] = layer.body
        annotations = {"org.opencontainers.image.title": layer.title} if layer.title else {}
        return Descriptor(layer.media_type, digest, len(layer.body), annotations)

    @contextmanager
    def open(self, part: Descriptor) -> Iterator["_Blob"]:
        self.opened.append(part.digest)
        yield _Blob(self, part.digest)


class _Blob:
    def __init__(self, blobs: Blobs, digest: str) -> None:
        self._blobs = blobs
        self._digest = digest
        self._body = io.BytesIO(blobs.bodies[digest])

    def read(self, size: int) -> bytes:
        piece = self._body.read(size)
        if not piece:
            self._blobs.ended.append(self._digest)
            if self._digest in self._blobs.damaged:
                raise DigestError(f"{self._digest} has other bytes")
        return piece


@dataclass
class Extractor:
    """Extracts files, each into a new directory; `opened` are the numbers of the opened layers."""

    directory: Path
    blobs: Blobs = field(default_factory=Blobs)
    opened: list[int] = field(default_factory=list)

    def all(self, layers: Sequence[Layer], *alternatives: Mapping[str, Sequence[str]]) -> Mapping[str, ExtractedFile]:
        descriptors = [self.blobs.add(layer) for layer in layers]
        numbers = {layer.digest: number for number, layer in enumerate(descriptors)}
        self.blobs.opened, self.blobs.ended = [], []
        self.directory /= "next"
        self.directory.mkdir()
        try:
            found = extract_files(descriptors, self.blobs.open, alternatives, self.directory)
        finally:
            self.opened = [numbers[digest] for digest in self.blobs.opened]
        assert self.blobs.opened == self.blobs.ended
        assert {file.file for file in found.values()} <= set(self.directory.iterdir())
        return found

    def one(self, layers: Sequence[Layer], *paths: str) -> ExtractedFile:
        return self.all(layers, {"f": paths})["f"]

    def body(self, layers: Sequence[Layer], *paths: str) -> bytes:
        return self.one(layers, *paths).file.read_bytes()
