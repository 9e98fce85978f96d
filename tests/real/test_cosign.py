"""Syncs of images that the real cosign has signed, or somebody else, in a real registry."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from tests.real.source_commands import SourceCommands
from tests.rigs.cosign import BUNDLE, REFERRER, TAG, Cosign, CosignKey
from tests.rigs.oci_registry import OciRegistry, oci_registry
from tests.rigs.referrers_registry import referrers_registry
from tests.support.images.layers import Entry, gzipped
from tests.support.images.manifests import Image, image, index
from tests.support.images.signatures import referrers, statement
from tests.support.images.sigstore_instance import SigstoreInstance

# Building both versions of cosign takes minutes.
pytestmark = [pytest.mark.real, pytest.mark.nightly]

IDENTITY, ISSUER = "release@example.com", "https://accounts.example.com"


def talos(kernel: bytes) -> Image:
    files = (Entry("talos/arm64/vmlinuz", kernel), Entry("talos/arm64/initramfs.xz", b"initramfs"))
    return index([(image([gzipped(*files)]), "linux/arm64")])


OLD, NEW = talos(b"old kernel"), talos(b"new kernel")


@pytest.fixture(scope="module", params=["fallback-tag", "referrers-api"])
def registry(request: pytest.FixtureRequest) -> Iterator[OciRegistry]:
    """cosign pushes without a login."""
    rig = referrers_registry() if request.param == "referrers-api" else oci_registry(tokens=False, redirect=False)
    with rig as registry:
        yield registry


@pytest.fixture(scope="module")
def cosign(tmp_path_factory: pytest.TempPathFactory) -> Cosign:
    return Cosign(tmp_path_factory.mktemp("cosign"))


@pytest.fixture(scope="module")
def key(cosign: Cosign) -> CosignKey:
    return cosign.import_key("key", ec.generate_private_key(ec.SECP256R1()))


@pytest.fixture(scope="module")
def other_key(cosign: Cosign) -> CosignKey:
    return cosign.import_key("other", ec.generate_private_key(ec.SECP256R1()))


@pytest.fixture
def commands(tmp_path: Path) -> SourceCommands:
    return SourceCommands(tmp_path)


@pytest.mark.parametrize("stored", [TAG, REFERRER, BUNDLE])
def test_only_signed_images_become_releases(
    commands: SourceCommands, registry: OciRegistry, cosign: Cosign, key: CosignKey, other_key: CosignKey, stored: str
) -> None:
    repository = f"team/{stored}"
    old = registry.push(OLD, repository, "stable").replace(":stable", f"@{OLD.digest}")
    new = old.replace(OLD.digest, NEW.digest)
    commands.add("talos", f"{registry.host}/{repository}:stable", verify={"key": key.public})
    assert "has no signature of" in commands.run("sync", code=1)
    cosign.sign(key, old, stored)
    assert "published sha256:" in commands.run("sync")
    (served,) = commands.digests("talos")
    registry.push(NEW, repository, "stable")
    assert f"has no signature of {NEW.digest}" in commands.run("sync", code=1)
    cosign.sign(other_key, new, stored)
    assert "it is not by this key" in commands.run("sync", code=1)
    assert [served] == commands.digests("talos")
    cosign.sign(key, new, stored)
    assert "(signed by the key sha256:" in commands.run("sync")
    assert 2 == len(commands.digests("talos"))


def test_signed_index_does_not_cover_its_manifest_alone(
    commands: SourceCommands, registry: OciRegistry, cosign: Cosign, key: CosignKey
) -> None:
    registry.push(OLD, "team/manifest", "stable")
    manifest = OLD.document["manifests"][0]["digest"]
    commands.add("talos", f"{registry.host}/team/manifest@{manifest}", verify={"key": key.public})
    cosign.sign(key, f"{registry.host}/team/manifest@{OLD.digest}", BUNDLE)
    assert f"has no signature of {manifest}" in commands.run("sync", code=1)
    cosign.sign(key, f"{registry.host}/team/manifest@{OLD.digest}", BUNDLE, "--recursive")
    assert "published" in commands.run("sync")


def test_attestation_is_no_signature(
    commands: SourceCommands, registry: OciRegistry, cosign: Cosign, key: CosignKey, tmp_path: Path
) -> None:
    registry.push(OLD, "team/attestation", "stable")
    predicate = tmp_path / "predicate.json"
    predicate.write_text("{}")
    cosign.attest(key, f"{registry.host}/team/attestation@{OLD.digest}", predicate)
    commands.add("talos", f"{registry.host}/team/attestation:stable", verify={"key": key.public})
    assert "it is an attestation " in commands.run("sync", code=1)


def test_cosign_and_sync_agree_on_a_keyless_signature(
    commands: SourceCommands, registry: OciRegistry, cosign: Cosign, tmp_path: Path
) -> None:
    instance = SigstoreInstance()
    root = tmp_path / "trusted_root.json"
    root.write_text(json.dumps(instance.trusted_root))
    reference = registry.push(OLD, "team/keyless", "stable")
    bundle = instance.signed(statement(OLD.digest), IDENTITY, ISSUER)
    registry.push(referrers([bundle], OLD), "team/keyless", OLD.digest.replace(":", "-"))
    cosign.verify_keyless(f"{registry.host}/team/keyless@{OLD.digest}", root, IDENTITY, ISSUER)
    verify = {"identity": IDENTITY, "issuer": ISSUER, "trusted_root": str(root)}
    commands.add("talos", reference, verify=verify)
    assert f"(signed by {IDENTITY}, vouched for by {ISSUER})" in commands.run("sync")
