"""Images and indexes in memory."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from tests.support.images.layers import Layer

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"


class Image(NamedTuple):
    """An image or index: its digest, and by digest all manifests, with their media types, and all blobs."""

    digest: str
    manifests: Mapping[str, tuple[str, bytes]]
    blobs: Mapping[str, bytes]

    @property
    def media_type(self) -> str:
        return self.manifests[self.digest][0]

    @property
    def document(self) -> dict[str, Any]:
        """Its manifest."""
        read: dict[str, Any] = json.loads(self.manifests[self.digest][1])
        return read


def digest_of(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def image(
    layers: Sequence[Layer],
    *,
    platform: str = "linux/arm64",
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
    docker: bool = False,
) -> Image:
    """An image of these layers, the lowest first."""
    os, architecture, *variant = platform.split("/")
    config: dict[str, Any] = {"os": os, "architecture": architecture, "config": {"Labels": dict(labels or {})}}
    config["rootfs"] = {"type": "layers", "diff_ids": [digest_of(layer.body) for layer in layers]}
    if variant:
        config["variant"] = variant[0]
    config_body = json.dumps(config).encode()
    blobs = {digest_of(config_body): config_body} | {digest_of(layer.body): layer.body for layer in layers}
    media_type = DOCKER_MANIFEST if docker else OCI_MANIFEST
    manifest: dict[str, Any] = {
        "schemaVersion": 2,
        "mediaType": media_type,
        "config": _descriptor(config_body, DOCKER_CONFIG if docker else OCI_CONFIG),
        "layers": [_layer_descriptor(layer) for layer in layers],
    }
    if annotations:
        manifest["annotations"] = dict(annotations)
    return _with_manifest(manifest, media_type, {}, blobs)


def index(images: Sequence[tuple[Image, str]], *, docker: bool = False, attestation: bool = False) -> Image:
    """An index of images (or of indexes), each with its platform, empty for none.

    `attestation` puts one first, as buildx does.
    """
    manifests = {key: value for one, _ in images for key, value in one.manifests.items()}
    blobs = {key: value for one, _ in images for key, value in one.blobs.items()}
    entries: list[dict[str, Any]] = []
    if attestation:
        statement = image((), platform="unknown/unknown")
        manifests |= statement.manifests
        blobs |= statement.blobs
        entries.append(_entry(statement, "unknown/unknown"))
    entries += [_entry(one, platform) for one, platform in images]
    media_type = DOCKER_LIST if docker else OCI_INDEX
    document = {"schemaVersion": 2, "mediaType": media_type, "manifests": entries}
    return _with_manifest(document, media_type, manifests, blobs)


def _entry(one: Image, platform: str) -> dict[str, Any]:
    media_type, body = one.manifests[one.digest]
    entry = _descriptor(body, media_type)
    if platform:
        names = ("os", "architecture", "variant")
        entry["platform"] = dict(zip(names, platform.split("/"), strict=False))
    return entry


def _descriptor(body: bytes, media_type: str) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": digest_of(body), "size": len(body)}


def _layer_descriptor(layer: Layer) -> dict[str, Any]:
    made = _descriptor(layer.body, layer.media_type)
    if layer.title:
        made["annotations"] = {"org.opencontainers.image.title": layer.title}
    return made


def _with_manifest(
    document: Mapping[str, Any],
    media_type: str,
    manifests: Mapping[str, tuple[str, bytes]],
    blobs: Mapping[str, bytes],
) -> Image:
    body = json.dumps(document).encode()
    digest = digest_of(body)
    return Image(digest, {**manifests, digest: (media_type, body)}, blobs)
