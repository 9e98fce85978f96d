"""An instance of Sigstore of its own: a certificate authority, its log, and a transparency log with one entry each."""

import base64
import hashlib
import json
import struct
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from tests.support.certificates import key_usage
from tests.support.images.signatures import BUNDLE, IN_TOTO, SignatureLayer, bundle, encoded

_ISSUER = ObjectIdentifier("1.3.6.1.4.1.57264.1.1")
_SCTS = ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")
_ORIGIN = "log.example.com - 1"


def new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


class SigstoreInstance:
    """It vouches for any identity; `trusted_root` is its trusted_root.json."""

    def __init__(self) -> None:
        self._authority, self._certificate_log, self._log = new_key(), new_key(), new_key()
        self._now = datetime.now(UTC).replace(microsecond=0)
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority")])
        self._root = (
            self._builder(self._name, self._authority.public_key(), timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(key_usage(signs=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._authority.public_key()), critical=False)
            .sign(self._authority, hashes.SHA256())
        )

    @property
    def trusted_root(self) -> dict[str, Any]:
        start = {"start": (self._now - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")}
        root = {"rawBytes": _base64(self._root.public_bytes(serialization.Encoding.DER))}
        authority = {
            "subject": {"organization": "example", "commonName": "authority"},
            "uri": "https://ca.example.com",
            "certChain": {"certificates": [root]},
            "validFor": start,
        }
        logs = [
            {
                "baseUrl": f"https://{name}.example.com",
                "hashAlgorithm": "SHA2_256",
                "publicKey": {
                    "rawBytes": _base64(_der(key)),
                    "keyDetails": "PKIX_ECDSA_P256_SHA_256",
                    "validFor": start,
                },
                "logId": {"keyId": _base64(_key_id(key))},
            }
            for name, key in (("log", self._log), ("ct", self._certificate_log))
        ]
        return {
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": logs[:1],
            "certificateAuthorities": [authority],
            "ctlogs": logs[1:],
            "timestampAuthorities": [],
        }

    def signed(self, payload: bytes, identity: str, issuer: str) -> SignatureLayer:
        """The payload in a bundle, signed by a key that the authority certifies for the identity."""
        key = new_key()
        certificate = self._certified(key, identity, issuer)
        signature = key.sign(encoded(payload), ec.ECDSA(hashes.SHA256()))
        content = bundle(payload, signature, IN_TOTO)
        content["verificationMaterial"] = {
            "certificate": {"rawBytes": _base64(certificate.public_bytes(serialization.Encoding.DER))},
            "tlogEntries": [self._entry(content["dsseEnvelope"], payload, certificate)],
        }
        return SignatureLayer(BUNDLE, json.dumps(content).encode())

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePublicKey, age: timedelta) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(self._now - age)
            .not_valid_after(self._now + timedelta(minutes=10))
        )

    def _certified(self, key: ec.EllipticCurvePrivateKey, identity: str, issuer: str) -> x509.Certificate:
        names = x509.SubjectAlternativeName(
            [x509.RFC822Name(identity) if "@" in identity else x509.UniformResourceIdentifier(identity)]
        )
        above = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._authority.public_key())
        builder = (
            self._builder(x509.Name([]), key.public_key(), timedelta(minutes=1))
            .add_extension(key_usage(signs=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
            .add_extension(above, critical=False)
            .add_extension(names, critical=True)
            .add_extension(x509.UnrecognizedExtension(_ISSUER, issuer.encode()), critical=False)
        )
        body = builder.sign(self._authority, hashes.SHA256()).tbs_certificate_bytes
        stamp = self._certificate_stamp(body)
        return builder.add_extension(x509.UnrecognizedExtension(_SCTS, stamp), critical=False).sign(
            self._authority, hashes.SHA256()
        )

    def _certificate_stamp(self, body: bytes) -> bytes:
        """The certificate log's promise (RFC 6962, section 3.3) for a certificate that has none yet."""
        moment = int(self._now.timestamp() * 1000)
        entry = _key_id(self._authority) + len(body).to_bytes(3, "big") + body
        signed = struct.pack("!BBQH", 0, 0, moment, 1) + entry + b"\0\0"
        signature = self._certificate_log.sign(signed, ec.ECDSA(hashes.SHA256()))
        stamp = b"\0" + _key_id(self._certificate_log) + struct.pack("!Q", moment) + b"\0\0\x04\x03"
        stamp += struct.pack("!H", len(signature)) + signature
        listed = struct.pack("!H", len(stamp) + 2) + struct.pack("!H", len(stamp)) + stamp
        return b"\x04" + (bytes([len(listed)]) if len(listed) < 0x80 else b"\x81" + bytes([len(listed)])) + listed

    def _entry(self, envelope: dict[str, Any], payload: bytes, certificate: x509.Certificate) -> dict[str, Any]:
        """The entry of a transparency log that has no others, as Rekor 1 gives it."""
        verifier = _base64(certificate.public_bytes(serialization.Encoding.PEM))
        written = json.dumps(envelope, separators=(",", ":")).encode()
        spec = {
            "envelopeHash": {"algorithm": "sha256", "value": hashlib.sha256(written).hexdigest()},
            "payloadHash": {"algorithm": "sha256", "value": hashlib.sha256(payload).hexdigest()},
            "signatures": [{"signature": one["sig"], "verifier": verifier} for one in envelope["signatures"]],
        }
        body = _canonical({"apiVersion": "0.0.1", "kind": "dsse", "spec": spec})
        integrated = int(time.time())
        promised = {
            "body": _base64(body),
            "integratedTime": integrated,
            "logID": _key_id(self._log).hex(),
            "logIndex": 0,
        }
        root = hashlib.sha256(b"\0" + body).digest()
        note = f"{_ORIGIN}\n1\n{_base64(root)}\n"
        by_log = _base64(_key_id(self._log)[:4] + self._sign(note.encode()))
        return {
            "logIndex": "0",
            "logId": {"keyId": _base64(_key_id(self._log))},
            "kindVersion": {"kind": "dsse", "version": "0.0.1"},
            "integratedTime": str(integrated),
            "inclusionPromise": {"signedEntryTimestamp": _base64(self._sign(_canonical(promised)))},
            "inclusionProof": {
                "logIndex": "0",
                "rootHash": _base64(root),
                "treeSize": "1",
                "hashes": [],
                "checkpoint": {"envelope": f"{note}\n\N{EM DASH} {_ORIGIN.partition(' ')[0]} {by_log}\n"},
            },
            "canonicalizedBody": _base64(body),
        }

    def _sign(self, message: bytes) -> bytes:
        return self._log.sign(message, ec.ECDSA(hashes.SHA256()))


def _canonical(document: object) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def _der(key: ec.EllipticCurvePrivateKey) -> bytes:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.DER, form)


def _key_id(key: ec.EllipticCurvePrivateKey) -> bytes:
    return hashlib.sha256(_der(key)).digest()


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
