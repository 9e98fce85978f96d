"""Pulls images from container registries; all bytes are verified (OCI distribution specification, "Pulling")."""

import hashlib
from collections.abc import Mapping
from contextlib import AbstractContextManager, closing
from http import HTTPStatus
from typing import Any

from lambda_matchbox.oci.descriptors import Blob, Descriptor, Manifest
from lambda_matchbox.oci.distribution.authentication import Authorizations
from lambda_matchbox.oci.distribution.blob_stream import PIECE, BlobStream
from lambda_matchbox.oci.distribution.docker_config import Logins
from lambda_matchbox.oci.distribution.manifests import (
    ACCEPT,
    OCI_INDEX,
    ManifestDocument,
    Referrer,
    next_page,
    parse_descriptor,
    parse_document,
    parse_index,
    parse_manifest,
    parse_object,
    parse_referrers,
)
from lambda_matchbox.oci.distribution.platform_choice import PlatformChoice
from lambda_matchbox.oci.distribution.registry_http import RegistryHttp, RegistryResponse
from lambda_matchbox.oci.distribution.repository import Repository, StatusError
from lambda_matchbox.oci.distribution.retries import RetryPolicy, retry
from lambda_matchbox.oci.errors import DigestError, ManifestError, RegistryError
from lambda_matchbox.oci.image_reference import ImageReference, Platform

MAX_DOCUMENT = 4 << 20
"""Bytes of a manifest, an index or a config; registries accept no larger manifests (distribution specification)."""

MAX_INDEXES = 32
"""Indexes read for one image."""

DEFAULT_RETRY_POLICY = RetryPolicy()

# What registries without the referrers API answer.
_NO_REFERRERS = frozenset(
    {HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_ACCEPTABLE}
)


class Registry:
    """A client for any number of registries and threads; to be closed.

    Each error is one line that names the image, the part of it, and its digest where it is known.
    """

    def __init__(self, logins: Logins, *, retry_policy: RetryPolicy = DEFAULT_RETRY_POLICY) -> None:
        self._policy = retry_policy
        self._http = RegistryHttp(retry_policy)
        self._authorizations = Authorizations(self._http, logins)

    def resolve(self, reference: ImageReference, platform: Platform) -> tuple[Descriptor, ...]:
        """What the reference names, and the indexes below it, down to the image's manifest for the platform.

        A reference to a plain manifest is taken as it is. Raises RegistryError, also where an index has no image for
        the platform, and DigestError.
        """
        root, document = self._referenced(reference, f"{reference}: manifest")
        if not document.is_index:
            return (root,)
        choice = PlatformChoice(platform)
        pending: list[tuple[Descriptor, ...]] = [(root,)]
        seen = {root.digest}
        while pending and not choice.is_final:
            path = pending.pop(0)
            at = path[-1]
            what = f"{reference}: index {at.digest}"
            if at is not root:
                document = self._document_of(reference, at, what)
            if not document.is_index:
                raise RegistryError(f"{what}: it is an image, not an index")
            for entry in choice.add(parse_index(document, what, path)):
                inner = parse_descriptor(entry.document, f"{what}: nested index")
                if inner.digest not in seen:
                    pending.append((*path, inner))
                    seen.add(inner.digest)
            if len(seen) > MAX_INDEXES:
                raise RegistryError(f"{what}: more than {MAX_INDEXES} indexes")
        best = choice.best
        if best is None:
            available = ", ".join(choice.platforms) or "none with a platform"
            raise RegistryError(f"{reference}: no image for {platform}; available: {available}")
        return (*best.above, parse_descriptor(best.document, f"{reference}: image for {platform}"))

    def manifest(self, reference: ImageReference, descriptor: Descriptor) -> Manifest:
        """The manifest of that descriptor. Raises RegistryError and DigestError."""
        what = f"{reference}: manifest {descriptor.digest}"
        return parse_manifest(self._document_of(reference, descriptor, what), what)

    def config(self, reference: ImageReference, manifest: Manifest) -> Mapping[str, Any]:
        """The config of the image, `{}` for one of plain files. Raises RegistryError and DigestError."""
        what = f"{reference}: config {manifest.config.digest}"
        body = self._small_blob(reference, manifest.config, what)
        return parse_object(body, what) if body else {}

    def tagged(self, reference: ImageReference, tag: str) -> Manifest | None:
        """The manifest of another tag of the repository, None where there is none.

        Raises RegistryError, a ManifestError where the tag names something else.
        """
        what = f"{reference}: tag {tag}"
        try:
            body, response = self._document(reference, tag, what)
        except StatusError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return None
            raise
        return parse_manifest(parse_document(body, response.headers.get("Content-Type", ""), what), what)

    def referrers(self, reference: ImageReference, digest: str) -> tuple[Referrer, ...]:
        """The manifests of the repository whose subject is the digest. Raises RegistryError.

        A registry without the referrers API has their list under a tag (distribution specification, "Referrers Tag
        Schema").
        """
        what = f"{reference}: referrers of {digest}"
        found: list[Referrer] = []
        path = f"referrers/{digest}"
        try:
            for _ in range(MAX_INDEXES):
                body, response = self._fetched(reference, path, what, OCI_INDEX)
                if response.headers.get("Content-Type", "").partition(";")[0] != OCI_INDEX:
                    break
                found += parse_referrers(body, what)
                query = next_page(response.headers.get("Link", ""))
                if not query:
                    return tuple(found)
                path = f"referrers/{digest}?{query}"
        except StatusError as error:
            if error.status not in _NO_REFERRERS:
                raise
        try:
            body, _ = self._fetched(reference, f"manifests/{digest.replace(':', '-')}", what, OCI_INDEX)
        except StatusError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return ()
            raise
        return (*found, *parse_referrers(body, what))

    def small_blob(self, reference: ImageReference, descriptor: Descriptor) -> bytes:
        """A whole blob of at most MAX_DOCUMENT bytes. Raises RegistryError and DigestError."""
        return self._small_blob(reference, descriptor, f"{reference}: blob {descriptor.digest}")

    def open_blob(self, reference: ImageReference, descriptor: Descriptor) -> AbstractContextManager[Blob]:
        """A blob of the image; the first read sends the first request."""
        return self._blob(reference, descriptor, f"{reference}: blob {descriptor.digest}")

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def _blob(self, reference: ImageReference, descriptor: Descriptor, what: str) -> closing[BlobStream]:
        repository = self._repository(reference)

        def get(headers: Mapping[str, str]) -> RegistryResponse:
            return repository.get(f"blobs/{descriptor.digest}", what, headers)

        return closing(BlobStream(descriptor, what, get, self._policy))

    def _small_blob(self, reference: ImageReference, descriptor: Descriptor, what: str) -> bytes:
        _check_size(descriptor, what)
        with self._blob(reference, descriptor, what) as blob:
            return b"".join(iter(lambda: blob.read(PIECE), b""))

    def _referenced(self, reference: ImageReference, what: str) -> tuple[Descriptor, ManifestDocument]:
        """The manifest or index that the reference names."""
        if reference.digest:
            body, response = self._document(reference, reference.digest, what)
            digest = _verified(body, reference.digest, what)
        else:
            body, response = self._document(reference, reference.tag, what)
            digest = _verified(body, response.headers.get("Docker-Content-Digest", ""), what)
        document = parse_document(body, response.headers.get("Content-Type", ""), f"{what} {digest}")
        return Descriptor(document.media_type, digest, len(body)), document

    def _document_of(self, reference: ImageReference, descriptor: Descriptor, what: str) -> ManifestDocument:
        _check_size(descriptor, what)
        body, _ = self._document(reference, descriptor.digest, what)
        _verified(body, descriptor.digest, what)
        if len(body) != descriptor.size:
            raise DigestError(f"{what}: it has {len(body)} bytes, but its descriptor says {descriptor.size}")
        return parse_document(body, descriptor.media_type, what)

    def _document(self, reference: ImageReference, name: str, what: str) -> tuple[bytes, RegistryResponse]:
        return self._fetched(reference, f"manifests/{name}", what, ACCEPT)

    def _fetched(self, reference: ImageReference, path: str, what: str, accept: str) -> tuple[bytes, RegistryResponse]:
        repository = self._repository(reference)

        def fetch() -> tuple[bytes, RegistryResponse]:
            response = repository.get(path, what, {"Accept": accept})
            with closing(response.body):
                if response.status != HTTPStatus.OK:
                    raise RegistryError(f"{what}: {response.host} answers {response.status}")
                return response.body.read_all(MAX_DOCUMENT), response

        return retry(self._policy, fetch)

    def _repository(self, reference: ImageReference) -> Repository:
        return Repository(self._http, self._authorizations, reference)


def _check_size(descriptor: Descriptor, what: str) -> None:
    if descriptor.size > MAX_DOCUMENT:
        raise ManifestError(f"{what}: it has {descriptor.size} bytes; the limit is {MAX_DOCUMENT}")


def _verified(body: bytes, announced: str, what: str) -> str:
    """The digest of the body. Raises DigestError where it differs from the announced one, unless that is empty."""
    digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
    if announced not in ("", digest):
        raise DigestError(f"{what}: the registry announces {announced!r}, but sends {digest}")
    return digest
