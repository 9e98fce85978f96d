"""Signing with the first key of an OpenPGP key ring. No other module of the functions imports the library.

Signatures are of canonical text (type 0x01, RFC 9580 section 5.2.4), as matchbox's are, except for text that programs
canonicalize differently: see docs/decisions/0012-openpgp-signatures.md.
"""

import re
from contextlib import suppress
from datetime import UTC, datetime

from pysequoia import Cert, PySigner, Sig, SignatureMode, Tsk, sign
from pysequoia.packet import Packet, PacketPile, Tag

from lambda_matchbox.signing.gnupg_secrets import without_protection

_BEGIN = b"-----BEGIN PGP SIGNATURE-----"
_LINE_END = re.compile(rb"\r?\n")
# A carriage return within a line ends it for Sequoia only. GnuPG drops carriage returns and zeros before a line's end.
# Sequoia drops blanks at the end of the text.
_AMBIGUOUS = re.compile(rb"\r(?!\n)|\0(?=\r?\n|\Z)|[ \t]\Z")
# GnuPG cuts a line of text after 19,995 bytes, its end included.
_MAX_LINE = 19_990
_PRIMARY = (Tag.SecretKey, Tag.PublicKey)
_SECRET = (Tag.SecretKey, Tag.SecretSubkey)
# GnuPG's mark for a secret that was not exported (its doc/DETAILS, "GNU extensions to the S2K").
_STUB = b"GNU\x01"


class SigningKeyError(Exception):
    """A key ring that cannot sign: the reason in one line, without a secret."""


class LockedKeyError(SigningKeyError):
    """A key that needs another passphrase."""


class SigningKey:
    """An unlocked key; `fingerprint` is that of the primary key or subkey that signs."""

    def __init__(self, signer: PySigner) -> None:
        self._signer = signer
        self.fingerprint = Sig.from_bytes(self.armored(b"")).issuer_fingerprint or ""

    def armored(self, content: bytes) -> bytes:
        """A detached signature of the content in ASCII armor."""
        if _is_ambiguous(content):
            return sign(self._signer, content, mode=SignatureMode.DETACHED)
        # The library signs text only in cleartext form, which drops blanks before \n, but not before \r, which also
        # ends a line.
        message = sign(self._signer, _LINE_END.sub(b"\r", content), mode=SignatureMode.CLEAR)
        return message[message.rindex(_BEGIN) :]

    def binary(self, content: bytes) -> bytes:
        """A detached signature of the content, as a packet."""
        return bytes(Sig.from_bytes(self.armored(content)))


def unlock(ring: bytes, passphrase: str) -> SigningKey:
    """The first key of a key ring, as `gpg --export-secret-keys` writes it, armored or not.

    An unprotected key ignores the passphrase. Raises SigningKeyError for a key that cannot sign at this time.
    """
    packets = _first_key(ring)
    try:
        certificate = Tsk.from_packets(packets).extract_certificate()
    except RuntimeError as error:
        raise SigningKeyError(f"incomplete OpenPGP key ({_reason(error)})") from None
    name = f"key {certificate.fingerprint.upper()}"
    if not any(packet.tag in _SECRET and not _is_stub(packet) for packet in packets):
        raise SigningKeyError(f"{name} is public only: export it with `gpg --export-secret-keys`")
    _check_life(certificate, name)
    # The library would try to sign with the stub of a primary key.
    public = {packet.fingerprint: packet for packet in PacketPile.from_bytes(bytes(certificate))}
    usable = [public.get(packet.fingerprint, packet) if _is_stub(packet) else packet for packet in packets]
    return SigningKey(_signer(usable, passphrase, name))


def _check_life(certificate: Cert, name: str) -> None:
    """Raise SigningKeyError for a key that is revoked or expired, or that the library cannot judge."""
    try:
        revoked, end = certificate.is_revoked, certificate.expiration
    except RuntimeError as error:
        raise SigningKeyError(
            f"{name} is of an unsupported kind ({_reason(error)}): use RSA or Ed25519, self-signed with SHA-256"
        ) from None
    if revoked:
        raise SigningKeyError(f"{name} is revoked: export another key")
    if end is not None and end <= datetime.now(UTC):
        raise SigningKeyError(f"{name} expired on {end:%Y-%m-%d}: extend it, and export it again")


def _signer(packets: list[Packet], passphrase: str, name: str) -> PySigner:
    key = Tsk.from_packets(packets)
    try:
        return key.signer()
    except RuntimeError as error:
        if _reason(error).startswith("No suitable"):
            raise SigningKeyError(
                f"{name} cannot sign: it has no signing key that is neither expired nor revoked nor weak (SHA-1, RSA "
                "below 2048 bits)"
            ) from None
    if not passphrase:
        raise LockedKeyError(f"{name} is protected: set its passphrase")
    try:
        passphrase.encode()
    except UnicodeEncodeError:
        raise LockedKeyError("the passphrase is not UTF-8") from None
    with suppress(RuntimeError):
        return key.signer(passphrase)
    with suppress(RuntimeError):
        return Tsk.from_packets([_without_protection(packet, passphrase) for packet in packets]).signer()
    raise LockedKeyError(f"the passphrase does not unlock {name}")


def _without_protection(packet: Packet, passphrase: str) -> Packet:
    """The packet, without protection if GnuPG has written its secret in its own form."""
    if packet.tag not in _SECRET or _is_stub(packet):
        return packet
    body = without_protection(packet.body, passphrase)
    if body is None:
        return packet
    # A header in the current format, with a length of four bytes.
    header = bytes([0xC0 | int(packet.tag), 0xFF]) + len(body).to_bytes(4, "big")
    [made] = PacketPile.from_bytes(header + body)
    found: Packet = made
    return found


def _first_key(ring: bytes) -> list[Packet]:
    """The packets of the ring's first key. Raises SigningKeyError."""
    try:
        packets: list[Packet] = list(PacketPile.from_bytes(ring))
    except RuntimeError as error:
        raise SigningKeyError(f"not an OpenPGP key ring ({_reason(error)})") from None
    starts = [number for number, packet in enumerate(packets) if packet.tag in _PRIMARY]
    if not starts:
        raise SigningKeyError("no OpenPGP key in it")
    return packets[starts[0] : starts[1] if len(starts) > 1 else None]


def _is_stub(packet: Packet) -> bool:
    return packet.tag in _SECRET and packet.body.endswith(_STUB)


def _is_ambiguous(content: bytes) -> bool:
    """Whether programs canonicalize this content differently."""
    return _AMBIGUOUS.search(content) is not None or any(len(line) > _MAX_LINE for line in content.split(b"\n"))


def _reason(error: RuntimeError) -> str:
    """The library's message without a backtrace."""
    return str(error).partition("\n")[0]
