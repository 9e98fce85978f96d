"""What do files of certificates and keys hold? PEM, as gRPC takes it."""

from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

from matchboxctl.cli.errors import UsageError

_MAKES = "`matchboxctl certs` makes"


class MissingFileError(UsageError):
    """The file is not there."""


def pem_in(path: Path) -> bytes:
    """The file's bytes. Raises MissingFileError, UsageError."""
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise MissingFileError(f"{path} is not there: {_MAKES} such files") from error
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error


def certificates_in(path: Path, pem: bytes) -> list[x509.Certificate]:
    """The certificates in a file, at least one, with keys and extensions that can be read. Raises UsageError."""
    try:
        found = x509.load_pem_x509_certificates(pem)
        for certificate in found:
            # Both are parsed only when they are asked for.
            _ = certificate.extensions, certificate.public_key()
    except (ValueError, UnsupportedAlgorithm, x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as error:
        raise UsageError(f"{path} is no certificate in PEM: {_MAKES} one") from error
    return found


def key_in(path: Path, pem: bytes) -> PrivateKeyTypes:
    """The private key in a file. Raises UsageError."""
    try:
        return serialization.load_pem_private_key(pem, password=None)
    except TypeError as error:
        raise UsageError(f"{path} is encrypted: it is needed without a password") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise UsageError(f"{path} is no private key in PEM: {_MAKES} one") from error


def check_key(key_file: Path, key: PrivateKeyTypes, file: Path, certificate: x509.Certificate) -> None:
    """Raises UsageError where the key is another certificate's."""
    if key.public_key() != certificate.public_key():
        raise UsageError(f"{key_file} is not the key of {file}: give the two that were made together")
