"""Certificates and keys in PEM files."""

from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

from matchboxctl.cli.errors import UsageError

_CREATE = "create one with `matchboxctl certs`"


class MissingFileError(UsageError):
    """The file does not exist."""


def read_pem(path: Path) -> bytes:
    """The file's bytes. Raises MissingFileError, UsageError."""
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise MissingFileError(f"{path} does not exist: {_CREATE}") from error
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error


def certificates_in(path: Path, pem: bytes) -> list[x509.Certificate]:
    """The certificates in a file, at least one, with valid keys and extensions. Raises UsageError."""
    try:
        found = x509.load_pem_x509_certificates(pem)
        for certificate in found:
            # Both are parsed only on access.
            _ = certificate.extensions, certificate.public_key()
    except (ValueError, UnsupportedAlgorithm, x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as error:
        raise UsageError(f"{path} is not a certificate in PEM: {_CREATE}") from error
    return found


def key_in(path: Path, pem: bytes) -> PrivateKeyTypes:
    """The private key in a file. Raises UsageError."""
    try:
        return serialization.load_pem_private_key(pem, password=None)
    except TypeError as error:
        raise UsageError(f"{path} is encrypted: keys with a password are not supported") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise UsageError(f"{path} is not a private key in PEM: {_CREATE}") from error


def check_key(key_file: Path, key: PrivateKeyTypes, file: Path, certificate: x509.Certificate) -> None:
    """Raise UsageError if the key belongs to another certificate."""
    if key.public_key() != certificate.public_key():
        raise UsageError(f"{key_file} is not the key of {file}: use two that were created together")
