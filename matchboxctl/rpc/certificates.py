"""Can these certificates serve gRPC with mutual TLS? Clients that do not trust a server wait in silence."""

import ipaddress
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtendedKeyUsageOID

from matchboxctl.rpc_arguments import RpcSettings
from matchboxctl.usage import UsageError

_EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 (compared, not bound)


class Certificates(NamedTuple):
    """What TLS needs, in PEM; `notes` are lines for an operator whose clients may not trust this server."""

    authority: bytes
    chain: bytes
    key: bytes
    notes: list[str]


def certificates(settings: RpcSettings) -> Certificates:
    """The certificates of the settings. Raises UsageError, with one line, where no client could be served with them."""
    authority, chain, key = (
        _read(flag, path)
        for flag, path in (
            ("--ca-file (MATCHBOX_CA_FILE)", settings.ca_file),
            ("--cert-file (MATCHBOX_CERT_FILE)", settings.cert_file),
            ("--key-file (MATCHBOX_KEY_FILE)", settings.key_file),
        )
    )
    authorities, [certificate, *_] = _parsed(settings.ca_file, authority), _parsed(settings.cert_file, chain)
    _check_key(settings, certificate, key)
    names = _names(certificate)
    if not names:
        raise UsageError(
            f"{settings.cert_file} names no server, and clients look at its subject alternative names alone: "
            "`matchboxctl certs` makes one for the names or addresses that clients connect to"
        )
    return Certificates(authority, chain, key, list(_notes(settings, certificate, authorities, names)))


def _read(flag: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise UsageError(
            f"{flag} {str(path)!r} is not there, and gRPC needs it: `matchboxctl certs` makes such files; "
            "without --rpc-address (MATCHBOX_RPC_ADDRESS) there is no gRPC"
        ) from error
    except OSError as error:
        raise UsageError(f"{flag} {str(path)!r} cannot be read: {error.strerror}") from error


def _parsed(path: Path, pem: bytes) -> list[x509.Certificate]:
    """The certificates in a file, at least one. Raises UsageError."""
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError as error:
        raise UsageError(f"{path} is no certificate in PEM: `matchboxctl certs` makes one") from error


def _check_key(settings: RpcSettings, certificate: x509.Certificate, pem: bytes) -> None:
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except TypeError as error:
        raise UsageError(f"{settings.key_file} is encrypted: the server needs it without a password") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise UsageError(f"{settings.key_file} is no private key in PEM: `matchboxctl certs` makes one") from error
    if key.public_key() != certificate.public_key():
        raise UsageError(
            f"{settings.key_file} is not the key of {settings.cert_file}: give the two that were made together"
        )


def _names(certificate: x509.Certificate) -> list[str]:
    """The names and addresses that the certificate is for."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return [*found.get_values_for_type(x509.DNSName), *map(str, found.get_values_for_type(x509.IPAddress))]


def _notes(
    settings: RpcSettings, certificate: x509.Certificate, authorities: list[x509.Certificate], names: list[str]
) -> list[str]:
    file, host = settings.cert_file, settings.address.host
    notes = []
    if host not in _EVERYWHERE and not _is_named(host, names):
        notes.append(f"{file} is for {', '.join(names)}: clients that connect to {host} refuse it")
    if not any(_is_issued_by(certificate, authority) for authority in authorities):
        notes.append(f"{file} is not signed by {settings.ca_file}: clients that trust that one refuse it")
    now = datetime.now(UTC)
    if now > certificate.not_valid_after_utc:
        notes.append(f"{file} ended at {certificate.not_valid_after_utc:%Y-%m-%d %H:%M} UTC: clients refuse it")
    if now < certificate.not_valid_before_utc:
        notes.append(f"{file} begins at {certificate.not_valid_before_utc:%Y-%m-%d %H:%M} UTC: clients refuse it")
    if not _is_for_servers(certificate):
        notes.append(f"{file} is not for servers by its extended key usage: clients refuse it")
    return notes


def _is_named(host: str, names: list[str]) -> bool:
    try:
        host = str(ipaddress.ip_address(host))
    except ValueError:
        host = host.lower()
    # A star stands for the first part of a name.
    return any(name.lower() in (host, f"*.{host.partition('.')[2]}") for name in names)


def _is_issued_by(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _is_for_servers(certificate: x509.Certificate) -> bool:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return True
    return any(one in usage for one in (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE))
