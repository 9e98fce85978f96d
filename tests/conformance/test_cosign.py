"""Signatures that cosign made and stored, and forgeries of them."""

import base64
import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

import pytest

from lambda_matchbox.oci.distribution.docker_config import no_logins
from lambda_matchbox.oci.distribution.registry import Registry
from lambda_matchbox.oci.errors import SignatureError
from lambda_matchbox.oci.image_reference import ImageReference, Platform
from lambda_matchbox.oci.signatures.signers import KeySigner
from lambda_matchbox.oci.signatures.verification import verify
from tests.rigs.cosign import BUNDLE, TAG
from tests.rigs.cosign_recording import KEYS, OTHER, RECORDING, SIGNED
from tests.support.images import signatures
from tests.support.images.manifests import Image
from tests.support.images.signatures import SignatureLayer, attach
from tests.support.faulty_registry import FaultyRegistry
from tests.support.registry_serving import faulty_registry
from tests.unit.oci.distribution.fast_retries import FAST_RETRIES

pytestmark = pytest.mark.system

REPOSITORY = "team/boot"
RECORDED: list[dict[str, Any]] = json.loads(RECORDING.read_text())
GOOD = [one for one in RECORDED if one["kind"] != "ed25519"]


def names(recorded: list[dict[str, Any]]) -> list[str]:
    return [f"{one['kind']}-{one['stored']}" for one in recorded]


recorded_ones = pytest.mark.parametrize("recorded", GOOD, ids=names(GOOD))


@pytest.fixture
def faulty() -> Iterator[FaultyRegistry]:
    with faulty_registry() as faulty:
        faulty.add(REPOSITORY, "stable", SIGNED)
        yield faulty


def signed_digest(faulty: FaultyRegistry, recorded: Mapping[str, Any], digest: str = "") -> str:
    reference = ImageReference(faulty.host, REPOSITORY, "stable", digest)
    with closing(Registry(no_logins, retry_policy=FAST_RETRIES)) as registry:
        chain = registry.resolve(reference, Platform("linux", "arm64"))
        return verify(registry, reference, chain, KeySigner(recorded["key"])).digest


def refusal(faulty: FaultyRegistry, recorded: Mapping[str, Any], digest: str = "") -> str:
    with pytest.raises(SignatureError) as caught:
        signed_digest(faulty, recorded, digest)
    return str(caught.value)


def restore(faulty: FaultyRegistry, stored: Mapping[str, str]) -> None:
    """What cosign has stored, as it was."""
    for path, text in stored.items():
        kind, _, name = path.partition("/")
        if kind == "blobs":
            assert name == faulty.add_blob(text.encode())
        else:
            faulty.add_manifest(REPOSITORY, name, json.loads(text)["mediaType"], text.encode())


def layer_of(stored: Mapping[str, str]) -> SignatureLayer:
    """The only signature among what cosign has stored."""
    manifests = [json.loads(text) for path, text in stored.items() if path.startswith("manifests/")]
    (layer,) = {json.dumps(layer) for manifest in manifests for layer in manifest.get("layers", ())}
    described = json.loads(layer)
    body = stored[f"blobs/{described['digest']}"].encode()
    return SignatureLayer(described["mediaType"], body, described.get("annotations", {}))


def copy(faulty: FaultyRegistry, subject: Image, layer: SignatureLayer, stored: str) -> None:
    attach(faulty, REPOSITORY, subject, [layer], signatures.TAG if stored == TAG else signatures.FALLBACK)


def test_every_kind_of_key_is_recorded_in_every_way() -> None:
    assert len(RECORDED) == len({(one["kind"], one["stored"]) for one in RECORDED}) == 3 * len(KEYS)


@recorded_ones
@pytest.mark.parametrize("has_referrers", [False, True], ids=["fallback-tag", "referrers-api"])
def test_signatures_by_cosign_are_good(
    faulty: FaultyRegistry, recorded: Mapping[str, Any], *, has_referrers: bool
) -> None:
    restore(faulty, recorded["signed"])
    faulty.has_referrers = has_referrers
    assert SIGNED.digest == signed_digest(faulty, recorded)


@pytest.mark.parametrize("recorded", [one for one in RECORDED if one not in GOOD], ids=lambda one: str(one["stored"]))
def test_ed25519_signatures_by_cosign_are_refused(faulty: FaultyRegistry, recorded: Mapping[str, Any]) -> None:
    """It signs with the prehashed variant, and verifies the other one: it refuses them, too."""
    restore(faulty, recorded["signed"])
    assert "it is not by this key" in refusal(faulty, recorded)


@recorded_ones
def test_another_images_signature_is_refused(faulty: FaultyRegistry, recorded: Mapping[str, Any]) -> None:
    copy(faulty, SIGNED, layer_of(recorded["other"]), recorded["stored"])
    assert f"it is of another image, {OTHER.digest}" in refusal(faulty, recorded)


@recorded_ones
def test_stale_signature_replayed_for_a_newer_tag_is_refused(
    faulty: FaultyRegistry, recorded: Mapping[str, Any]
) -> None:
    restore(faulty, recorded["signed"])
    assert SIGNED.digest == signed_digest(faulty, recorded)
    faulty.add(REPOSITORY, "stable", OTHER)
    copy(faulty, OTHER, layer_of(recorded["signed"]), recorded["stored"])
    assert f"it is of another image, {SIGNED.digest}" in refusal(faulty, recorded)


@recorded_ones
def test_signature_by_another_key_is_refused(faulty: FaultyRegistry, recorded: Mapping[str, Any]) -> None:
    restore(faulty, recorded["signed"])
    for other in RECORDED:
        if other["key"] != recorded["key"]:
            assert "it is not by this key, or its payload was changed" in refusal(faulty, other)


@recorded_ones
def test_changed_payload_is_refused(faulty: FaultyRegistry, recorded: Mapping[str, Any]) -> None:
    layer = layer_of(recorded["other"])
    old, new = (one.digest.removeprefix("sha256:").encode() for one in (OTHER, SIGNED))
    if recorded["stored"] == BUNDLE:
        bundle = json.loads(layer.body)
        payload = base64.b64decode(bundle["dsseEnvelope"]["payload"])
        assert old in payload
        bundle["dsseEnvelope"]["payload"] = base64.b64encode(payload.replace(old, new)).decode()
        body = json.dumps(bundle).encode()
    else:
        assert old in layer.body
        body = layer.body.replace(old, new)
    copy(faulty, SIGNED, layer._replace(body=body), recorded["stored"])
    assert "it is not by this key, or its payload was changed" in refusal(faulty, recorded)


@recorded_ones
def test_signed_index_does_not_cover_its_manifest_alone(faulty: FaultyRegistry, recorded: Mapping[str, Any]) -> None:
    restore(faulty, recorded["signed"])
    manifest = SIGNED.document["manifests"][0]["digest"]
    assert refusal(faulty, recorded, manifest).startswith(f"the registry has no signature of {manifest}; ")
