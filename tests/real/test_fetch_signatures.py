"""Signatures that GnuPG has made, as the projects make theirs, are good for `matchboxctl fetch`."""

from pathlib import Path

import pytest

from matchboxctl.fetch.openpgp import read_keys
from matchboxctl.fetch.published import RefusedFileError
from tests.rigs.gnupg import gnupg

pytestmark = pytest.mark.real

THEN = "20240601T000000"


@pytest.mark.parametrize(
    ("kind", "since"), [("rsa3072", "expired"), pytest.param("ed25519", "valid", marks=pytest.mark.nightly)]
)
def test_signature_of_a_subkey_is_good_after_its_end(tmp_path: Path, kind: str, since: str) -> None:
    """A release stays good when the subkey that signed it has expired, as Flatcar's do each year."""
    content = b"kernel" * 1000
    past = ["--faked-system-time", THEN]
    with gnupg() as made:
        made.run(*past, "--quick-generate-key", "releases@example.com", kind, "cert", "0")
        primary = made.fingerprint("releases@example.com")
        made.run(*past, "--quick-add-key", primary, kind, "sign", "1y" if since == "expired" else "0")
        signature = made.run(*past, "--detach-sign", given=content)
        file, keys = tmp_path / "vmlinuz", tmp_path / "keys.gpg"
        keys.write_bytes(made.run("--export", primary))
    file.write_bytes(content)
    assert primary == read_keys(keys).check(file, "vmlinuz", signature)
    file.write_bytes(content + b"\0")
    with pytest.raises(RefusedFileError):
        read_keys(keys).check(file, "vmlinuz", signature)
