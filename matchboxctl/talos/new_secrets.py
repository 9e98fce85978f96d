"""New secrets for a cluster, of the kinds and forms that `talosctl gen secrets` makes."""

import base64
import secrets
import string
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from matchboxctl.talos.secret_values import SERVICE_ACCOUNT, SecretValue

_VALIDITY = timedelta(hours=87_600)
_RSA_BITS = 4096
_TOKEN_LETTERS = string.digits + string.ascii_lowercase
_PKCS8, _ED25519 = b" PRIVATE KEY-----", b" ED25519 PRIVATE KEY-----"

_Key = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


def new_secrets(now: datetime) -> list[SecretValue]:
    """All secrets of a new cluster; its authorities are valid for ten years."""
    found = [
        SecretValue("cluster", "cluster.id", base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()),
        SecretValue("cluster", "cluster.secret", _random_base64()),
        SecretValue("cluster", "secrets.bootstraptoken", _token()),
        SecretValue("cluster", "secrets.secretboxencryptionsecret", _random_base64()),
        SecretValue("cluster", "trustdinfo.token", _token()),
    ]
    # The aggregator's authority has no name.
    for part, organization in (("etcd", "etcd"), ("k8s", "kubernetes"), ("k8saggregator", ""), ("os", "talos")):
        key: _Key = ed25519.Ed25519PrivateKey.generate() if part == "os" else ec.generate_private_key(ec.SECP256R1())
        certificate = _authority(key, organization, now).public_bytes(Encoding.PEM)
        for name, pem in (("crt", certificate), ("key", _key_pem(key))):
            found.append(SecretValue(f"certs/{part}", name, base64.b64encode(pem).decode()))
    account = rsa.generate_private_key(65537, _RSA_BITS)
    pem = account.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    return [*found, SecretValue(SERVICE_ACCOUNT, "", pem.decode())]


def _random_base64() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


def _token() -> str:
    """A token of the form that Kubernetes gives its bootstrap tokens."""
    return ".".join("".join(secrets.choice(_TOKEN_LETTERS) for _ in range(length)) for length in (6, 16))


def _authority(key: _Key, organization: str, now: datetime) -> x509.Certificate:
    names = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization)] if organization else []
    subject = x509.Name(names)
    usage = dict.fromkeys(
        ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "crl_sign"), False
    )
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(secrets.randbits(127) + 1)
        .not_valid_before(now)
        .not_valid_after(now + _VALIDITY)
        .add_extension(
            x509.KeyUsage(
                digital_signature=True, key_cert_sign=True, encipher_only=False, decipher_only=False, **usage
            ),
            critical=True,
        )
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier(secrets.token_bytes(20)), critical=False)
        .sign(key, None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256())
    )


def _key_pem(key: _Key) -> bytes:
    if isinstance(key, ed25519.Ed25519PrivateKey):
        # Talos's own label for what others write as PRIVATE KEY.
        return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).replace(_PKCS8, _ED25519)
    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
