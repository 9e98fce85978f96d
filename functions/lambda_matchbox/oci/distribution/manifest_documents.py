"""What does a manifest or an index say? (OCI image specification; Docker's "Image Manifest Version 2, Schema 2")."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from lambda_matchbox.oci.descriptors import Descriptor, Manifest
from lambda_matchbox.oci.distribution import media_types
from lambda_matchbox.oci.errors import RegistryError
from lambda_matchbox.oci.image_reference import InvalidReferenceError, Platform, parse_digest


class IndexEntry(NamedTuple):
    """What an index lists: the descriptor as it stands there, and the platform, where it is told."""

    document: Mapping[str, Any]
    platform: Platform | None

    @property
    def is_index(self) -> bool:
        """Whether it is an index itself."""
        return _text(self.document.get("mediaType")) in media_types.INDEXES

    @property
    def is_attestation(self) -> bool:
        """Whether it says something about an image and is none, as buildx lists them."""
        unknown = self.platform is not None and self.platform[:2] == ("unknown", "unknown")
        annotations = self.document.get("annotations")
        return unknown or (isinstance(annotations, dict) and "vnd.docker.reference.type" in annotations)


class Document(NamedTuple):
    """A manifest or an index of them, with its media type."""

    media_type: str
    content: Mapping[str, Any]

    @property
    def is_index(self) -> bool:
        """Whether it is an index."""
        return self.media_type in media_types.INDEXES


def parse_document(body: bytes, content_type: str, what: str) -> Document:
    """The manifest or index in `body`; `content_type` counts where it does not say itself what it is.

    What it holds has to be what it says, since another reader might go by the other one.
    Raises RegistryError, whose message begins with `what` it was to be.
    """
    content = parse_object(body, what)
    has = [name for name in ("manifests", "layers") if name in content]
    if content.get("schemaVersion") == 1 or "fsLayers" in content:
        raise RegistryError(f"{what}: it is of Docker's schema 1, which is not supported; push the image anew")
    media_type = _text(content.get("mediaType")) or content_type.partition(";")[0].strip().lower()
    if media_type not in media_types.INDEXES | media_types.MANIFESTS:
        media_type = {"manifests": media_types.OCI_INDEX, "layers": media_types.OCI_MANIFEST}.get("".join(has), "")
    if has != ["manifests" if media_type in media_types.INDEXES else "layers"]:
        raise RegistryError(f"{what}: it is neither an image nor an index of images")
    return Document(media_type, content)


def parse_index(document: Document, what: str) -> tuple[IndexEntry, ...]:
    """The entries of an index. Raises RegistryError."""
    entries = document.content["manifests"]
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise RegistryError(f"{what}: its `manifests` are no list of objects")
    return tuple(IndexEntry(entry, _platform(entry.get("platform"))) for entry in entries)


def parse_manifest(document: Document, what: str) -> Manifest:
    """The config and the layers of an image. Raises RegistryError."""
    layers = document.content["layers"]
    if not isinstance(layers, list):
        raise RegistryError(f"{what}: its `layers` are no list")
    return Manifest(
        parse_descriptor(document.content.get("config"), f"{what}: its config"),
        tuple(parse_descriptor(layer, f"{what}: its layer {number}") for number, layer in enumerate(layers, 1)),
        _annotations(document.content.get("annotations"), what),
    )


def parse_descriptor(document: Any, what: str) -> Descriptor:
    """The descriptor in a manifest or an index. Raises RegistryError."""
    if not isinstance(document, dict):
        raise RegistryError(f"{what} is no descriptor")
    media_type, digest, size = (document.get(name) for name in ("mediaType", "digest", "size"))
    if not isinstance(media_type, str) or not isinstance(digest, str):
        raise RegistryError(f"{what} has no media type or no digest")
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise RegistryError(f"{what} has no size: {size!r}")
    try:
        parse_digest(digest)
    except InvalidReferenceError as error:
        raise RegistryError(f"{what}: {error}") from error
    return Descriptor(media_type, digest, size, _annotations(document.get("annotations"), what))


def parse_object(body: bytes, what: str) -> dict[str, Any]:
    """The JSON object in `body`. Raises RegistryError."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise RegistryError(f"{what}: it is no JSON: {error}") from error
    if not isinstance(content, dict):
        raise RegistryError(f"{what}: it is no JSON object")
    return content


def _platform(document: Any) -> Platform | None:
    if not isinstance(document, dict):
        return None
    os, architecture, variant = (_text(document.get(name)) for name in ("os", "architecture", "variant"))
    return Platform(os, architecture, variant) if os and architecture else None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _annotations(document: Any, what: str) -> Mapping[str, str]:
    if document is None:
        return {}
    if not isinstance(document, dict) or not all(isinstance(value, str) for value in document.values()):
        raise RegistryError(f"{what}: its annotations are no texts by name")
    return document
