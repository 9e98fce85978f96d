"""Images out of a container registry (OCI distribution specification, "Pulling"); nothing that is not verified."""

import hashlib
from collections.abc import Mapping
from contextlib import AbstractContextManager, closing
from http import HTTPStatus
from typing import Any

from lambda_matchbox.oci.descriptors import Blob, Descriptor, Manifest
from lambda_matchbox.oci.distribution import media_types
from lambda_matchbox.oci.distribution.blob_stream import PIECE, BlobStream
from lambda_matchbox.oci.distribution.docker_config import Logins
from lambda_matchbox.oci.distribution.manifest_documents import (
    Document,
    parse_descriptor,
    parse_document,
    parse_index,
    parse_manifest,
    parse_object,
)
from lambda_matchbox.oci.distribution.patience import Patience, patiently
from lambda_matchbox.oci.distribution.platform_choice import Choice
from lambda_matchbox.oci.distribution.registry_http import RegistryHttp, Reply
from lambda_matchbox.oci.distribution.repository import Repository
from lambda_matchbox.oci.distribution.tokens import Authorizations
from lambda_matchbox.oci.errors import DigestError, RegistryError
from lambda_matchbox.oci.image_reference import ImageReference, Platform

MOST_DOCUMENT = 4 << 20
"""Bytes of a manifest, an index or a config; registries take no larger manifests (distribution specification)."""

MOST_INDEXES = 32
"""Indexes that are read for one image."""

DEFAULT_PATIENCE = Patience()


class Registry:
    """Any number of registries, for any number of threads; to be closed.

    Each of its errors is one line that names the image, the part of it and its digest, where one is known.
    """

    def __init__(self, logins: Logins, *, patience: Patience = DEFAULT_PATIENCE) -> None:
        self._patience = patience
        self._http = RegistryHttp(patience)
        self._authorizations = Authorizations(self._http, logins)

    def resolve(self, reference: ImageReference, platform: Platform) -> Descriptor:
        """The manifest of the image for the platform; a reference to a plain manifest is taken as it is.

        Raises RegistryError, also where an index has nothing for the platform, and DigestError.
        """
        found, document = self._named(reference, f"{reference}: manifest")
        if not document.is_index:
            return found
        choice = Choice(platform)
        waiting, read = [found], {found.digest}
        while waiting and not choice.is_certain:
            at = waiting.pop(0)
            what = f"{reference}: index {at.digest}"
            if at is not found:
                document = self._described(reference, at, what)
            if not document.is_index:
                raise RegistryError(f"{what}: it is an image, where an index is announced")
            for entry in choice.show(parse_index(document, what)):
                inner = parse_descriptor(entry.document, f"{what}: an index in it")
                if inner.digest not in read:
                    waiting.append(inner)
                    read.add(inner.digest)
            if len(read) > MOST_INDEXES:
                raise RegistryError(f"{what}: it leads to more than {MOST_INDEXES} indexes")
        best = choice.best
        if best is None:
            there = ", ".join(choice.seen) or "none that is named"
            raise RegistryError(f"{reference}: there is no image for {platform}; there are: {there}")
        return parse_descriptor(best.document, f"{reference}: the image for {platform}")

    def manifest(self, reference: ImageReference, descriptor: Descriptor) -> Manifest:
        """The manifest that the descriptor means. Raises RegistryError and DigestError."""
        what = f"{reference}: manifest {descriptor.digest}"
        document = self._described(reference, descriptor, what)
        if document.is_index:
            raise RegistryError(f"{what}: it is an index, where an image is announced")
        return parse_manifest(document, what)

    def config(self, reference: ImageReference, manifest: Manifest) -> Mapping[str, Any]:
        """The config of the image, `{}` for one of plain files. Raises RegistryError and DigestError."""
        what = f"{reference}: config {manifest.config.digest}"
        if manifest.config.size > MOST_DOCUMENT:
            raise RegistryError(f"{what}: it has {manifest.config.size} bytes; at most {MOST_DOCUMENT} are read")
        with self._blob(reference, manifest.config, what) as blob:
            body = b"".join(iter(lambda: blob.read(PIECE), b""))
        return parse_object(body, what) if body else {}

    def open_blob(self, reference: ImageReference, descriptor: Descriptor) -> AbstractContextManager[Blob]:
        """A part of the image, as `descriptors.Blob`; nothing is asked before the first read."""
        return self._blob(reference, descriptor, f"{reference}: blob {descriptor.digest}")

    def close(self) -> None:
        """Close the connections that are kept."""
        self._http.close()

    def _blob(self, reference: ImageReference, descriptor: Descriptor, what: str) -> closing[BlobStream]:
        repository = self._repository(reference)

        def ask(headers: Mapping[str, str]) -> Reply:
            return repository.ask(f"blobs/{descriptor.digest}", what, headers)

        return closing(BlobStream(descriptor, what, ask, self._patience))

    def _named(self, reference: ImageReference, what: str) -> tuple[Descriptor, Document]:
        """What the reference itself means: an image or an index."""
        if reference.digest:
            body, reply = self._document(reference, reference.digest, what)
            digest = _verified(body, reference.digest, what)
        else:
            body, reply = self._document(reference, reference.tag, what)
            digest = _verified(body, reply.headers.get("Docker-Content-Digest", ""), what)
        document = parse_document(body, reply.headers.get("Content-Type", ""), f"{what} {digest}")
        return Descriptor(document.media_type, digest, len(body)), document

    def _described(self, reference: ImageReference, descriptor: Descriptor, what: str) -> Document:
        if descriptor.size > MOST_DOCUMENT:
            raise RegistryError(f"{what}: it has {descriptor.size} bytes; at most {MOST_DOCUMENT} are read")
        body, _ = self._document(reference, descriptor.digest, what)
        _verified(body, descriptor.digest, what)
        if len(body) != descriptor.size:
            raise DigestError(f"{what}: it has {len(body)} bytes, where {descriptor.size} are announced")
        return parse_document(body, descriptor.media_type, what)

    def _document(self, reference: ImageReference, name: str, what: str) -> tuple[bytes, Reply]:
        repository = self._repository(reference)

        def attempt() -> tuple[bytes, Reply]:
            reply = repository.ask(f"manifests/{name}", what, {"Accept": media_types.ACCEPT})
            with closing(reply.body):
                if reply.status != HTTPStatus.OK:
                    raise RegistryError(f"{what}: {reply.host} answers {reply.status}")
                return reply.body.whole(MOST_DOCUMENT), reply

        return patiently(self._patience, attempt)

    def _repository(self, reference: ImageReference) -> Repository:
        return Repository(self._http, self._authorizations, reference)


def _verified(body: bytes, announced: str, what: str) -> str:
    """The digest of the body, which is the announced one where that is not empty. Raises DigestError."""
    digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
    if announced not in ("", digest):
        raise DigestError(f"{what}: the registry announces {announced!r}, but what it sends has the digest {digest}")
    return digest
