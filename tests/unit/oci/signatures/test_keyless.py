"""Keyless signatures, by the public Sigstore and by an instance of the tests."""

import json
from collections.abc import Callable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from sigstore.errors import TUFError
from sigstore.verify import Verifier

from lambda_matchbox.oci.errors import SignatureError
from lambda_matchbox.oci.signatures.claims import signed_digests
from lambda_matchbox.oci.signatures.keyless import KeylessVerifier
from lambda_matchbox.oci.signatures.signers import KeylessSigner
from tests.support.images.signatures import IN_TOTO, statement
from tests.support.images.sigstore_instance import SigstoreInstance

IDENTITY = "https://github.com/team/boot/.github/workflows/release.yml@refs/heads/main"
ISSUER = "https://token.actions.githubusercontent.com"
DIGEST = f"sha256:{'0123456789abcdef' * 4}"
INSTANCE = SigstoreInstance()
SIGNER = KeylessSigner(IDENTITY, ISSUER, json.dumps(INSTANCE.trusted_root))
BUNDLE = json.loads(INSTANCE.signed(statement(DIGEST), IDENTITY, ISSUER).body)
OTHER_BUNDLE = json.loads(INSTANCE.signed(statement(f"sha256:{'0' * 64}"), IDENTITY, ISSUER).body)

# The public Sigstore's signature of an attestation that cosign made (test data of cosign).
PUBLIC_BUNDLE = Path(__file__).parents[3] / "conformance" / "sigstore" / "attestation.json"
PUBLIC_SIGNER = KeylessSigner("cody@soyland.com", "https://github.com/login/oauth")


def public_root() -> str:
    """The path of the public Sigstore's trusted_root.json in the library."""
    (root,) = (path for path in Path(str(files("sigstore"))).rglob("trusted_root.json") if "sigstore.dev" in str(path))
    return str(root)


def verified(bundle: Mapping[str, Any], signer: KeylessSigner = SIGNER) -> frozenset[str]:
    return signed_digests(*KeylessVerifier(signer).verified(json.dumps(bundle).encode()))


def changed(*path: str | int, value: object) -> dict[str, Any]:
    """The good bundle with another value at the path."""
    copy = json.loads(json.dumps(BUNDLE))
    at = copy
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    return dict(copy)


def test_signature_by_the_identity_is_good(tmp_path: Path) -> None:
    root = tmp_path / "trusted_root.json"
    root.write_text(SIGNER.trusted_root)
    signers = [SIGNER, SIGNER._replace(trusted_root=str(root))]
    assert [{DIGEST}] * 2 == [verified(BUNDLE, signer) for signer in signers]


@pytest.mark.parametrize(
    ("signer", "why"),
    [
        (SIGNER._replace(identity=f"{IDENTITY}2"), "SANs do not match"),
        (SIGNER._replace(issuer=f"{ISSUER}/2"), "issuer"),
        (SIGNER._replace(trusted_root=json.dumps(SigstoreInstance().trusted_root)), "certificate chain"),
        (SIGNER._replace(trusted_root=public_root()), "certificate chain"),
    ],
    ids=["identity", "issuer", "another-instance", "public-instance"],
)
def test_signature_by_somebody_else_is_refused(signer: KeylessSigner, why: str) -> None:
    with pytest.raises(SignatureError, match=f"(?i){why}"):
        verified(BUNDLE, signer)


MATERIAL, ENVELOPE = "verificationMaterial", "dsseEnvelope"
ENTRY = (MATERIAL, "tlogEntries", 0)


@pytest.mark.parametrize(
    "bundle",
    [
        changed(ENVELOPE, "payload", value=OTHER_BUNDLE[ENVELOPE]["payload"]),
        changed(ENVELOPE, "signatures", value=OTHER_BUNDLE[ENVELOPE]["signatures"]),
        changed(ENVELOPE, value=OTHER_BUNDLE[ENVELOPE]),
        changed(MATERIAL, "certificate", value=OTHER_BUNDLE[MATERIAL]["certificate"]),
        changed(MATERIAL, "tlogEntries", value=OTHER_BUNDLE[MATERIAL]["tlogEntries"]),
        changed(MATERIAL, "tlogEntries", value=[]),
        changed(*ENTRY, "integratedTime", value="1600000000"),
        *(changed(*ENTRY, "integratedTime", value=str(seconds)) for seconds in (2**62, 2**63 - 1, 2**63, -(2**63))),
        changed(*ENTRY, "inclusionPromise", value=None),
        changed(*ENTRY, "inclusionPromise", "signedEntryTimestamp", value="MEUCIQDx"),
        changed(*ENTRY, "inclusionProof", value=None),
        changed(*ENTRY, "inclusionProof", "checkpoint", "envelope", value="log\n1\nAAAA\n\n- x"),
        changed(*ENTRY, "canonicalizedBody", value="e30="),
        changed(MATERIAL, value={"publicKey": {"hint": "x"}}),
        changed(MATERIAL, "certificate", "rawBytes", value="AAAA"),
        changed("mediaType", value="application/json"),
    ],
)
def test_changed_bundle_is_refused(bundle: dict[str, Any]) -> None:
    with pytest.raises(SignatureError):
        verified(bundle)


def test_refusal_has_no_character_that_a_terminal_obeys() -> None:
    with pytest.raises(SignatureError, match=r"got a \[2J b c$"):
        verified(changed(*ENTRY, "kindVersion", "version", value="a\x1b[2J\x9b\u202eb\nc"))


@pytest.mark.parametrize("text", [b"", b"[]", b"{", b"\xff", b'{"mediaType": 7}'])
def test_text_that_is_no_bundle_is_refused(text: bytes) -> None:
    with pytest.raises(SignatureError):
        KeylessVerifier(SIGNER).verified(text)


def test_public_instance_is_trusted_by_the_librarys_root() -> None:
    signer = PUBLIC_SIGNER._replace(trusted_root=public_root())
    payload_type, payload = KeylessVerifier(signer).verified(PUBLIC_BUNDLE.read_bytes())
    assert (IN_TOTO, "127.0.0.1:60943/repo") == (payload_type, json.loads(payload)["subject"][0]["name"])
    with pytest.raises(SignatureError, match=r"it is an attestation 'https://cosign.sigstore.dev/attestation/v1'"):
        signed_digests(payload_type, payload)
    with pytest.raises(SignatureError, match="SANs do not match"):
        KeylessVerifier(signer._replace(identity="eve@example.com")).verified(PUBLIC_BUNDLE.read_bytes())


@pytest.mark.parametrize(
    "content", ["", "{}", '{"mediaType": "x"}', json.dumps({**INSTANCE.trusted_root, "tlogs": []})]
)
def test_trusted_root_that_cannot_be_read_is_an_error(tmp_path: Path, content: str) -> None:
    file = tmp_path / "root.json"
    for written in (False, True):
        if written:
            file.write_text(content)
        with pytest.raises(SignatureError, match=r"^cannot read the trusted root of `trusted_root`: "):
            KeylessVerifier(SIGNER._replace(trusted_root=str(file)))


def test_public_root_that_cannot_be_updated_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def production() -> Callable[[], Verifier]:
        raise TUFError("Failed to refresh TUF metadata")

    monkeypatch.setattr(Verifier, "production", production)
    with pytest.raises(
        SignatureError, match=r"^cannot read the trusted root of the public Sigstore: Failed to refresh"
    ):
        KeylessVerifier(PUBLIC_SIGNER)
