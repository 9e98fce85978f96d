"""A certificate authority, and the certificates that it signs for the server and its clients."""

import ipaddress
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY_DAYS = 3650
"""Everything that trusts an authority must be given another one when it expires."""

_BACKDATED = timedelta(hours=1)
"""A new certificate must be valid on a machine whose clock is behind."""


class Authority(NamedTuple):
    """A certificate that signs others, and its key."""

    certificate: x509.Certificate
    key: CertificateIssuerPrivateKeyTypes


class Issued(NamedTuple):
    """A certificate and its key without a password, in PEM."""

    certificate: bytes
    key: bytes


def new_authority(now: datetime) -> tuple[Authority, Issued]:
    """An authority that signs servers and clients, but no other authorities; and its files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = _subject("matchbox CA")
    certificate = (
        _builder(key, name, name, now, now + timedelta(days=AUTHORITY_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Authority(certificate, key), _issued(certificate, key)


def server_certificate(authority: Authority, names: Sequence[str], now: datetime, days: int) -> Issued:
    """A certificate for a server that clients reach by these DNS names and addresses."""
    alternatives = x509.SubjectAlternativeName([_general(name) for name in names])
    return _leaf(authority, "matchbox server", ExtendedKeyUsageOID.SERVER_AUTH, now, days, alternatives)


def client_certificate(authority: Authority, now: datetime, days: int) -> Issued:
    """A certificate for a client."""
    return _leaf(authority, "matchbox client", ExtendedKeyUsageOID.CLIENT_AUTH, now, days)


def _leaf(
    authority: Authority,
    name: str,
    usage: x509.ObjectIdentifier,
    now: datetime,
    days: int,
    alternatives: x509.SubjectAlternativeName | None = None,
) -> Issued:
    key = ec.generate_private_key(ec.SECP256R1())
    # It would be refused after its authority has expired.
    end = min(now + timedelta(days=days), authority.certificate.not_valid_after_utc)
    builder = (
        _builder(key, _subject(name), authority.certificate.subject, now, end)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        .add_extension(_authority_key(authority.certificate), critical=False)
    )
    if alternatives is not None:
        builder = builder.add_extension(alternatives, critical=False)
    # Edwards curves have their own hash.
    own = isinstance(authority.key, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey)
    return _issued(builder.sign(authority.key, None if own else hashes.SHA256()), key)


def _builder(
    key: ec.EllipticCurvePrivateKey, subject: x509.Name, issuer: x509.Name, now: datetime, end: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _issued(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> Issued:
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return Issued(certificate.public_bytes(pem), secret)


def _subject(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _authority_key(authority: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    try:
        own = authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    except x509.ExtensionNotFound:
        return x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key())  # type: ignore[arg-type]
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(own)


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
