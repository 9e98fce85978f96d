"""The image for a platform is found, and all documents are verified."""

import pytest

from lambda_matchbox.oci.descriptors import Descriptor
from lambda_matchbox.oci.distribution.registry import MAX_DOCUMENT, Registry
from lambda_matchbox.oci.errors import DigestError, RegistryError
from lambda_matchbox.oci.image_reference import ImageReference, Platform, parse_image_reference, parse_platform
from tests.support.faulty_registry import FaultyRegistry
from tests.support.images import layers, manifests

ARM64 = Platform("linux", "arm64")
KERNEL = layers.gzipped(layers.Entry("vmlinuz", b"kernel"))
IMAGE = manifests.image([KERNEL], labels={"version": "v1"}, annotations={"made": "by hand"})


def reference_to(faulty: FaultyRegistry, image: manifests.Image, tag: str = "stable") -> ImageReference:
    faulty.add("team/boot", tag, image)
    return ImageReference(faulty.host, "team/boot", tag, "")


def of_platform(platform: str, *, docker: bool = False) -> manifests.Image:
    return manifests.image([layers.plain(layers.Entry("vmlinuz", platform.encode()))], platform=platform, docker=docker)


def index_of(*platforms: str, **settings: bool) -> manifests.Image:
    return manifests.index([(of_platform(platform), platform) for platform in platforms], **settings)


@pytest.mark.parametrize("docker", [False, True])
def test_manifest_without_an_index_matches_any_platform(
    faulty: FaultyRegistry, registry: Registry, docker: bool
) -> None:
    image = of_platform("plan9/mips", docker=docker)
    found = registry.resolve(reference_to(faulty, image), ARM64)[-1]
    media_type, body = image.manifests[image.digest]
    assert Descriptor(media_type, image.digest, len(body)) == found


def test_manifest_and_config_are_parsed(faulty: FaultyRegistry, registry: Registry) -> None:
    reference = reference_to(faulty, IMAGE)
    manifest = registry.manifest(reference, registry.resolve(reference, ARM64)[-1])
    layer = Descriptor(KERNEL.media_type, manifests.digest_of(KERNEL.body), len(KERNEL.body))
    assert (layer,) == manifest.layers
    assert {"made": "by hand"} == manifest.annotations
    assert manifests.OCI_CONFIG == manifest.config.media_type
    assert {"version": "v1"} == registry.config(reference, manifest)["config"]["Labels"]


def test_annotations_of_a_layer_are_kept(faulty: FaultyRegistry, registry: Registry) -> None:
    """ORAS puts file names there."""
    reference = reference_to(faulty, manifests.image([layers.raw_file("vmlinuz", b"kernel")]))
    manifest = registry.manifest(reference, registry.resolve(reference, ARM64)[-1])
    assert "vmlinuz" == manifest.layers[0].annotations["org.opencontainers.image.title"]


@pytest.mark.parametrize("body", [b"{}", b""])
def test_empty_config_is_an_empty_object(faulty: FaultyRegistry, registry: Registry, body: bytes) -> None:
    config = Descriptor("application/vnd.oci.empty.v1+json", faulty.add_blob(body), len(body))
    reference = reference_to(faulty, IMAGE)
    manifest = registry.manifest(reference, registry.resolve(reference, ARM64)[-1])
    assert {} == registry.config(reference, manifest._replace(config=config))


@pytest.mark.parametrize(
    ("available", "platform", "chosen"),
    [
        (["linux/amd64", "linux/arm64"], "linux/arm64", "linux/arm64"),
        (["linux/amd64", "linux/arm64/v8"], "linux/arm64", "linux/arm64/v8"),
        (["linux/arm64"], "linux/arm64/v8", "linux/arm64"),
        (["linux/arm64/v9", "linux/arm64/v8"], "linux/arm64", "linux/arm64/v8"),
        (["linux/arm64/v9", "linux/arm64"], "linux/arm64/v9", "linux/arm64/v9"),
        (["linux/arm64/v9"], "linux/arm64", "linux/arm64/v9"),
        (["linux/arm/v6", "linux/arm/v7"], "linux/arm/v7", "linux/arm/v7"),
        (["linux/arm/v6", "linux/arm/v7"], "linux/arm", "linux/arm/v6"),
        (["windows/arm64", "linux/arm64"], "linux/arm64", "linux/arm64"),
    ],
)
def test_best_platform_is_chosen(
    faulty: FaultyRegistry, registry: Registry, available: list[str], platform: str, chosen: str
) -> None:
    reference = reference_to(faulty, index_of(*available))
    assert of_platform(chosen).digest == registry.resolve(reference, parse_platform(platform))[-1].digest


@pytest.mark.parametrize("docker", [False, True])
def test_attestations_are_skipped(faulty: FaultyRegistry, registry: Registry, docker: bool) -> None:
    """buildx lists them beside images."""
    reference = reference_to(faulty, index_of("linux/arm64", docker=docker, attestation=True))
    assert of_platform("linux/arm64").digest == registry.resolve(reference, ARM64)[-1].digest
    with pytest.raises(RegistryError, match=r"available: linux/arm64$"):
        registry.resolve(reference, Platform("unknown", "unknown"))


@pytest.mark.parametrize("outer", ["", "linux/arm64"])
def test_nested_index_is_searched(faulty: FaultyRegistry, registry: Registry, outer: str) -> None:
    """With a platform or without."""
    inner = manifests.index([(index_of("linux/amd64", "linux/arm64"), outer)])
    reference = reference_to(faulty, manifests.index([(of_platform("linux/s390x"), "linux/s390x"), (inner, outer)]))
    assert of_platform("linux/arm64").digest == registry.resolve(reference, ARM64)[-1].digest


def test_index_that_is_not_needed_is_not_fetched(faulty: FaultyRegistry, registry: Registry) -> None:
    other, unneeded = index_of("linux/amd64"), index_of("linux/arm64/v9")
    outer = [(other, "linux/amd64"), (unneeded, ""), (of_platform("linux/arm64"), "linux/arm64")]
    registry.resolve(reference_to(faulty, manifests.index(outer)), ARM64)
    assert ["/v2/team/boot/manifests/stable"] == faulty.targets("registry")


def test_indexes_that_lead_to_the_manifest_are_given(faulty: FaultyRegistry, registry: Registry) -> None:
    inner = manifests.index([(IMAGE, "linux/arm64")])
    other = manifests.index([(manifests.image([], platform="linux/amd64"), "linux/amd64")])
    outer = manifests.index([(other, ""), (inner, "")])
    chain = registry.resolve(reference_to(faulty, outer), ARM64)
    assert [outer.digest, inner.digest, IMAGE.digest] == [one.digest for one in chain]
    assert [IMAGE.digest] == [one.digest for one in registry.resolve(reference_to(faulty, IMAGE), ARM64)]


def test_single_image_without_a_platform_is_chosen(faulty: FaultyRegistry, registry: Registry) -> None:
    reference = reference_to(faulty, manifests.index([(IMAGE, "")], attestation=True))
    assert IMAGE.digest == registry.resolve(reference, ARM64)[-1].digest
    several = manifests.index([(IMAGE, ""), (of_platform("linux/amd64"), "")])
    with pytest.raises(RegistryError, match="available: none with a platform"):
        registry.resolve(reference_to(faulty, several), ARM64)


def test_missing_platform_lists_the_available_ones(faulty: FaultyRegistry, registry: Registry) -> None:
    reference = reference_to(faulty, index_of("linux/amd64", "linux/arm/v7"))
    with pytest.raises(RegistryError) as caught:
        registry.resolve(reference, ARM64)
    assert f"{reference}: no image for linux/arm64; available: linux/amd64, linux/arm/v7" == str(caught.value)


def test_number_of_indexes_is_limited(faulty: FaultyRegistry, registry: Registry) -> None:
    many = manifests.index([(index_of(f"os{number}/arm64"), "") for number in range(40)])
    with pytest.raises(RegistryError, match="more than 32 indexes"):
        registry.resolve(reference_to(faulty, many), ARM64)


def test_digest_counts_before_the_tag(faulty: FaultyRegistry, registry: Registry) -> None:
    old = reference_to(faulty, IMAGE)
    faulty.add("team/boot", "stable", of_platform("linux/arm64"))
    assert IMAGE.digest == registry.resolve(old._replace(digest=IMAGE.digest), ARM64)[-1].digest
    assert [f"/v2/team/boot/manifests/{IMAGE.digest}"] == faulty.targets("registry")


def test_request_accepts_all_media_types(faulty: FaultyRegistry, registry: Registry) -> None:
    registry.resolve(reference_to(faulty, IMAGE), ARM64)
    headers = faulty.requests[0].headers
    accepted = {manifests.OCI_MANIFEST, manifests.OCI_INDEX, manifests.DOCKER_MANIFEST, manifests.DOCKER_LIST}
    assert accepted == set(headers["accept"].split(", "))
    assert "lambda-matchbox" == headers["user-agent"]


def test_wrong_digest_header_is_an_error(faulty: FaultyRegistry, registry: Registry) -> None:
    faulty.manifest_headers["Docker-Content-Digest"] = manifests.digest_of(b"another")
    reference = reference_to(faulty, IMAGE)
    with pytest.raises(DigestError) as caught:
        registry.resolve(reference, ARM64)
    assert str(caught.value).startswith(f"{reference}: manifest: ")
    assert IMAGE.digest in str(caught.value)


def test_digest_header_is_optional(faulty: FaultyRegistry, registry: Registry) -> None:
    faulty.manifest_headers["Docker-Content-Digest"] = ""
    assert IMAGE.digest == registry.resolve(reference_to(faulty, IMAGE), ARM64)[-1].digest


def test_manifest_with_another_digest_is_an_error(faulty: FaultyRegistry, registry: Registry) -> None:
    """Even if the header has the requested digest."""
    reference = reference_to(faulty, IMAGE)
    other = of_platform("linux/amd64")
    faulty.add_manifest("team/boot", IMAGE.digest, *other.manifests[other.digest])
    faulty.manifest_headers["Docker-Content-Digest"] = IMAGE.digest
    with pytest.raises(DigestError, match=IMAGE.digest):
        registry.resolve(reference._replace(digest=IMAGE.digest), ARM64)
    with pytest.raises(DigestError, match=IMAGE.digest):
        registry.manifest(reference, Descriptor(manifests.OCI_MANIFEST, IMAGE.digest, len(KERNEL.body)))


def test_manifest_with_another_size_is_an_error(faulty: FaultyRegistry, registry: Registry) -> None:
    reference = reference_to(faulty, IMAGE)
    found = registry.resolve(reference, ARM64)[-1]
    with pytest.raises(DigestError, match="but its descriptor says 7"):
        registry.manifest(reference, found._replace(size=7))


def test_index_instead_of_a_manifest_is_an_error(faulty: FaultyRegistry, registry: Registry) -> None:
    index = index_of("linux/arm64")
    reference = reference_to(faulty, index)
    body = index.manifests[index.digest][1]
    with pytest.raises(RegistryError, match="it is an index"):
        registry.manifest(reference, Descriptor(index.media_type, index.digest, len(body)))


def test_malformed_manifest_is_an_error_with_its_digest(faulty: FaultyRegistry, registry: Registry) -> None:
    faulty.add_manifest("team/boot", "bad", "", b"not json")
    reference = ImageReference(faulty.host, "team/boot", "bad", "")
    with pytest.raises(RegistryError, match="invalid JSON") as caught:
        registry.resolve(reference, ARM64)
    assert str(caught.value).startswith(f"{reference}: manifest {manifests.digest_of(b'not json')}: ")


@pytest.mark.parametrize("media_type", ["", "text/plain"])
def test_missing_media_type_is_inferred(faulty: FaultyRegistry, registry: Registry, media_type: str) -> None:
    reference = reference_to(faulty, IMAGE)
    faulty.manifest_headers["Content-Type"] = media_type
    assert manifests.OCI_MANIFEST == registry.resolve(reference, ARM64)[-1].media_type


@pytest.mark.parametrize("chunked", [False, True])
def test_size_of_a_manifest_is_limited(faulty: FaultyRegistry, registry: Registry, chunked: bool) -> None:
    faulty.chunked = chunked
    faulty.add_manifest("team/boot", "huge", manifests.OCI_MANIFEST, b" " * (MAX_DOCUMENT + 1))
    with pytest.raises(RegistryError, match="4194304"):
        registry.resolve(ImageReference(faulty.host, "team/boot", "huge", ""), ARM64)


def test_documents_announced_too_large_are_not_requested(faulty: FaultyRegistry, registry: Registry) -> None:
    reference = reference_to(faulty, IMAGE)
    manifest = registry.manifest(reference, registry.resolve(reference, ARM64)[-1])
    requests = len(faulty.requests)
    with pytest.raises(RegistryError, match="the limit is 4194304"):
        registry.config(reference, manifest._replace(config=manifest.config._replace(size=MAX_DOCUMENT + 1)))
    with pytest.raises(RegistryError, match="the limit is 4194304"):
        registry.manifest(reference, Descriptor(manifests.OCI_MANIFEST, IMAGE.digest, MAX_DOCUMENT + 1))
    assert requests == len(faulty.requests)


def test_missing_tag_is_final(faulty: FaultyRegistry, registry: Registry) -> None:
    reference = parse_image_reference(f"{faulty.host}/team/none:v1")
    with pytest.raises(RegistryError) as caught:
        registry.resolve(reference, ARM64)
    assert f"{reference}: manifest: {faulty.host} answers 404: no such image" == str(caught.value)
    assert 1 == len(faulty.requests)


def test_connection_is_reused(faulty: FaultyRegistry, registry: Registry) -> None:
    """Also after small errors and redirects."""
    reference = reference_to(faulty, IMAGE)
    registry.config(reference, registry.manifest(reference, registry.resolve(reference, ARM64)[-1]))
    with pytest.raises(RegistryError):
        registry.resolve(reference._replace(tag="none"), ARM64)
    pools = registry._http._pools.values()
    assert {1} == {pool.num_connections for pool in pools}
