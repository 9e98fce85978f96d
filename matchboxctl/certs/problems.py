"""Problems of certificates, as Go (Terraform's provider, bootcmd) or our gRPC server would find them.

Each is one line that begins with the file's name. What the gRPC server accepts was tried with grpcio 1.85.
"""

import ipaddress
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID

_MIN_RSA_BITS = 2048
_REFUSED_HASHES = (hashes.MD5, hashes.SHA1)
_KEYS = "use ECDSA with P-256 or P-384, or RSA with 2048 bits"

_Extension = TypeVar("_Extension", bound=x509.ExtensionType)


class _Side(NamedTuple):
    """An end of the connection: its extended key usages, and who refuses its certificate."""

    name: str
    usages: tuple[x509.ObjectIdentifier, ...]
    refused: str
    refused_by_trust: str


# Go accepts any extended key usage for a server's certificate; gRPC's server does not for a client's.
_SERVER = _Side(
    "servers",
    (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE),
    "clients refuse it",
    "clients that trust this authority refuse it",
)
_CLIENT = _Side(
    "clients",
    (ExtendedKeyUsageOID.CLIENT_AUTH,),
    "the server refuses it",
    "a server that trusts this authority refuses it",
)


class Trust(NamedTuple):
    """The trusted authorities, and their file."""

    file: Path
    authorities: Sequence[x509.Certificate]


def time_text(moment: datetime) -> str:
    """The time (RFC 3339), which is in UTC."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def names_of(certificate: x509.Certificate) -> list[str]:
    """The DNS names and addresses in a certificate."""
    found = _extension(certificate, x509.SubjectAlternativeName)
    if found is None:
        return []
    return [*found.get_values_for_type(x509.DNSName), *map(str, found.get_values_for_type(x509.IPAddress))]


def serving_problems(file: Path, certificate: x509.Certificate) -> Iterator[str]:
    """Why a server with this certificate could serve no client at all."""
    if not names_of(certificate):
        yield (
            f"{file} has no subject alternative names, and clients check no other: `matchboxctl certs` creates a "
            "certificate for the names or addresses that clients connect to"
        )
    key = certificate.public_key()
    if not _can_serve(key):
        yield f"{file} has a key of a type that gRPC cannot serve with: {_KEYS}"
    elif isinstance(key, ec.EllipticCurvePublicKey) and not _may_sign_handshakes(certificate):
        yield f"{file} is not for digital signatures by its key usage, and gRPC cannot serve with it"


def server_problems(file: Path, chain: Sequence[x509.Certificate], trust: Trust, now: datetime) -> Iterator[str]:
    """Why clients would refuse a server's chain, apart from its names."""
    return _problems(file, chain, trust, now, _SERVER)


def client_problems(file: Path, chain: Sequence[x509.Certificate], trust: Trust, now: datetime) -> Iterator[str]:
    """Why the server would refuse a client's chain."""
    yield from _problems(file, chain, trust, now, _CLIENT)
    if not _may_sign_handshakes(chain[0]):
        yield f"{file} is not for digital signatures by its key usage: the server refuses it"
    if not _is_widely_accepted(chain[0].public_key()):
        yield f"{file} has a key of a type that the server refuses: {_KEYS}"


def notes(file: Path, certificate: x509.Certificate) -> Iterator[str]:
    """What some programs refuse in a server's or a client's certificate, and others accept."""
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        if key.key_size < _MIN_RSA_BITS:
            yield f"{file} has an RSA key of {key.key_size} bits, which some programs refuse: {_KEYS}"
        if not _may_sign_handshakes(certificate):
            yield f"{file} is not for digital signatures by its key usage: some programs refuse it"
    elif not _is_widely_accepted(key):
        yield f"{file} has a key of a type that some programs refuse: {_KEYS}"


def name_problem(file: Path, certificate: x509.Certificate, host: str) -> str | None:
    """Why clients that connect to this host would refuse the certificate."""
    names = names_of(certificate)
    if _matches(host, names):
        return None
    return f"{file} is for {', '.join(names)}: clients that connect to {host} refuse it"


def authority_problems(file: Path, authority: x509.Certificate, now: datetime) -> Iterator[str]:
    """Why everything that this authority has signed would be refused."""
    if not _may_sign(authority):
        yield f"{file} is not an authority by its basic constraints or key usage: what it has signed is refused"
    yield from _date_problems(str(file), authority, now, "what it has signed is refused")


def signer(chain: Sequence[x509.Certificate], trust: Trust, now: datetime) -> x509.Certificate | None:
    """The authority at the end of a chain; one that is valid now if there are several."""
    found = _path(chain, trust, now)
    return found[1] if found else None


def _problems(file: Path, chain: Sequence[x509.Certificate], trust: Trust, now: datetime, side: _Side) -> Iterator[str]:
    certificate = chain[0]
    found = _path(chain, trust, now)
    if isinstance(certificate.signature_hash_algorithm, _REFUSED_HASHES):
        name = certificate.signature_hash_algorithm.name.upper().replace("SHA1", "SHA-1")
        yield f"{file} is signed with {name}: {side.refused}"
    elif found is None and trust.authorities:
        yield f"{file} is not signed by {trust.file}: {side.refused_by_trust}"
    yield from _date_problems(str(file), certificate, now, side.refused)
    for between in found[0] if found else ():
        yield from _date_problems(f"{file}: its issuer {between.subject.rfc4514_string()}", between, now, side.refused)
    usages = _extension(certificate, x509.ExtendedKeyUsage)
    if usages is not None and not any(usage in usages for usage in side.usages):
        yield f"{file} is not for {side.name} by its extended key usage: {side.refused}"


def _path(
    chain: Sequence[x509.Certificate], trust: Trust, now: datetime
) -> tuple[list[x509.Certificate], x509.Certificate] | None:
    """The intermediate certificates between the first of the chain and an authority, and the authority."""
    current, *rest = chain
    between: list[x509.Certificate] = []
    authorities = sorted(trust.authorities, key=lambda each: any(_date_problems("", each, now, "")))
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


def _date_problems(what: str, certificate: x509.Certificate, now: datetime, refused: str) -> Iterator[str]:
    if now > certificate.not_valid_after_utc:
        yield f"{what} expired at {time_text(certificate.not_valid_after_utc)}: {refused}"
    if now < certificate.not_valid_before_utc:
        yield f"{what} is not valid before {time_text(certificate.not_valid_before_utc)}: {refused}"


def _extension(certificate: x509.Certificate, kind: type[_Extension]) -> _Extension | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _may_sign_handshakes(certificate: x509.Certificate) -> bool:
    usage = _extension(certificate, x509.KeyUsage)
    return usage is None or usage.digital_signature


def _may_sign(certificate: x509.Certificate) -> bool:
    """As in Go, a certificate of version 3 must say that it is an authority's."""
    constraints, usage = _extension(certificate, x509.BasicConstraints), _extension(certificate, x509.KeyUsage)
    is_authority = certificate.version is x509.Version.v1 if constraints is None else constraints.ca
    return is_authority and (usage is None or usage.key_cert_sign)


def _can_serve(key: CertificatePublicKeyTypes) -> bool:
    edwards = isinstance(key, ed25519.Ed25519PublicKey)
    return _is_widely_accepted(key) or edwards or _is_on(key, ec.SECP521R1)


def _is_widely_accepted(key: CertificatePublicKeyTypes) -> bool:
    return isinstance(key, rsa.RSAPublicKey) or _is_on(key, ec.SECP256R1, ec.SECP384R1)


def _is_on(key: CertificatePublicKeyTypes, *curves: type[ec.EllipticCurve]) -> bool:
    return isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, curves)


def _matches(host: str, names: Sequence[str]) -> bool:
    try:
        host = str(ipaddress.ip_address(host))
    except ValueError:
        host = host.lower()
    # A wildcard stands for the first label.
    return any(name.lower() in (host, f"*.{host.partition('.')[2]}") for name in names)


def _is_issued_by(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True
