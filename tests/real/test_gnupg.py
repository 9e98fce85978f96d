"""GnuPG itself takes the signatures, by keys that it has made."""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from lambda_matchbox.signing.key import SigningKeyError, unlock
from tests.rigs.gnupg import Gnupg, gnupg
from tests.support.data_files import write_files
from tests.support.serving import started

pytestmark = pytest.mark.real

PASSPHRASE = "cörrect horse"
ROUTES = ["boot.ipxe", "boot.ipxe.0", "ipxe", "grub", "ignition", "cloud", "generic", "metadata"]
CONTENTS = [
    b"",
    b"\n",
    b"a\nb\n",
    b"a\r\nb\r\n",
    b"a\nb\r\nc",
    b"blanks \t\n and \r\n",
    b"no end ",
    b"-----BEGIN PGP SIGNATURE-----\n- a\nFrom b\n",
    b"\xff\xfe \n\xc3",
    bytes(range(256)),
    b"a\rb\n",
    b"a\r\r\n",
    b"a\0\n",
    b"a" * 19_990 + b"\n",
    b"a" * 19_991 + b"\n",
    b"b" * 19_990 + b"\r\n",
    b"c" * 19_990,
    b"a" * 100_000,
    b"a line\n" * 200_000,
]


class Made(NamedTuple):
    """A key in GnuPG's home, and its export."""

    user: str
    ring: bytes
    passphrase: str


@pytest.fixture(scope="module")
def gpg() -> Iterator[Gnupg]:
    with gnupg() as made:
        yield made


def made(gpg: Gnupg, user: str, algorithm: str, usage: str, passphrase: str, *, subkey: str = "") -> Made:
    """A new key, with a subkey for signing if its algorithm is given."""
    gpg.run("--quick-gen-key", user, algorithm, usage, "never", passphrase=passphrase)
    if subkey:
        gpg.run("--quick-add-key", gpg.fingerprint(user), subkey, "sign", "never", passphrase=passphrase)
    return Made(user, gpg.run("--export-secret-keys", user, passphrase=passphrase), passphrase)


@pytest.fixture(scope="module")
def keys(gpg: Gnupg) -> dict[str, Made]:
    found = {
        "rsa": made(gpg, "rsa@example.com", "rsa2048", "sign", ""),
        "rsa protected": made(gpg, "rsa-protected@example.com", "rsa3072", "sign", PASSPHRASE),
        "ed25519": made(gpg, "ed25519@example.com", "ed25519", "sign", ""),
        "ed25519 protected": made(gpg, "ed25519-protected@example.com", "ed25519", "sign", PASSPHRASE),
        "ed25519 subkey": made(gpg, "subkey@example.com", "ed25519", "cert", PASSPHRASE, subkey="ed25519"),
        "nistp256": made(gpg, "nistp256@example.com", "nistp256", "sign", PASSPHRASE),
    }
    stub = found["ed25519 subkey"].user
    ring = gpg.run("--armor", "--export-secret-subkeys", stub, passphrase=PASSPHRASE)
    return {**found, "subkey alone, armored": Made(stub, ring, PASSPHRASE)}


KINDS = [
    "rsa",
    "rsa protected",
    "ed25519",
    "ed25519 protected",
    "ed25519 subkey",
    "nistp256",
    "subkey alone, armored",
]


@pytest.mark.parametrize("kind", KINDS)
def test_signatures_are_good(gpg: Gnupg, keys: dict[str, Made], kind: str) -> None:
    """GnuPG calls both forms good over contents with all sorts of ends of lines, and over bytes."""
    key = unlock(keys[kind].ring, keys[kind].passphrase)
    contents = CONTENTS if kind.startswith("rsa") else CONTENTS[:12]
    for content in contents:
        for signature in (key.binary(content), key.armored(content)):
            code, said = gpg.verify(signature, content)
            assert (0, True) == (code, "Good signature" in said), (content[:40], said)
            assert key.fingerprint.upper() in said.replace(" ", "")


def test_other_contents_are_bad(gpg: Gnupg, keys: dict[str, Made]) -> None:
    """GnuPG calls a signature bad over another content, also one that differs by a blank."""
    key = unlock(keys["rsa"].ring, "")
    for content in (b"a\nb", b"a \nb\n", b"A\nb\n"):
        code, said = gpg.verify(key.binary(b"a\nb\n"), content)
        assert (1, True) == (code, "BAD signature" in said)


def test_many_protected_keys(gpg: Gnupg) -> None:
    """Every protected Ed25519 key is unlocked, whatever the first bits of its secret are."""
    for number in range(8):
        key = made(gpg, f"many-{number}@example.com", "ed25519", "sign", PASSPHRASE)
        assert 0 == gpg.verify(unlock(key.ring, PASSPHRASE).binary(b"a\n"), b"a\n").code


@pytest.mark.parametrize("unusable", ["expired", "revoked"])
def test_keys_that_gnupg_would_not_use(gpg: Gnupg, unusable: str) -> None:
    """A key that has expired or is revoked is refused as GnuPG would refuse it."""
    user = f"{unusable}@example.com"
    gpg.run("--quick-gen-key", user, "ed25519", "sign", "never")
    fingerprint = gpg.fingerprint(user)
    if unusable == "expired":
        gpg.run("--faked-system-time", "20200101T000000", "--quick-gen-key", f"old-{user}", "ed25519", "sign", "2d")
        user = f"old-{user}"
    else:
        gpg.run("--import", given=gpg.revocation(fingerprint))
    with pytest.raises(SigningKeyError, match=unusable):
        unlock(gpg.run("--export-secret-keys", user), "")


def test_serve(gpg: Gnupg, keys: dict[str, Made], tmp_path: Path) -> None:
    """GnuPG verifies each signature that `serve` makes."""
    documents = {
        "groups/g.json": json.dumps({"profile": "p", "metadata": {"a": "b"}}),
        "profiles/p.json": json.dumps(
            {"generic_id": "g", "cloud_id": "c", "ignition_id": "i.ign", "boot": {"kernel": "/assets/vmlinuz"}}
        ),
        "generic/g": "a  \nb\r\n{{.request.query.mac}}",
        "cloud/c": "#cloud-config\nhostname: a\n",
        "ignition/i.ign": '{"ignition": {"version": "3.3.0"}}',
    }
    write_files(tmp_path, documents)
    ring = tmp_path / "ring"
    ring.write_bytes(keys["ed25519 subkey"].ring)
    flags = ("--address", "127.0.0.1:0", "--data-path", str(tmp_path), "--key-ring-path", str(ring))
    with started(*flags, environment=os.environ | {"MATCHBOX_PASSPHRASE": PASSPHRASE}) as running:
        for route in ROUTES:
            plain, *signatures = (
                running.get(f"/{route}{suffix}?mac=52:54:00:00:00:07") for suffix in ("", ".sig", ".asc")
            )
            assert [0, 0] == [gpg.verify(signature.body, plain.body).code for signature in signatures], route
        running.end()


def test_what_a_signature_binds(gpg: Gnupg, keys: dict[str, Made], tmp_path: Path) -> None:
    """Its bytes and its time; the request only if the template writes it."""
    data = tmp_path / "data"
    write_files(
        data,
        {
            "groups/plain.json": '{"profile": "plain", "selector": {"of": "plain"}}',
            "groups/bound.json": '{"profile": "bound", "selector": {"of": "bound"}}',
            "profiles/plain.json": '{"generic_id": "plain"}',
            "profiles/bound.json": '{"generic_id": "bound"}',
            "generic/plain": "the same for all\n",
            "generic/bound": "# {{.request.raw_query}}\nthe same for all\n",
        },
    )
    ring = tmp_path / "ring"
    ring.write_bytes(keys["ed25519"].ring)
    before = int(time.time())
    with started("--address", "127.0.0.1:0", "--data-path", str(data), "--key-ring-path", str(ring)) as running:
        codes = {}
        for group in ("plain", "bound"):
            signature = running.get(f"/generic.sig?of={group}&uuid=1").body
            contents = [running.get(f"/generic?of={group}&uuid={uuid}").body for uuid in "12"]
            codes[group] = [gpg.verify(signature, content).code for content in contents]
        running.end()
    assert {"plain": [0, 0], "bound": [0, 1]} == codes
    for name, octets in (("s", signature), ("c", contents[0])):
        (tmp_path / name).write_bytes(octets)
    said = gpg.run("--status-fd", "1", "--verify", str(tmp_path / "s"), str(tmp_path / "c"))
    status = {words[1]: words[2:] for words in map(bytes.split, said.splitlines())}
    assert before <= int(status[b"VALIDSIG"][2]) <= time.time()
    # The library's own, of random bytes.
    assert [b"salt@notations.sequoia-pgp.org"] == status[b"NOTATION_NAME"]
