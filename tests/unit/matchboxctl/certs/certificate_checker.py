"""A valid set of certificates, and `matchboxctl certs --check` on it."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from matchboxctl.main import main
from tests.support.certificates import HOUR, Authority, Issued

YEAR = timedelta(days=365)
SERVER_AUTH, CLIENT_AUTH = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH
RSA = rsa.generate_private_key(65537, 2048)
AUTHORITY = Authority(key=RSA, times=(-HOUR, 10 * YEAR))


class CheckOutput(NamedTuple):
    """The exit code and output of the command; `lines` are split into their kind and the rest."""

    code: int
    lines: list[tuple[str, str]]
    error: str

    def of(self, how: str) -> list[str]:
        return [line for begins, line in self.lines if begins == how]


class Checker:
    """Writes a valid set with some files replaced, and checks it."""

    def __init__(self, directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.directory = directory
        self._capsys = capsys
        self.put(
            {
                "ca.crt": AUTHORITY.certificate,
                **files("server", AUTHORITY.issue("server", ["localhost", "127.0.0.1"], SERVER_AUTH, ends=YEAR)),
                **files("client", AUTHORITY.issue("client", [], CLIENT_AUTH, ends=YEAR)),
            }
        )

    def put(self, bodies: Mapping[str, bytes | None]) -> None:
        for name, body in bodies.items():
            path = self.directory / name
            if body is None:
                path.unlink()
            else:
                path.write_bytes(body)
                path.chmod(0o600)

    def check(self, *arguments: str, of_directory: bool = True) -> CheckOutput:
        """The output without the name of the directory."""
        code = main(["certs", "--check", *([str(self.directory)] if of_directory else []), *arguments])
        written = self._capsys.readouterr()
        lines = [line.replace(f"{self.directory}/", "") for line in written.out.splitlines()]
        return CheckOutput(code, [(line[:7].rstrip(), line[7:]) for line in lines], written.err)


def files(name: str, issued: Issued) -> dict[str, bytes]:
    return {f"{name}.crt": issued.certificate, f"{name}.key": issued.key}


def server(authority: Authority = AUTHORITY, **how: object) -> dict[str, bytes]:
    given = {"names": ["localhost"], "usage": SERVER_AUTH, "ends": YEAR, **how}
    return files("server", authority.issue("server", **given))  # type: ignore[arg-type]


def client(authority: Authority = AUTHORITY, **how: object) -> dict[str, bytes]:
    given = {"usage": CLIENT_AUTH, "ends": YEAR, **how}
    return files("client", authority.issue("client", **given))  # type: ignore[arg-type]
