"""Manifests and indexes (OCI image specification; Docker's "Image Manifest Version 2, Schema 2")."""

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from lambda_matchbox.oci.descriptors import Descriptor, Manifest
from lambda_matchbox.oci.errors import ManifestError
from lambda_matchbox.oci.image_reference import InvalidReferenceError, Platform, parse_digest

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
_DOCKER_INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
_INDEXES = frozenset({OCI_INDEX, _DOCKER_INDEX})
_MANIFESTS = frozenset({OCI_MANIFEST, _DOCKER_MANIFEST})

ACCEPT = f"{OCI_INDEX}, {_DOCKER_INDEX}, {OCI_MANIFEST}, {_DOCKER_MANIFEST}"
"""The header Accept. For a type that is missing here a registry converts what it has, or answers 404."""


class IndexEntry(NamedTuple):
    """An entry of an index: its descriptor as JSON, its platform, where it names one, and the indexes it lies in.

    `above` begins with the index that the image's reference names.
    """

    document: Mapping[str, Any]
    platform: Platform | None
    above: tuple[Descriptor, ...] = ()

    @property
    def is_index(self) -> bool:
        """Whether it is an index itself."""
        return _text(self.document.get("mediaType")) in _INDEXES

    @property
    def is_attestation(self) -> bool:
        """Whether it describes an image instead of being one, as buildx lists them."""
        unknown = self.platform is not None and self.platform[:2] == ("unknown", "unknown")
        annotations = self.document.get("annotations")
        return unknown or (isinstance(annotations, dict) and "vnd.docker.reference.type" in annotations)


class ManifestDocument(NamedTuple):
    """A manifest or an index, with its media type."""

    media_type: str
    content: Mapping[str, Any]

    @property
    def is_index(self) -> bool:
        """Whether it is an index."""
        return self.media_type in _INDEXES


class Referrer(NamedTuple):
    """A manifest that refers to another one: its descriptor, and its artifact type, empty for none."""

    descriptor: Descriptor
    artifact_type: str


def parse_document(body: bytes, content_type: str, what: str) -> ManifestDocument:
    """The manifest or index in `body`; `content_type` counts where its `mediaType` is missing.

    The content has to be of that type, since another reader might go by the content.
    Raises ManifestError, whose message begins with `what`.
    """
    content = parse_object(body, what)
    fields = [name for name in ("manifests", "layers") if name in content]
    if content.get("schemaVersion") == 1 or "fsLayers" in content:
        raise ManifestError(f"{what}: Docker's schema 1 is not supported; push the image again")
    media_type = _text(content.get("mediaType")) or content_type.partition(";")[0].strip().lower()
    if media_type not in _INDEXES | _MANIFESTS:
        media_type = {"manifests": OCI_INDEX, "layers": OCI_MANIFEST}.get("".join(fields), "")
    if fields != ["manifests" if media_type in _INDEXES else "layers"]:
        raise ManifestError(f"{what}: neither an image nor an index")
    return ManifestDocument(media_type, content)


def parse_referrers(body: bytes, what: str) -> tuple[Referrer, ...]:
    """The entries of a list of referrers. Raises ManifestError."""
    entries = parse_index(ManifestDocument(OCI_INDEX, {"manifests": None, **parse_object(body, what)}), what)
    return tuple(
        Referrer(parse_descriptor(entry.document, what), _text(entry.document.get("artifactType"))) for entry in entries
    )


def next_page(link: str) -> str:
    """The query of a list's next page in a header Link, empty for none (distribution specification, "Referrers")."""
    found = re.search(r'<([^>]*)>\s*;\s*rel="?next\b', link)
    return "" if found is None else found[1].partition("?")[2]


def parse_index(document: ManifestDocument, what: str, above: tuple[Descriptor, ...] = ()) -> tuple[IndexEntry, ...]:
    """The entries of an index, which is the last of those in `above`. Raises ManifestError."""
    entries = document.content["manifests"]
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ManifestError(f"{what}: `manifests` is not a list of objects")
    return tuple(IndexEntry(entry, _platform(entry.get("platform")), above) for entry in entries)


def parse_manifest(document: ManifestDocument, what: str) -> Manifest:
    """The config and the layers of an image. Raises ManifestError."""
    if document.is_index:
        raise ManifestError(f"{what}: it is an index, not an image")
    layers = document.content["layers"]
    if not isinstance(layers, list):
        raise ManifestError(f"{what}: `layers` is not a list")
    return Manifest(
        parse_descriptor(document.content.get("config"), f"{what}: config"),
        tuple(parse_descriptor(layer, f"{what}: layer {number}") for number, layer in enumerate(layers, 1)),
        _annotations(document.content.get("annotations"), what),
    )


def parse_descriptor(document: Any, what: str) -> Descriptor:
    """The descriptor in a manifest or an index. Raises ManifestError."""
    if not isinstance(document, dict):
        raise ManifestError(f"{what}: not a descriptor")
    media_type, digest, size = (document.get(name) for name in ("mediaType", "digest", "size"))
    if not isinstance(media_type, str) or not isinstance(digest, str):
        raise ManifestError(f"{what}: media type or digest is missing")
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise ManifestError(f"{what}: invalid size {size!r}")
    try:
        parse_digest(digest)
    except InvalidReferenceError as error:
        raise ManifestError(f"{what}: {error}") from error
    return Descriptor(media_type, digest, size, _annotations(document.get("annotations"), what))


def parse_object(body: bytes, what: str) -> dict[str, Any]:
    """The JSON object in `body`. Raises ManifestError."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ManifestError(f"{what}: invalid JSON: {error}") from error
    if not isinstance(content, dict):
        raise ManifestError(f"{what}: not a JSON object")
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
        raise ManifestError(f"{what}: `annotations` is not a map of strings")
    return document
