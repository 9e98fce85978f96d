"""Why would a certificate be refused? By Go, which Terraform's provider and bootcmd are made of, or by our gRPC server.

Each fault is one line that begins with the file's name. What gRPC's server takes was tried with grpcio 1.85.
"""

import ipaddress
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID

_SHORTEST_RSA = 2048
_REFUSED_HASHES = (hashes.MD5, hashes.SHA1)
_KEYS = "ECDSA with P-256 or P-384, or RSA of 2048 bits, is taken by all"


class _Side(NamedTuple):
    """How a certificate is used, and who refuses it."""

    name: str
    usages: tuple[x509.ObjectIdentifier, ...]
    refused: str
    refused_by_trust: str


# Go takes a certificate for any usage; gRPC's server does not.
SERVER = _Side(
    "servers",
    (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE),
    "clients refuse it",
    "clients that trust that one refuse it",
)
CLIENT = _Side(
    "clients",
    (ExtendedKeyUsageOID.CLIENT_AUTH,),
    "the server refuses it",
    "a server that trusts that one refuses it",
)


class Trust(NamedTuple):
    """The authorities that count, and the file that they are in."""

    file: Path
    authorities: Sequence[x509.Certificate]


def names_of(certificate: x509.Certificate) -> list[str]:
    """The names and addresses that a certificate is for."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return [*found.get_values_for_type(x509.DNSName), *map(str, found.get_values_for_type(x509.IPAddress))]


def serving_faults(file: Path, certificate: x509.Certificate) -> Iterator[str]:
    """Why no client at all could be served with this certificate."""
    if not names_of(certificate):
        yield (
            f"{file} names no server, and clients look at its subject alternative names alone: "
            "`matchboxctl certs` makes one for the names or addresses that clients connect to"
        )
    key = certificate.public_key()
    if not _can_serve(key):
        yield f"{file} has a key of a kind that gRPC cannot serve with: {_KEYS}"
    elif isinstance(key, ec.EllipticCurvePublicKey) and not _may_sign_handshakes(certificate):
        yield f"{file} is not for digital signatures by its key usage, and gRPC cannot serve with it"


def server_faults(file: Path, chain: Sequence[x509.Certificate], trust: Trust, now: datetime) -> Iterator[str]:
    """Why clients would refuse a server's certificate, beside its names; it comes first in its chain."""
    yield from _faults(file, chain, trust, now, SERVER)


def client_faults(file: Path, chain: Sequence[x509.Certificate], trust: Trust, now: datetime) -> Iterator[str]:
    """Why the server would refuse a client's certificate, which comes first in its chain."""
    yield from _faults(file, chain, trust, now, CLIENT)
    if not _may_sign_handshakes(chain[0]):
        yield f"{file} is not for digital signatures by its key usage: the server refuses it"
    if not _is_taken_by_all(chain[0].public_key()):
        yield f"{file} has a key of a kind that the server refuses: {_KEYS}"


def notes(file: Path, certificate: x509.Certificate) -> Iterator[str]:
    """What some programs refuse, and others take, of a server's or a client's certificate."""
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        if key.key_size < _SHORTEST_RSA:
            yield f"{file} has an RSA key of {key.key_size} bits, which some programs refuse: {_KEYS}"
        if not _may_sign_handshakes(certificate):
            yield f"{file} is not for digital signatures by its key usage: some programs refuse it"
    elif not _is_taken_by_all(key):
        yield f"{file} has a key of a kind that some programs refuse: {_KEYS}"


def name_fault(file: Path, certificate: x509.Certificate, host: str) -> str | None:
    """Why clients that connect to this host would refuse the certificate."""
    names = names_of(certificate)
    if _is_named(host, names):
        return None
    return f"{file} is for {', '.join(names)}: clients that connect to {host} refuse it"


def authority_faults(file: Path, authority: x509.Certificate, now: datetime) -> Iterator[str]:
    """Why nothing that this authority has signed would be taken."""
    if not _may_sign(authority):
        yield f"{file} is no authority by its basic constraints or key usage: what it signs is refused"
    yield from _date_faults(str(file), authority, now, "what it signs is refused")


def signer(chain: Sequence[x509.Certificate], trust: Trust, now: datetime) -> x509.Certificate | None:
    """The authority that vouches for a certificate, which comes first in its chain; one that is in date if may be."""
    found = _path(chain, trust, now)
    return found[1] if found else None


def _faults(file: Path, chain: Sequence[x509.Certificate], trust: Trust, now: datetime, side: _Side) -> Iterator[str]:
    certificate = chain[0]
    found = _path(chain, trust, now)
    if isinstance(certificate.signature_hash_algorithm, _REFUSED_HASHES):
        name = certificate.signature_hash_algorithm.name.upper().replace("SHA1", "SHA-1")
        yield f"{file} is signed with {name}: {side.refused}"
    elif found is None and trust.authorities:
        yield f"{file} is not signed by {trust.file}: {side.refused_by_trust}"
    yield from _date_faults(str(file), certificate, now, side.refused)
    for between in found[0] if found else ():
        yield from _date_faults(f"{file}: its issuer {between.subject.rfc4514_string()}", between, now, side.refused)
    if not _is_for(certificate, side.usages):
        yield f"{file} is not for {side.name} by its extended key usage: {side.refused}"


def _path(
    chain: Sequence[x509.Certificate], trust: Trust, now: datetime
) -> tuple[list[x509.Certificate], x509.Certificate] | None:
    """The certificates between the chain's first and an authority, and that authority."""
    current, *rest = chain
    between: list[x509.Certificate] = []
    authorities = sorted(trust.authorities, key=lambda each: any(_date_faults("", each, now, "")))
    while True:
        for authority in authorities:
            if _is_issued_by(current, authority):
                return between, authority
        found = next((each for each in rest if _may_sign(each) and _is_issued_by(current, each)), None)
        if found is None:
            return None
        rest.remove(found)
        between.append(found)
        current = found


def _date_faults(what: str, certificate: x509.Certificate, now: datetime, refused: str) -> Iterator[str]:
    if now > certificate.not_valid_after_utc:
        yield f"{what} ended at {certificate.not_valid_after_utc:%Y-%m-%d %H:%M} UTC: {refused}"
    if now < certificate.not_valid_before_utc:
        yield f"{what} begins at {certificate.not_valid_before_utc:%Y-%m-%d %H:%M} UTC: {refused}"


def _may_sign_handshakes(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.KeyUsage).value.digital_signature
    except x509.ExtensionNotFound:
        return True


def _can_serve(key: CertificatePublicKeyTypes) -> bool:
    edwards = isinstance(key, ed25519.Ed25519PublicKey)
    return _is_taken_by_all(key) or edwards or _is_on(key, ec.SECP521R1)


def _is_taken_by_all(key: CertificatePublicKeyTypes) -> bool:
    return isinstance(key, rsa.RSAPublicKey) or _is_on(key, ec.SECP256R1, ec.SECP384R1)


def _is_on(key: CertificatePublicKeyTypes, *curves: type[ec.EllipticCurve]) -> bool:
    return isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, curves)


def _is_named(host: str, names: Sequence[str]) -> bool:
    try:
        host = str(ipaddress.ip_address(host))
    except ValueError:
        host = host.lower()
    # A star stands for the first part of a name.
    return any(name.lower() in (host, f"*.{host.partition('.')[2]}") for name in names)


def _is_issued_by(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _may_sign(certificate: x509.Certificate) -> bool:
    """As Go has it: a certificate with extensions has to say that it is an authority's."""
    extensions = certificate.extensions
    try:
        is_authority = extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        is_authority = certificate.version is x509.Version.v1
    try:
        return is_authority and extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
    except x509.ExtensionNotFound:
        return is_authority


def _is_for(certificate: x509.Certificate, usages: Sequence[x509.ObjectIdentifier]) -> bool:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return True
    return any(one in usage for one in usages)
