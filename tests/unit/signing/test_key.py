"""Keys as GnuPG exports them, unlocked, and what they sign."""

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
"""The keys that sign: the first of a ring, or the subkey that is for signing."""

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
def test_a_key_signs(name: str) -> None:
    """RSA, Ed25519 and P-256 sign, primary keys and subkeys, protected or not, also beside a primary that is a stub."""
    key = signing_key(name)
    assert FINGERPRINTS[name] == key.fingerprint
    assert [TEXT] * 2 == [kind_of(key.binary(b"a\n")), kind_of(key.armored(b"a\n"))]


MISCOUNTED = {
    name: next(packet.body for packet in PacketPile.from_bytes(key_ring(name)) if packet.tag == Tag.SecretKey)
    for name in ("ed25519-miscounted", "nistp256-miscounted")
}


@pytest.mark.parametrize("name", MISCOUNTED)
def test_torn_secrets(name: str) -> None:
    """A secret that ends early, or has a length that reaches beyond its end, is left as it is."""
    body = MISCOUNTED[name]
    assert without_protection(body, PASSPHRASE) is not None
    point = 7 + body[6]
    assert {None} == {without_protection(body[:size], PASSPHRASE) for size in range(len(body))}
    for length in (b"\xff\xff", b"\x04\x00", len(body).to_bytes(2, "big")):
        assert without_protection(body[:point] + length + body[point + 2 :], PASSPHRASE) is None
    for size in range(256):
        assert without_protection(body[:6] + bytes([size]) + body[7:], PASSPHRASE) is None or size == body[6]


@pytest.mark.parametrize("length", [b"\xff\xff\xff\xff\xff", b"\xff\x7f\xff\xff\xff", b"\xff\0\1\0\0"])
def test_lengths_of_packets(length: bytes) -> None:
    """A packet that says that it is longer than the file is no key ring."""
    body = MISCOUNTED["ed25519-miscounted"]
    assert refused(b"\xc5" + length + body).startswith("not an OpenPGP key ring (")


def test_the_longest_derivation_takes_little_memory() -> None:
    """The 65 MB that GnuPG derives a key from, the most that the form allows, are hashed in parts."""
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
def test_text(rsa: SigningKey, start: bytes, end: bytes) -> None:
    """What is signed is the text with each line ended by CR LF, and otherwise as it is: blanks at ends of lines too."""
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
def test_what_is_read_differently(rsa: SigningKey, content: bytes) -> None:
    """A content that programs make different texts of is signed byte by byte, which all read alike."""
    for signature in (rsa.binary(content), rsa.armored(content)):
        assert (BINARY, True) == (kind_of(signature), signs(signature, content))


def test_a_long_line(rsa: SigningKey) -> None:
    """The longest line that GnuPG does not cut is text, and so are many of them."""
    content = b"a" * LONGEST + b"\n"
    assert signs(rsa.armored(content * 50), (content * 50).replace(b"\n", b"\r\n"))


def test_forms(rsa: SigningKey) -> None:
    """One form is in ASCII armor, the other the packet alone."""
    armored = rsa.armored(b"a\n")
    assert armored.startswith(b"-----BEGIN PGP SIGNATURE-----\n\n")
    assert armored.endswith(b"\n-----END PGP SIGNATURE-----\n")
    assert rsa.binary(b"a\n")[0] & 0x80


@pytest.mark.parametrize("name", ["ed25519", "ed25519-miscounted", "nistp256-miscounted", "subkey", "stub"])
def test_passphrases(name: str) -> None:
    """A protected key needs its passphrase; the error says so and shows neither."""
    for passphrase, said in (("", "set its passphrase"), ("wrong horse", "does not unlock")):
        with pytest.raises(LockedKeyError, match=said):
            unlock(key_ring(name), passphrase)
        assert "wrong horse" not in refused(key_ring(name), passphrase)


def test_a_passphrase_for_nothing() -> None:
    """A key without protection signs whatever the passphrase is, as with matchbox."""
    assert {FINGERPRINTS["rsa"]} == {unlock(key_ring("rsa"), given).fingerprint for given in ("", "x")}


def test_a_passphrase_of_bytes() -> None:
    """A passphrase that is no UTF-8 is named as that."""
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
def test_keys_that_cannot_sign(name: str, said: str) -> None:
    """A key is named by its fingerprint, with the reason why it cannot sign."""
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
def test_what_is_no_key_ring(ring: bytes, said: str) -> None:
    """A file without a key is named as that."""
    assert refused(ring).startswith(said)


def test_the_first_key_counts() -> None:
    """Of a ring with several keys the first one signs, as with matchbox, or nothing does."""
    packets = {name: _packets(name) for name in ("rsa", "ed25519", "expired")}
    assert FINGERPRINTS["ed25519"] == unlock(packets["ed25519"] + packets["rsa"], PASSPHRASE).fingerprint
    assert "expired on" in refused(packets["expired"] + packets["rsa"])


def test_a_binary_ring() -> None:
    """A ring need not be in ASCII armor."""
    assert FINGERPRINTS["rsa"] == unlock(_packets("rsa"), "").fingerprint


def _packets(name: str) -> bytes:
    """The ring without its armor."""
    return b"".join(bytes(packet) for packet in PacketPile.from_bytes(key_ring(name)))


def test_threads(rsa: SigningKey) -> None:
    """Many requests sign with the key at the same time."""
    contents = [b"%d\n" % number for number in range(200)]
    with ThreadPoolExecutor(8) as threads:
        signatures = list(threads.map(rsa.binary, contents))
    found = [signs(signature, content[:-1] + b"\r\n") for signature, content in zip(signatures, contents, strict=True)]
    assert [True] * len(contents) == found
