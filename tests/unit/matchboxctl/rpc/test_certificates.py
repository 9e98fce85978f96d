"""Certificates that a gRPC server starts with, and its warnings."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from matchboxctl.cli.arguments import Address
from matchboxctl.cli.errors import UsageError
from matchboxctl.rpc.certificates import certificates
from matchboxctl.rpc.settings import RpcSettings
from tests.support.certificates import HOUR, Authority, Issued

AUTHORITY = Authority()


def settings(directory: Path, authority: bytes, server: Issued) -> RpcSettings:
    files = [directory / name for name in ("ca.crt", "server.crt", "server.key")]
    for path, body in zip(files, (authority, server.certificate, server.key), strict=True):
        path.write_bytes(body)
    return RpcSettings(Address("127.0.0.1", 0), *files)


@pytest.mark.parametrize(
    ("server", "why"),
    [
        (AUTHORITY.issue("server", ["127.0.0.1"], signs=True), "is not for digital signatures by its key usage"),
        (
            AUTHORITY.issue("server", ["127.0.0.1"], key=ec.generate_private_key(ec.SECP224R1())),
            "has a key of a type that gRPC cannot serve with",
        ),
    ],
)
def test_unusable_certificate_is_refused(tmp_path: Path, server: Issued, why: str) -> None:
    """gRPC would report the port instead."""
    with pytest.raises(UsageError) as raised:
        certificates(settings(tmp_path, AUTHORITY.certificate, server))
    assert str(raised.value).startswith(f"{tmp_path}/server.crt {why}")


def test_intermediate_authority(tmp_path: Path) -> None:
    between = Authority("between", above=AUTHORITY)
    made = between.issue("server", ["127.0.0.1"])
    whole = Issued(made.certificate + between.certificate, made.key)
    assert [] == certificates(settings(tmp_path, AUTHORITY.certificate, whole)).warnings
    (note,) = certificates(settings(tmp_path, AUTHORITY.certificate, made)).warnings
    assert note.startswith(f"{tmp_path}/server.crt is not signed by {tmp_path}/ca.crt")


@pytest.mark.parametrize(
    ("authority", "why"),
    [
        (
            Authority(signs=False),
            "is not an authority by its basic constraints or key usage: what it has signed is refused",
        ),
        (Authority(times=(-2 * HOUR, -HOUR)), "expired at "),
    ],
)
def test_invalid_authority_is_a_warning(tmp_path: Path, authority: Authority, why: str) -> None:
    server = authority.issue("server", ["127.0.0.1"])
    (note,) = certificates(settings(tmp_path, authority.certificate, server)).warnings
    assert note.startswith(f"{tmp_path}/ca.crt {why}")


def test_rsa_key_for_encryption_serves(tmp_path: Path) -> None:
    """Go's clients do not look at its usage."""
    server = AUTHORITY.issue("server", ["127.0.0.1"], key=rsa.generate_private_key(65537, 2048), signs=True)
    assert [] == certificates(settings(tmp_path, AUTHORITY.certificate, server)).warnings
