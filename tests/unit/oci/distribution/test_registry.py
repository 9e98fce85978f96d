"""An image is found for its platform, and every byte of what describes it is verified."""

import pytest

from lambda_matchbox.oci.descriptors import Descriptor
from lambda_matchbox.oci.distribution.registry import MAX_DOCUMENT, Registry
from lambda_matchbox.oci.errors import DigestError, RegistryError
from lambda_matchbox.oci.image_reference import ImageReference, Platform, parse_image_reference, parse_platform
from tests.support.images import layers, manifests
from tests.support.registry_faults import FaultyRegistry

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
def test_a_plain_manifest_is_taken_as_it_is(faulty: FaultyRegistry, registry: Registry, docker: bool) -> None:
    """A reference to an image without an index leads to that image, whatever its platform."""
    image = of_platform("plan9/mips", docker=docker)
    found = registry.resolve(reference_to(faulty, image), ARM64)
    media_type, body = image.manifests[image.digest]
    assert Descriptor(media_type, image.digest, len(body)) == found


def test_manifest_and_config(faulty: FaultyRegistry, registry: Registry) -> None:
    """A manifest's config and layers are read, and the config's JSON."""
    reference = reference_to(faulty, IMAGE)
    manifest = registry.manifest(reference, registry.resolve(reference, ARM64))
    layer = Descriptor(KERNEL.media_type, manifests.digest_of(KERNEL.body), len(KERNEL.body))
    assert (layer,) == manifest.layers
    assert {"made": "by hand"} == manifest.annotations
    assert manifests.OCI_CONFIG == manifest.config.media_type
    assert {"version": "v1"} == registry.config(reference, manifest)["config"]["Labels"]


def test_title_of_a_plain_file(faulty: FaultyRegistry, registry: Registry) -> None:
    """A layer's annotations are kept; they name what ORAS pushes."""
    reference = reference_to(faulty, manifests.image([layers.raw_file("vmlinuz", b"kernel")]))
    manifest = registry.manifest(reference, registry.resolve(reference, ARM64))
    assert "vmlinuz" == manifest.layers[0].annotations["org.opencontainers.image.title"]


@pytest.mark.parametrize("body", [b"{}", b""])
def test_empty_config(faulty: FaultyRegistry, registry: Registry, body: bytes) -> None:
    """An image of plain files has a config that says nothing."""
    config = Descriptor("application/vnd.oci.empty.v1+json", faulty.add_blob(body), len(body))
    reference = reference_to(faulty, IMAGE)
    manifest = registry.manifest(reference, registry.resolve(reference, ARM64))
    assert {} == registry.config(reference, manifest._replace(config=config))


@pytest.mark.parametrize(
    ("there", "wanted", "taken"),
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
def test_platform(faulty: FaultyRegistry, registry: Registry, there: list[str], wanted: str, taken: str) -> None:
    """The entry for system, architecture and variant is taken; without a wanted variant any will do."""
    reference = reference_to(faulty, index_of(*there))
    assert of_platform(taken).digest == registry.resolve(reference, parse_platform(wanted)).digest


@pytest.mark.parametrize("docker", [False, True])
def test_attestations_are_skipped(faulty: FaultyRegistry, registry: Registry, docker: bool) -> None:
    """What buildx says about an image is no image, though it stands first."""
    reference = reference_to(faulty, index_of("linux/arm64", docker=docker, attestation=True))
    assert of_platform("linux/arm64").digest == registry.resolve(reference, ARM64).digest
    with pytest.raises(RegistryError, match=r"available: linux/arm64$"):
        registry.resolve(reference, Platform("unknown", "unknown"))


@pytest.mark.parametrize("outer", ["", "linux/arm64"])
def test_nested_indexes(faulty: FaultyRegistry, registry: Registry, outer: str) -> None:
    """An index in an index is looked into, whether or not it says for what it is."""
    inner = manifests.index([(index_of("linux/amd64", "linux/arm64"), outer)])
    reference = reference_to(faulty, manifests.index([(of_platform("linux/s390x"), "linux/s390x"), (inner, outer)]))
    assert of_platform("linux/arm64").digest == registry.resolve(reference, ARM64).digest


def test_an_index_for_another_platform_is_not_fetched(faulty: FaultyRegistry, registry: Registry) -> None:
    """What can hold nothing of the platform, or is not needed any more, costs no request."""
    other, unneeded = index_of("linux/amd64"), index_of("linux/arm64/v9")
    outer = [(other, "linux/amd64"), (unneeded, ""), (of_platform("linux/arm64"), "linux/arm64")]
    registry.resolve(reference_to(faulty, manifests.index(outer)), ARM64)
    assert ["/v2/team/boot/manifests/stable"] == faulty.targets("registry")


def test_the_only_image_without_a_platform(faulty: FaultyRegistry, registry: Registry) -> None:
    """An index that names no platform leads to its only image, and to none of several."""
    reference = reference_to(faulty, manifests.index([(IMAGE, "")], attestation=True))
    assert IMAGE.digest == registry.resolve(reference, ARM64).digest
    several = manifests.index([(IMAGE, ""), (of_platform("linux/amd64"), "")])
    with pytest.raises(RegistryError, match="available: none with a platform"):
        registry.resolve(reference_to(faulty, several), ARM64)


def test_a_missing_platform_names_those_there(faulty: FaultyRegistry, registry: Registry) -> None:
    """The error says what image it was and which platforms it has."""
    reference = reference_to(faulty, index_of("linux/amd64", "linux/arm/v7"))
    with pytest.raises(RegistryError) as caught:
        registry.resolve(reference, ARM64)
    assert f"{reference}: no image for linux/arm64; available: linux/amd64, linux/arm/v7" == str(caught.value)


def test_too_many_indexes(faulty: FaultyRegistry, registry: Registry) -> None:
    """An index that leads to ever more of them is given up."""
    many = manifests.index([(index_of(f"os{number}/arm64"), "") for number in range(40)])
    with pytest.raises(RegistryError, match="more than 32 indexes"):
        registry.resolve(reference_to(faulty, many), ARM64)


def test_the_digest_counts(faulty: FaultyRegistry, registry: Registry) -> None:
    """With tag and digest the digest says which image is meant."""
    old = reference_to(faulty, IMAGE)
    faulty.add("team/boot", "stable", of_platform("linux/arm64"))
    assert IMAGE.digest == registry.resolve(old._replace(digest=IMAGE.digest), ARM64).digest
    assert [f"/v2/team/boot/manifests/{IMAGE.digest}"] == faulty.targets("registry")


def test_what_is_asked(faulty: FaultyRegistry, registry: Registry) -> None:
    """A manifest is asked for in all four forms, by a client that says who it is."""
    registry.resolve(reference_to(faulty, IMAGE), ARM64)
    headers = faulty.asked[0].headers
    accepted = {manifests.OCI_MANIFEST, manifests.OCI_INDEX, manifests.DOCKER_MANIFEST, manifests.DOCKER_LIST}
    assert accepted == set(headers["accept"].split(", "))
    assert "lambda-matchbox" == headers["user-agent"]


def test_a_lying_digest_header(faulty: FaultyRegistry, registry: Registry) -> None:
    """What a registry sends for a tag has to be what its header announces."""
    faulty.manifest_headers["Docker-Content-Digest"] = manifests.digest_of(b"another")
    reference = reference_to(faulty, IMAGE)
    with pytest.raises(DigestError) as caught:
        registry.resolve(reference, ARM64)
    assert str(caught.value).startswith(f"{reference}: manifest: ")
    assert IMAGE.digest in str(caught.value)


def test_no_digest_header(faulty: FaultyRegistry, registry: Registry) -> None:
    """The digest comes from the bytes, so a registry need not announce one."""
    faulty.manifest_headers["Docker-Content-Digest"] = ""
    assert IMAGE.digest == registry.resolve(reference_to(faulty, IMAGE), ARM64).digest


def test_another_manifest_for_a_digest(faulty: FaultyRegistry, registry: Registry) -> None:
    """A manifest that is not the one of its digest is refused, though the header agrees with what was asked."""
    reference = reference_to(faulty, IMAGE)
    other = of_platform("linux/amd64")
    faulty.add_manifest("team/boot", IMAGE.digest, *other.manifests[other.digest])
    faulty.manifest_headers["Docker-Content-Digest"] = IMAGE.digest
    with pytest.raises(DigestError, match=IMAGE.digest):
        registry.resolve(reference._replace(digest=IMAGE.digest), ARM64)
    with pytest.raises(DigestError, match=IMAGE.digest):
        registry.manifest(reference, Descriptor(manifests.OCI_MANIFEST, IMAGE.digest, len(KERNEL.body)))


def test_a_manifest_of_another_size(faulty: FaultyRegistry, registry: Registry) -> None:
    """A manifest has the size that the index announces."""
    reference = reference_to(faulty, IMAGE)
    found = registry.resolve(reference, ARM64)
    with pytest.raises(DigestError, match="but its descriptor says 7"):
        registry.manifest(reference, found._replace(size=7))


def test_an_index_is_no_image(faulty: FaultyRegistry, registry: Registry) -> None:
    """The descriptor of an index leads to no manifest."""
    index = index_of("linux/arm64")
    reference = reference_to(faulty, index)
    body = index.manifests[index.digest][1]
    with pytest.raises(RegistryError, match="it is an index"):
        registry.manifest(reference, Descriptor(index.media_type, index.digest, len(body)))


def test_a_malformed_manifest(faulty: FaultyRegistry, registry: Registry) -> None:
    """What is no manifest is an error that names the image and the digest."""
    faulty.add_manifest("team/boot", "bad", "", b"not json")
    reference = ImageReference(faulty.host, "team/boot", "bad", "")
    with pytest.raises(RegistryError, match="invalid JSON") as caught:
        registry.resolve(reference, ARM64)
    assert str(caught.value).startswith(f"{reference}: manifest {manifests.digest_of(b'not json')}: ")


@pytest.mark.parametrize("media_type", ["", "text/plain"])
def test_a_manifest_without_media_type(faulty: FaultyRegistry, registry: Registry, media_type: str) -> None:
    """A registry that does not say what it sends is understood."""
    reference = reference_to(faulty, IMAGE)
    faulty.manifest_headers["Content-Type"] = media_type
    assert manifests.OCI_MANIFEST == registry.resolve(reference, ARM64).media_type


@pytest.mark.parametrize("chunked", [False, True])
def test_a_huge_manifest(faulty: FaultyRegistry, registry: Registry, chunked: bool) -> None:
    """A manifest beyond the bound is not read to its end."""
    faulty.chunked = chunked
    faulty.add_manifest("team/boot", "huge", manifests.OCI_MANIFEST, b" " * (MAX_DOCUMENT + 1))
    with pytest.raises(RegistryError, match="4194304"):
        registry.resolve(ImageReference(faulty.host, "team/boot", "huge", ""), ARM64)


def test_huge_parts_are_not_asked_for(faulty: FaultyRegistry, registry: Registry) -> None:
    """A config, and a manifest in an index, that are announced beyond the bound cost no request."""
    reference = reference_to(faulty, IMAGE)
    manifest = registry.manifest(reference, registry.resolve(reference, ARM64))
    asked = len(faulty.asked)
    with pytest.raises(RegistryError, match="the limit is 4194304"):
        registry.config(reference, manifest._replace(config=manifest.config._replace(size=MAX_DOCUMENT + 1)))
    with pytest.raises(RegistryError, match="the limit is 4194304"):
        registry.manifest(reference, Descriptor(manifests.OCI_MANIFEST, IMAGE.digest, MAX_DOCUMENT + 1))
    assert asked == len(faulty.asked)


def test_no_such_image(faulty: FaultyRegistry, registry: Registry) -> None:
    """A missing tag is final, and said plainly."""
    reference = parse_image_reference(f"{faulty.host}/team/none:v1")
    with pytest.raises(RegistryError) as caught:
        registry.resolve(reference, ARM64)
    assert f"{reference}: manifest: {faulty.host} answers 404: there is no such image" == str(caught.value)
    assert 1 == len(faulty.asked)


def test_connections_are_kept(faulty: FaultyRegistry, registry: Registry) -> None:
    """Requests one after the other share a connection, small errors and redirects included."""
    reference = reference_to(faulty, IMAGE)
    registry.config(reference, registry.manifest(reference, registry.resolve(reference, ARM64)))
    with pytest.raises(RegistryError):
        registry.resolve(reference._replace(tag="none"), ARM64)
    pools = registry._http._pools.values()
    assert {1} == {pool.num_connections for pool in pools}
