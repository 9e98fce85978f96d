"""Images out of docker-registry with GHCR's manners: tokens for all, and blobs from other storage."""

import hashlib
from collections.abc import Iterator
from contextlib import closing
from typing import NamedTuple
from uuid import uuid4

import pytest

from lambda_matchbox.oci.descriptors import Descriptor
from lambda_matchbox.oci.distribution.docker_config import Login, no_logins
from lambda_matchbox.oci.distribution.registry import Registry
from lambda_matchbox.oci.distribution.retries import RetryPolicy
from lambda_matchbox.oci.errors import RegistryError
from lambda_matchbox.oci.image_reference import ImageReference, Platform, parse_image_reference, parse_platform
from lambda_matchbox.retry import Backoff
from tests.rigs.oci_registry import OciRegistry
from tests.rigs.oci_registry import oci_registry as oci_registry_rig
from tests.support.images.layers import Entry, Layer, gzipped, plain, raw_file, zstandard_compressed
from tests.support.images.manifests import Image, digest_of, image, index

pytestmark = pytest.mark.real

ARM64 = Platform("linux", "arm64")
FAST_RETRIES = RetryPolicy(backoff=Backoff(0.01, 0.1))
KERNEL = bytes(range(256)) * 8192
TALOS = image(
    [
        zstandard_compressed(Entry("vmlinuz", KERNEL)),
        gzipped(Entry("initramfs.xz", b"initramfs")),
        plain(),
        raw_file("notes", b"notes"),
    ],
    labels={"org.opencontainers.image.version": "v1.12.0"},
)


class Others(NamedTuple):
    """Images that are not the one that is wanted."""

    amd64: Image
    armv7: Image


OTHERS = Others(
    image([gzipped(Entry("vmlinuz", b"amd64"))], platform="linux/amd64", docker=True),
    image([gzipped(Entry("vmlinuz", b"arm"))], platform="linux/arm/v7"),
)


@pytest.fixture
def registry() -> Iterator[Registry]:
    with closing(Registry(no_logins, retry_policy=FAST_RETRIES)) as registry:
        yield registry


def pushed(rig: OciRegistry, what: Image, directory: str = "public") -> ImageReference:
    """The reference of an image that was pushed into a repository of its own."""
    return parse_image_reference(rig.push(what, f"{directory}/{uuid4()}", "v1"))


def bytes_of(registry: Registry, reference: ImageReference, descriptor: Descriptor) -> bytes:
    with registry.open_blob(reference, descriptor) as blob:
        return b"".join(iter(lambda: blob.read(65536), b""))


def parts(registry: Registry, reference: ImageReference, platform: Platform = ARM64) -> list[bytes]:
    """The layers of the image for the platform."""
    manifest = registry.manifest(reference, registry.resolve(reference, platform))
    return [bytes_of(registry, reference, layer) for layer in manifest.layers]


def layers_of(one: Image) -> list[bytes]:
    return [one.blobs[layer["digest"]] for layer in one.document["layers"]]


def layer(one: Image, number: int) -> str:
    return str(one.document["layers"][number]["digest"])


@pytest.mark.parametrize("redirect", [True, False])
@pytest.mark.parametrize("tokens", [True, False])
def test_every_layer_comes_as_it_was_pushed(tokens: bool, redirect: bool) -> None:
    """The layers of an image are had with and without tokens, from other storage and from the registry itself."""
    with (
        oci_registry_rig(tokens=tokens, redirect=redirect, token_key="access_token") as rig,
        closing(Registry(no_logins, retry_policy=FAST_RETRIES)) as registry,
    ):
        reference = pushed(rig, TALOS)
        assert layers_of(TALOS) == parts(registry, reference)
        assert not redirect or {layer(TALOS, number) for number in range(4)} == set(rig.sent)


def test_an_index_of_indexes_leads_to_the_platform(oci_registry: OciRegistry, registry: Registry) -> None:
    """Past an attestation and through a nested index of Docker's kind, each platform's image is found."""
    inner = index([(OTHERS.armv7, "linux/arm/v7"), (TALOS, "linux/arm64/v8")], docker=True)
    outer = index([(OTHERS.amd64, "linux/amd64"), (inner, "")], attestation=True)
    reference = pushed(oci_registry, outer)
    wanted = {"linux/arm64": TALOS, "linux/amd64": OTHERS.amd64, "linux/arm/v7": OTHERS.armv7}
    for platform, one in wanted.items():
        found = registry.resolve(reference, parse_platform(platform))
        assert (one.media_type, one.digest, len(one.manifests[one.digest][1])) == found[:3]
        assert layers_of(one) == parts(registry, reference, parse_platform(platform))


def test_an_index_without_the_platform_says_what_it_has(oci_registry: OciRegistry, registry: Registry) -> None:
    """The error names the image, the platform and those that are there, but no attestation."""
    reference = pushed(oci_registry, index([(OTHERS.amd64, "linux/amd64")], attestation=True))
    with pytest.raises(RegistryError) as caught:
        registry.resolve(reference, ARM64)
    assert f"{reference}: no image for linux/arm64; available: linux/amd64" == str(caught.value)


def test_a_digest_names_the_image_whatever_the_tag(oci_registry: OciRegistry, registry: Registry) -> None:
    """After the tag moved, a reference with tag and digest leads to the digest, and one with the tag to the new one."""
    reference = pushed(oci_registry, TALOS)
    oci_registry.push(OTHERS.armv7, reference.repository, "v1")
    pinned = reference._replace(digest=TALOS.digest)
    got = [registry.resolve(one, ARM64).digest for one in (reference, pinned, pinned._replace(tag=""))]
    assert [OTHERS.armv7.digest, TALOS.digest, TALOS.digest] == got


def test_the_config_has_the_labels(oci_registry: OciRegistry, registry: Registry) -> None:
    """The config comes from the storage, too."""
    reference = pushed(oci_registry, TALOS)
    manifest = registry.manifest(reference, registry.resolve(reference, ARM64))
    config = registry.config(reference, manifest)
    assert {"org.opencontainers.image.version": "v1.12.0"} == config["config"]["Labels"]
    assert manifest.config.digest == oci_registry.sent[-1]


def test_an_expired_address_is_asked_for_again(oci_registry: OciRegistry, registry: Registry) -> None:
    """A storage that refuses an address with 403 gives the blob at the one that the registry names next."""
    reference = pushed(oci_registry, TALOS)
    manifest = registry.manifest(reference, registry.resolve(reference, ARM64))
    oci_registry.expire(manifest.layers[0].digest)
    body = bytes_of(registry, reference, manifest.layers[0])
    assert manifest.layers[0].digest == f"sha256:{hashlib.sha256(body).hexdigest()}"


def test_a_blob_that_vanished_is_an_error(oci_registry: OciRegistry, registry: Registry) -> None:
    """The error names image and digest; the image's other layers are had."""
    reference = pushed(oci_registry, TALOS)
    manifest = registry.manifest(reference, registry.resolve(reference, ARM64))
    oci_registry.delete_blob(reference.repository, layer(TALOS, 1))
    with pytest.raises(RegistryError, match=f"^{reference}: blob {layer(TALOS, 1)}: .*404"):
        bytes_of(registry, reference, manifest.layers[1])
    assert b"notes" == bytes_of(registry, reference, manifest.layers[3])


def test_a_manifest_that_vanished_is_an_error(oci_registry: OciRegistry, registry: Registry) -> None:
    """The error names the image and the digest of the manifest that the index leads to."""
    reference = pushed(oci_registry, index([(TALOS, "linux/arm64")]))
    oci_registry.delete_manifest(reference.repository, TALOS.digest)
    with pytest.raises(RegistryError, match=f"^{reference}: manifest {TALOS.digest}: .*404"):
        registry.manifest(reference, registry.resolve(reference, ARM64))


def test_an_unknown_tag_is_an_error(oci_registry: OciRegistry, registry: Registry) -> None:
    """The error names the image."""
    reference = pushed(oci_registry, TALOS)._replace(tag="v2")
    with pytest.raises(RegistryError, match=f"^{reference}: manifest: .*404"):
        registry.resolve(reference, ARM64)


def test_a_private_image_is_had_with_the_login(oci_registry: OciRegistry) -> None:
    """User and password are asked for by the registry's host, and give manifest, config and layers."""
    reference = pushed(oci_registry, TALOS, "private")
    login = Login(oci_registry.user, oci_registry.password)
    with closing(Registry({oci_registry.host: login}.get, retry_policy=FAST_RETRIES)) as registry:
        assert layers_of(TALOS) == parts(registry, reference)


def test_a_public_image_is_had_with_a_login(oci_registry: OciRegistry) -> None:
    """A login that is not needed does no harm."""
    reference = pushed(oci_registry, TALOS)
    login = Login(oci_registry.user, oci_registry.password)
    with closing(Registry({oci_registry.host: login}.get, retry_policy=FAST_RETRIES)) as registry:
        assert layers_of(TALOS) == parts(registry, reference)


def test_a_private_image_is_refused_without_a_login(oci_registry: OciRegistry, registry: Registry) -> None:
    """The error says that the image may be private, and where a login is to be given."""
    reference = pushed(oci_registry, TALOS, "private")
    with pytest.raises(RegistryError, match=f"^{reference}: .* 401: .*is private.*DOCKER_CONFIG"):
        registry.resolve(reference, ARM64)


def test_a_private_image_is_refused_to_a_wrong_password(oci_registry: OciRegistry) -> None:
    """The error names the user and not the password."""
    reference = pushed(oci_registry, TALOS, "private")
    with (
        closing(Registry({oci_registry.host: Login("robot", "guess")}.get, retry_policy=FAST_RETRIES)) as registry,
        pytest.raises(
            RegistryError, match=f"^{reference}: .* 403 to the user 'robot': the password is wrong"
        ) as caught,
    ):
        registry.resolve(reference, ARM64)
    assert "guess" not in str(caught.value)


def test_two_repositories_have_a_token_each(oci_registry: OciRegistry, registry: Registry) -> None:
    """A registry object that has the token of one repository gets another for the next, and goes back."""
    first, second = pushed(oci_registry, TALOS), pushed(oci_registry, OTHERS.armv7)
    found = [registry.resolve(one, ARM64).digest for one in (first, second, first)]
    assert [TALOS.digest, OTHERS.armv7.digest, TALOS.digest] == found


def test_an_empty_layer_and_a_large_one_are_had(oci_registry: OciRegistry, registry: Registry) -> None:
    """A layer of no bytes, and one of 24 MiB and a byte, in which no piece is like another."""
    noise = hashlib.shake_256(b"noise").digest((24 << 20) + 1)
    sizes = image([Layer(b"", "application/octet-stream", "empty"), raw_file("noise", noise)])
    empty, large = parts(registry, pushed(oci_registry, sizes))
    assert (b"", digest_of(noise)) == (empty, digest_of(large))
