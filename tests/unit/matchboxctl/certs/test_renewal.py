"""`matchboxctl certs --renew`."""

import os
import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from matchboxctl.main import main
from tests.support.certificates import HOUR, Authority, Key, bare_authority, private_pem
from tests.unit.matchboxctl.certs.made_certificates import FILES, certificate, contents, names, refused


def test_renewal_keeps_authority_and_names(tmp_path: Path) -> None:
    main(["certs", str(tmp_path), "--name", "127.0.0.1", "--name", "localhost"])
    before = contents(tmp_path)
    (tmp_path / "server.key").chmod(0o644)
    (tmp_path / "client.key").chmod(0o640)
    assert 0 == main(["certs", str(tmp_path), "--renew"])
    after = contents(tmp_path)
    assert FILES == list(after)
    assert ["ca.crt", "ca.key"] == [name for name in FILES if before[name] == after[name]]
    assert (["localhost"], ["127.0.0.1"]) == names(tmp_path)
    # A key is read by its group where it was before, and by others never.
    assert [0o640, 0o640] == [stat.S_IMODE((tmp_path / f"{end}.key").stat().st_mode) for end in ("server", "client")]
    assert 0 == main(["certs", "--check", str(tmp_path)])


def test_renewal_keeps_read_permissions(tmp_path: Path) -> None:
    main(["certs", str(tmp_path), "--name", "localhost"])
    (tmp_path / "server.crt").chmod(0o644)
    (tmp_path / "client.crt").chmod(0o600)
    (tmp_path / "server.key").chmod(0o644)
    umask = os.umask(0o077)
    try:
        main(["certs", str(tmp_path), "--renew"])
    finally:
        os.umask(umask)
    renewed = [tmp_path / name for name in ("server.crt", "client.crt", "server.key")]
    assert [0o644, 0o600, 0o640] == [stat.S_IMODE(path.stat().st_mode) for path in renewed]


def test_given_names_replace_old_ones(tmp_path: Path) -> None:
    """Missing files are created."""
    main(["certs", str(tmp_path), "--name", "localhost"])
    for name in ("server.crt", "server.key", "client.crt", "client.key"):
        (tmp_path / name).unlink()
    assert 0 == main(["certs", str(tmp_path), "--renew", "--name", "10.0.0.1"])
    assert ([], ["10.0.0.1"]) == names(tmp_path)
    assert 0 == main(["certs", "--check", str(tmp_path), "--name", "10.0.0.1"])


@pytest.mark.parametrize(
    "key",
    [
        rsa.generate_private_key(65537, 2048),
        ed25519.Ed25519PrivateKey.generate(),
        ec.generate_private_key(ec.SECP384R1()),
    ],
    ids=["rsa", "ed25519", "p384"],
)
def test_authority_of_another_program_renews(tmp_path: Path, key: Key) -> None:
    """The certificates expire with it at the latest."""
    authority = Authority(key=key, times=(-HOUR, 24 * HOUR))
    (tmp_path / "ca.crt").write_bytes(Authority().certificate + authority.certificate)
    (tmp_path / "ca.key").write_bytes(private_pem(key))
    assert 0 == main(["certs", str(tmp_path), "--renew", "--name", "localhost"])
    assert 0 == main(["certs", "--check", str(tmp_path)])
    own = x509.load_pem_x509_certificate(authority.certificate)
    assert own.not_valid_after_utc == certificate(tmp_path, "client").not_valid_after_utc


@pytest.mark.parametrize("own", [b"of its own", None])
def test_authority_key_identifier_is_that_of_the_authority(tmp_path: Path, own: bytes | None) -> None:
    """If the authority has none, it is made of its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    extensions = [x509.SubjectKeyIdentifier(own)] if own else []
    body = bare_authority(key, x509.BasicConstraints(ca=True, path_length=None), *extensions)
    (tmp_path / "ca.crt").write_bytes(body)
    (tmp_path / "ca.key").write_bytes(private_pem(key))
    assert 0 == main(["certs", str(tmp_path), "--renew", "--name", "localhost"])
    found = certificate(tmp_path, "server").extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    assert (own or x509.SubjectKeyIdentifier.from_public_key(key.public_key()).digest) == found.key_identifier


@pytest.mark.parametrize(
    ("name", "body", "why"),
    [
        ("ca.key", None, "ca.key does not exist: without the authority's key"),
        ("ca.crt", None, "ca.crt does not exist"),
        ("server.crt", None, "server.crt does not exist: give the server's names with --name"),
        ("server.crt", Authority().certificate, "server.crt has no names: give the server's names with --name"),
        ("server.crt", b"", "server.crt is not a certificate in PEM"),
        ("ca.key", private_pem(Authority().key), "ca.key is not the key of "),
        (
            "ca.key",
            private_pem(Authority().key, b"secret"),
            "ca.key is encrypted: keys with a password are not supported",
        ),
        ("ca.crt", b"", "ca.crt is not a certificate in PEM"),
    ],
)
def test_failed_renewal_changes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, body: bytes | None, why: str
) -> None:
    main(["certs", str(tmp_path), "--name", "localhost"])
    if body is None:
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_bytes(body)
    before = contents(tmp_path)
    assert refused(capsys, tmp_path, "--renew").startswith(f"{tmp_path}/{why}")
    assert before == contents(tmp_path)


@pytest.mark.parametrize(
    ("authority", "why"),
    [
        (Authority(signs=False), "is not an authority by its basic constraints or key usage"),
        (Authority(times=(-2 * HOUR, -HOUR)), "expired at "),
    ],
)
def test_invalid_authority_signs_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], authority: Authority, why: str
) -> None:
    (tmp_path / "ca.crt").write_bytes(authority.certificate)
    (tmp_path / "ca.key").write_bytes(private_pem(authority.key))
    assert refused(capsys, tmp_path, "--renew", "--name", "localhost").startswith(f"{tmp_path}/ca.crt {why}")
