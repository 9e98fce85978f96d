"""An index, the keys of its signatures, and a registry that has them."""

import pytest

from lambda_matchbox.oci.distribution.registry import Registry
from lambda_matchbox.oci.errors import SignatureError
from lambda_matchbox.oci.image_reference import ImageReference, Platform
from lambda_matchbox.oci.signatures.signers import KeySigner, Signer, VerifiedSignature
from lambda_matchbox.oci.signatures.verification import verify
from tests.support.faulty_registry import FaultyRegistry
from tests.support.images.manifests import Image, image, index
from tests.support.images.signatures import TAG, SignatureLayer, attach, fingerprint, new_key, public_pem

REPOSITORY = "team/boot"
ARM64 = Platform("linux", "arm64")
KEY, OTHER_KEY = new_key(), new_key()
SIGNER = KeySigner(public_pem(KEY))
NAME = f"the key sha256:{fingerprint(SIGNER.pem)}"
IMAGE = image([], labels={"a": "b"})
INDEX = index([(IMAGE, "linux/arm64"), (image([], platform="linux/amd64"), "linux/amd64")])


class Subject:
    """A registry whose tag names an image, and its client."""

    def __init__(self, faulty: FaultyRegistry, registry: Registry) -> None:
        self.faulty = faulty
        self.reference = ImageReference(faulty.host, REPOSITORY, "stable", "")
        self.registry = registry

    def tag(self, one: Image) -> None:
        self.faulty.add(REPOSITORY, "stable", one)

    def attach(self, subject: Image, *layers: SignatureLayer, where: str = TAG) -> None:
        attach(self.faulty, REPOSITORY, subject, layers, where)

    def verify(self, digest: str = "", signer: Signer = SIGNER) -> VerifiedSignature:
        reference = self.reference._replace(digest=digest)
        return verify(self.registry, reference, self.registry.resolve(reference, ARM64), signer)

    def refusal(self, digest: str = "") -> str:
        with pytest.raises(SignatureError) as caught:
            self.verify(digest)
        return str(caught.value)
