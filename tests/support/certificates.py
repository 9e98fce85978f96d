"""A certificate authority for tests, and its certificates."""

import datetime
import ipaddress
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID

HOUR = datetime.timedelta(hours=1)
DAY = (-HOUR, 24 * HOUR)

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey


@dataclass(frozen=True)
class Issued:
    """A certificate and its key, in PEM."""

    certificate: bytes
    key: bytes


class Authority:
    """Signs certificates; `certificate` is its own, in PEM."""

    def __init__(
        self,
        name: str = "authority of the tests",
        key: Key | None = None,
        signs: bool = True,
        times: tuple[datetime.timedelta, datetime.timedelta] = DAY,
        above: "Authority | None" = None,
    ) -> None:
        """A self-signed authority, or one signed by `above`; without `signs` its certificate does not allow signing."""
        self.key = key or ec.generate_private_key(ec.SECP256R1())
        issuer = None if above is None else (above._own, above.key)
        self._own = _certificate(name, self.key, issuer, times=times, signs=signs)
        self.certificate = self._own.public_bytes(serialization.Encoding.PEM)

    def issue(
        self,
        name: str,
        names: Sequence[str] = (),
        usage: x509.ObjectIdentifier | None = None,
        begins: datetime.timedelta = -HOUR,
        ends: datetime.timedelta = 24 * HOUR,
        key: Key | None = None,
        signs: bool = False,
    ) -> Issued:
        """A certificate for these DNS names and addresses; `usage` is the extended one, times are relative to now.

        With `signs` its key usage is an authority's, which does not include TLS handshakes.
        """
        key = key or ec.generate_private_key(ec.SECP256R1())
        made = _certificate(name, key, (self._own, self.key), names, usage, (begins, ends), signs)
        return Issued(made.public_bytes(serialization.Encoding.PEM), private_pem(key))


def bare_authority(key: Key, *extensions: x509.ExtensionType, name: str = "authority of the tests") -> bytes:
    """The certificate of an authority with only these extensions, in PEM."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
    made = made.not_valid_before(now - HOUR).not_valid_after(now + 9600 * HOUR)
    for each in extensions:
        made = made.add_extension(each, critical=False)
    return made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def private_pem(key: Key, password: bytes | None = None) -> bytes:
    """A key in PEM."""
    way = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, way)


def tls_server(directory: Path, names: Sequence[str]) -> tuple[ssl.SSLContext, Path]:
    """The TLS context of a server with these names, and the file of its authority's certificate."""
    authority = Authority()
    issued = authority.issue(names[0], names)
    trusted, chain = directory / "authority.pem", directory / "server.pem"
    trusted.write_bytes(authority.certificate)
    chain.write_bytes(issued.key + issued.certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    return context, trusted


def _certificate(
    name: str,
    key: Key,
    issuer: tuple[x509.Certificate, Key] | None,
    names: Sequence[str] = (),
    usage: x509.ObjectIdentifier | None = None,
    times: tuple[datetime.timedelta, datetime.timedelta] = DAY,
    signs: bool = False,
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    signer = key if issuer is None else issuer[1]
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer[0].subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + times[0])
        .not_valid_after(now + times[1])
        .add_extension(x509.BasicConstraints(ca=signs and not names, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        .add_extension(key_usage(signs=signs), critical=True)
    )
    if names:
        made = made.add_extension(x509.SubjectAlternativeName([_general(one) for one in names]), critical=False)
    if usage is not None:
        made = made.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
    return made.sign(signer, None if isinstance(signer, ed25519.Ed25519PrivateKey) else hashes.SHA256())


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def key_usage(*, signs: bool) -> x509.KeyUsage:
    """Of an authority, or of what it certifies."""
    return x509.KeyUsage(
        digital_signature=not signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )
