"""Images from docker-registry set up like GHCR: tokens for all, blobs from other storage."""

import hashlib
from collections.abc import Iterator
from contextlib import closing
from typing import NamedTuple
from uuid import uuid4

import pytest

from lambda_matchbox.backoff import Backoff
from lambda_matchbox.oci.descriptors import Descriptor
from lambda_matchbox.oci.distribution.docker_config import Login, no_logins
from lambda_matchbox.oci.distribution.registry import Registry
from lambda_matchbox.oci.distribution.retries import RetryPolicy
from lambda_matchbox.oci.errors import RegistryError
from lambda_matchbox.oci.image_reference import ImageReference, Platform, parse_image_reference, parse_platform
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
    manifest = registry.manifest(reference, registry.resolve(reference, platform)[-1])
    return [bytes_of(registry, reference, layer) for layer in manifest.layers]


def layers_of(one: Image) -> list[bytes]:
    return [one.blobs[layer["digest"]] for layer in one.document["layers"]]


def layer(one: Image, number: int) -> str:
    return str(one.document["layers"][number]["digest"])


@pytest.mark.parametrize("redirect", [True, False])
@pytest.mark.parametrize("tokens", [True, False])
def test_layers_are_read(tokens: bool, redirect: bool) -> None:
    """With and without tokens and redirects."""
    with (
        oci_registry_rig(tokens=tokens, redirect=redirect, token_key="access_token") as rig,
        closing(Registry(no_logins, retry_policy=FAST_RETRIES)) as registry,
    ):
        reference = pushed(rig, TALOS)
        assert layers_of(TALOS) == parts(registry, reference)
        assert not redirect or {layer(TALOS, number) for number in range(4)} == set(rig.sent)


def test_nested_index_is_searched(oci_registry: OciRegistry, registry: Registry) -> None:
    inner = index([(OTHERS.armv7, "linux/arm/v7"), (TALOS, "linux/arm64/v8")], docker=True)
    outer = index([(OTHERS.amd64, "linux/amd64"), (inner, "")], attestation=True)
    reference = pushed(oci_registry, outer)
    wanted = {"linux/arm64": TALOS, "linux/amd64": OTHERS.amd64, "linux/arm/v7": OTHERS.armv7}
    for platform, one in wanted.items():
        found = registry.resolve(reference, parse_platform(platform))[-1]
        assert (one.media_type, one.digest, len(one.manifests[one.digest][1])) == found[:3]
        assert layers_of(one) == parts(registry, reference, parse_platform(platform))


def test_missing_platform_lists_the_available_ones(oci_registry: OciRegistry, registry: Registry) -> None:
    reference = pushed(oci_registry, index([(OTHERS.amd64, "linux/amd64")], attestation=True))
    with pytest.raises(RegistryError) as caught:
        registry.resolve(reference, ARM64)
    assert f"{reference}: no image for linux/arm64; available: linux/amd64" == str(caught.value)


def test_digest_counts_before_the_tag(oci_registry: OciRegistry, registry: Registry) -> None:
    reference = pushed(oci_registry, TALOS)
    oci_registry.push(OTHERS.armv7, reference.repository, "v1")
    pinned = reference._replace(digest=TALOS.digest)
    got = [registry.resolve(one, ARM64)[-1].digest for one in (reference, pinned, pinned._replace(tag=""))]
    assert [OTHERS.armv7.digest, TALOS.digest, TALOS.digest] == got


def test_config_has_labels(oci_registry: OciRegistry, registry: Registry) -> None:
    reference = pushed(oci_registry, TALOS)
    manifest = registry.manifest(reference, registry.resolve(reference, ARM64)[-1])
    config = registry.config(reference, manifest)
    assert {"org.opencontainers.image.version": "v1.12.0"} == config["config"]["Labels"]
    assert manifest.config.digest == oci_registry.sent[-1]


def test_expired_address_is_requested_again(oci_registry: OciRegistry, registry: Registry) -> None:
    reference = pushed(oci_registry, TALOS)
    manifest = registry.manifest(reference, registry.resolve(reference, ARM64)[-1])
    oci_registry.expire(manifest.layers[0].digest)
    body = bytes_of(registry, reference, manifest.layers[0])
    assert manifest.layers[0].digest == f"sha256:{hashlib.sha256(body).hexdigest()}"


def test_missing_blob_is_an_error(oci_registry: OciRegistry, registry: Registry) -> None:
    reference = pushed(oci_registry, TALOS)
    manifest = registry.manifest(reference, registry.resolve(reference, ARM64)[-1])
    oci_registry.delete_blob(reference.repository, layer(TALOS, 1))
    with pytest.raises(RegistryError, match=f"^{reference}: blob {layer(TALOS, 1)}: .*404"):
        bytes_of(registry, reference, manifest.layers[1])
    assert b"notes" == bytes_of(registry, reference, manifest.layers[3])


def test_missing_manifest_is_an_error(oci_registry: OciRegistry, registry: Registry) -> None:
    reference = pushed(oci_registry, index([(TALOS, "linux/arm64")]))
    oci_registry.delete_manifest(reference.repository, TALOS.digest)
    with pytest.raises(RegistryError, match=f"^{reference}: manifest {TALOS.digest}: .*404"):
        registry.manifest(reference, registry.resolve(reference, ARM64)[-1])


def test_unknown_tag_is_an_error(oci_registry: OciRegistry, registry: Registry) -> None:
    reference = pushed(oci_registry, TALOS)._replace(tag="v2")
    with pytest.raises(RegistryError, match=f"^{reference}: manifest: .*404"):
        registry.resolve(reference, ARM64)


def test_private_image_is_read_with_a_login(oci_registry: OciRegistry) -> None:
    reference = pushed(oci_registry, TALOS, "private")
    login = Login(oci_registry.user, oci_registry.password)
    with closing(Registry({oci_registry.host: login}.get, retry_policy=FAST_RETRIES)) as registry:
        assert layers_of(TALOS) == parts(registry, reference)


def test_public_image_is_read_with_a_login(oci_registry: OciRegistry) -> None:
    reference = pushed(oci_registry, TALOS)
    login = Login(oci_registry.user, oci_registry.password)
    with closing(Registry({oci_registry.host: login}.get, retry_policy=FAST_RETRIES)) as registry:
        assert layers_of(TALOS) == parts(registry, reference)


def test_private_image_needs_a_login(oci_registry: OciRegistry, registry: Registry) -> None:
    reference = pushed(oci_registry, TALOS, "private")
    with pytest.raises(RegistryError, match=f"^{reference}: .* 401: .*is private.*DOCKER_CONFIG"):
        registry.resolve(reference, ARM64)


def test_wrong_password_is_an_error(oci_registry: OciRegistry) -> None:
    reference = pushed(oci_registry, TALOS, "private")
    with (
        closing(Registry({oci_registry.host: Login("robot", "guess")}.get, retry_policy=FAST_RETRIES)) as registry,
        pytest.raises(
            RegistryError, match=f"^{reference}: .* 403 to the user 'robot': the password is wrong"
        ) as caught,
    ):
        registry.resolve(reference, ARM64)
    assert "guess" not in str(caught.value)


def test_repositories_have_their_own_tokens(oci_registry: OciRegistry, registry: Registry) -> None:
    first, second = pushed(oci_registry, TALOS), pushed(oci_registry, OTHERS.armv7)
    found = [registry.resolve(one, ARM64)[-1].digest for one in (first, second, first)]
    assert [TALOS.digest, OTHERS.armv7.digest, TALOS.digest] == found


def test_empty_and_large_layers_are_read(oci_registry: OciRegistry, registry: Registry) -> None:
    noise = hashlib.shake_256(b"noise").digest((24 << 20) + 1)
    sizes = image([Layer(b"", "application/octet-stream", "empty"), raw_file("noise", noise)])
    empty, large = parts(registry, pushed(oci_registry, sizes))
    assert (b"", digest_of(noise)) == (empty, digest_of(large))
