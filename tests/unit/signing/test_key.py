"""Keys as exported by GnuPG, and their signatures."""

import re
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pysequoia.packet import PacketPile, Tag

from lambda_matchbox.signing.gnupg_secrets import without_protection
from lambda_matchbox.signing.key import LockedKeyError, SigningKey, SigningKeyError, unlock
from tests.support.openpgp.independent import BINARY, TEXT, kind_of, signs
from tests.support.openpgp.keys import PASSPHRASE, key_ring, signing_key

FINGERPRINTS = {
    "rsa": "65a66c357d589d43ae4a1cf2fe30158f3b4bf50f",
    "ed25519": "0af2aa52f8ffe982dfcd55b0b3ac4f790f48a51e",
    "ed25519-miscounted": "1db33ba1c8f9e1e53de6c3864816ee337adf7ca3",
    "nistp256-miscounted": "ed17c83e95e63088bda182ebfd7d9d799b23fae5",
    "subkey": "8bbaac3bb452bfd8ecd5ab5976bbfd96e1972b20",
    "stub": "f18a8b81cb73013af7c084d54ee0788fed58b730",
}
"""The keys that sign: the first of a ring, or its signing subkey."""

PIECES = st.sampled_from([b"a", b" ", b"\t", b"\n", b"\r\n", b"\xff", b"\x0b", b"\x0c", b"-", b"\xc2\xa0", b"\x1c"])
AT_THE_END = st.sampled_from([b"", b"a", b"\n", b"\r\n", b"\xff"])
LONGEST = 19_990


@pytest.fixture(scope="module")
def rsa() -> SigningKey:
    return signing_key("rsa")


def refused(ring: bytes, passphrase: str = PASSPHRASE) -> str:
    """Why the ring's key cannot sign, in one line."""
    with pytest.raises(SigningKeyError) as caught:
        unlock(ring, passphrase)
    reason = str(caught.value)
    assert "\n" not in reason
    assert PASSPHRASE not in reason
    return reason


@pytest.mark.parametrize("name", FINGERPRINTS)
def test_keys_sign(name: str) -> None:
    """RSA, Ed25519 and P-256, primary keys and subkeys, protected or not, also beside a primary that is a stub."""
    key = signing_key(name)
    assert FINGERPRINTS[name] == key.fingerprint
    assert [TEXT] * 2 == [kind_of(key.binary(b"a\n")), kind_of(key.armored(b"a\n"))]


MISCOUNTED = {
    name: next(packet.body for packet in PacketPile.from_bytes(key_ring(name)) if packet.tag == Tag.SecretKey)
    for name in ("ed25519-miscounted", "nistp256-miscounted")
}


@pytest.mark.slow
@pytest.mark.parametrize("name", MISCOUNTED)
def test_malformed_secret_keeps_its_protection(name: str) -> None:
    """It ends early, or a length exceeds its end."""
    body = MISCOUNTED[name]
    assert without_protection(body, PASSPHRASE) is not None
    point = 7 + body[6]
    assert {None} == {without_protection(body[:size], PASSPHRASE) for size in range(len(body))}
    for length in (b"\xff\xff", b"\x04\x00", len(body).to_bytes(2, "big")):
        assert without_protection(body[:point] + length + body[point + 2 :], PASSPHRASE) is None
    for size in range(256):
        assert without_protection(body[:6] + bytes([size]) + body[7:], PASSPHRASE) is None or size == body[6]


@pytest.mark.parametrize("length", [b"\xff\xff\xff\xff\xff", b"\xff\x7f\xff\xff\xff", b"\xff\0\1\0\0"])
def test_packet_longer_than_the_file_is_refused(length: bytes) -> None:
    body = MISCOUNTED["ed25519-miscounted"]
    assert refused(b"\xc5" + length + body).startswith("not an OpenPGP key ring (")


def test_longest_key_derivation_takes_little_memory() -> None:
    """GnuPG derives a key from up to 65 MB."""
    tracemalloc.start()
    try:
        assert without_protection(MISCOUNTED["ed25519-miscounted"], PASSPHRASE) is not None
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 10_000_000


@given(st.lists(PIECES, max_size=8).map(b"".join), AT_THE_END)
@example(b"", b"")
@example(b"a\n", b"b")
@example(b" \n \r\n", b"")
@example(b"-----BEGIN PGP SIGNATURE-----\n", b"")
def test_signature_is_of_canonical_text(rsa: SigningKey, start: bytes, end: bytes) -> None:
    """Each line ends with CR LF; trailing blanks stay."""
    content = start + end
    canonical = re.sub(rb"\r?\n", b"\r\n", content)
    if not content.endswith((b" ", b"\t")):
        for signature in (rsa.binary(content), rsa.armored(content)):
            assert (TEXT, True) == (kind_of(signature), signs(signature, canonical))


@pytest.mark.parametrize(
    "content",
    [
        b"a\rb\n",
        b"a\r\r\n",
        b"a\r",
        b"a\0\n",
        b"a\0\r\nb",
        b"a\0",
        b"a\nb ",
        b"\t",
        b"a" * (LONGEST + 1) + b"\n",
        bytes(range(256)) * 100,
    ],
    ids=lambda content: repr(content[:12]),
)
def test_ambiguous_text_is_signed_as_bytes(rsa: SigningKey, content: bytes) -> None:
    for signature in (rsa.binary(content), rsa.armored(content)):
        assert (BINARY, True) == (kind_of(signature), signs(signature, content))


def test_longest_line_of_gnupg_is_text(rsa: SigningKey) -> None:
    content = b"a" * LONGEST + b"\n"
    assert signs(rsa.armored(content * 50), (content * 50).replace(b"\n", b"\r\n"))


def test_signature_is_armored_or_a_packet(rsa: SigningKey) -> None:
    armored = rsa.armored(b"a\n")
    assert armored.startswith(b"-----BEGIN PGP SIGNATURE-----\n\n")
    assert armored.endswith(b"\n-----END PGP SIGNATURE-----\n")
    assert rsa.binary(b"a\n")[0] & 0x80


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ed25519", "ed25519-miscounted", "nistp256-miscounted", "subkey", "stub"])
def test_protected_key_needs_its_passphrase(name: str) -> None:
    """The error shows neither."""
    for passphrase, said in (("", "set its passphrase"), ("wrong horse", "does not unlock")):
        with pytest.raises(LockedKeyError, match=said):
            unlock(key_ring(name), passphrase)
        assert "wrong horse" not in refused(key_ring(name), passphrase)


def test_unprotected_key_ignores_the_passphrase() -> None:
    """As with matchbox."""
    assert {FINGERPRINTS["rsa"]} == {unlock(key_ring("rsa"), given).fingerprint for given in ("", "x")}


def test_passphrase_must_be_utf8() -> None:
    assert "the passphrase is not UTF-8" == refused(key_ring("ed25519"), "\udcff")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("public", "is public only: export it with `gpg --export-secret-keys`"),
        ("expired", "expired on 2020-01-03"),
        ("expired-subkey", "it has no signing key that is neither expired nor revoked"),
        ("certify-only", "it has no signing key that is neither expired nor revoked"),
        ("revoked", "is revoked"),
        ("brainpool", "is of an unsupported kind (No binding signature at time "),
        ("sha1", "is of an unsupported kind (No binding signature at time "),
    ],
)
def test_key_that_cannot_sign_is_named_with_the_reason(name: str, said: str) -> None:
    assert re.match("key [0-9A-F]{40} ", refused(key_ring(name)))
    assert said in refused(key_ring(name))


@pytest.mark.parametrize(
    ("ring", "said"),
    [
        (b"", "no OpenPGP key in it"),
        (b"garbage\n", "not an OpenPGP key ring"),
        (key_ring("rsa")[:700], "not an OpenPGP key ring"),
    ],
    ids=["empty", "garbage", "cut"],
)
def test_other_files_are_refused(ring: bytes, said: str) -> None:
    assert refused(ring).startswith(said)


def test_first_key_of_the_ring_signs() -> None:
    """As with matchbox, or none does."""
    packets = {name: _packets(name) for name in ("rsa", "ed25519", "expired")}
    assert FINGERPRINTS["ed25519"] == unlock(packets["ed25519"] + packets["rsa"], PASSPHRASE).fingerprint
    assert "expired on" in refused(packets["expired"] + packets["rsa"])


def test_ring_may_be_binary() -> None:
    assert FINGERPRINTS["rsa"] == unlock(_packets("rsa"), "").fingerprint


def _packets(name: str) -> bytes:
    """The ring without its armor."""
    return b"".join(bytes(packet) for packet in PacketPile.from_bytes(key_ring(name)))


def test_many_threads_sign_with_one_key(rsa: SigningKey) -> None:
    contents = [b"%d\n" % number for number in range(200)]
    with ThreadPoolExecutor(8) as threads:
        signatures = list(threads.map(rsa.binary, contents))
    found = [signs(signature, content[:-1] + b"\r\n") for signature, content in zip(signatures, contents, strict=True)]
    assert [True] * len(contents) == found
