"""Keyless signatures: Sigstore bundles with a short-lived certificate and an entry of a transparency log."""

import tempfile
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.x509 import DuplicateExtension, ExtensionNotFound, InvalidVersion, UnsupportedGeneralNameType
from sigstore.errors import Error as SigstoreError
from sigstore.models import Bundle, TrustedRoot
from sigstore.verify import Verifier
from sigstore.verify.policy import Identity

from lambda_matchbox.oci.errors import SignatureError
from lambda_matchbox.oci.signatures.signers import KeylessSigner

# What the library raises for bundles and trusted roots that nobody has checked.
_INVALID = (
    SigstoreError,
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    ArithmeticError,
    OSError,
    InvalidSignature,
    UnsupportedAlgorithm,
    DuplicateExtension,
    ExtensionNotFound,
    InvalidVersion,
    UnsupportedGeneralNameType,
)

_MAX_REASON = 300
"""Characters: the library's messages show what others have written."""


class KeylessVerifier:
    """Verifies bundles against the certificate authorities and logs of a trusted root."""

    def __init__(self, signer: KeylessSigner) -> None:
        """Read the trusted root; that of the public Sigstore is updated over the network. Raises SignatureError."""
        self._policy = Identity(identity=signer.identity, issuer=signer.issuer)
        try:
            self._verifier = _verifier(signer.trusted_root)
        except _INVALID as error:
            which = "of `trusted_root`" if signer.trusted_root else "of the public Sigstore"
            raise SignatureError(f"cannot read the trusted root {which}: {_line(error)}") from error

    def verified(self, bundle: bytes) -> tuple[str, bytes]:
        """The type and the bytes of the bundle's payload. Raises SignatureError."""
        try:
            return self._verifier.verify_dsse(Bundle.from_json(bundle), self._policy)
        except _INVALID as error:
            raise SignatureError(_line(error)) from error


def _verifier(trusted_root: str) -> Verifier:
    if not trusted_root:
        return Verifier.production()
    if not trusted_root.lstrip().startswith("{"):
        return Verifier(trusted_root=TrustedRoot.from_file(trusted_root))
    with tempfile.TemporaryDirectory() as directory:
        # The library reads files only.
        file = Path(directory, "trusted_root.json")
        file.write_text(trusted_root)
        return Verifier(trusted_root=TrustedRoot.from_file(str(file)))


def _line(error: Exception) -> str:
    """The error's message without what a terminal would obey."""
    text = "".join(character if character.isprintable() else " " for character in str(error)[:_MAX_REASON])
    return " ".join(text.split()) or type(error).__name__
