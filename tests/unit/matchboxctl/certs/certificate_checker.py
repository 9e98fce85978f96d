"""A good set of certificates, what a test puts in its place, and what `matchboxctl certs --check` tells of it."""

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


class Told(NamedTuple):
    """What the command wrote and ended with; `lines` are how each line begins and what follows."""

    code: int
    lines: list[tuple[str, str]]
    error: str

    def of(self, how: str) -> list[str]:
        return [line for begins, line in self.lines if begins == how]


class Checker:
    """Writes a good set, with what a test puts in the place of its files, and checks it."""

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

    def told(self, *arguments: str, of_directory: bool = True) -> Told:
        """What is told, without the directory's name."""
        code = main(["certs", "--check", *([str(self.directory)] if of_directory else []), *arguments])
        written = self._capsys.readouterr()
        lines = [line.replace(f"{self.directory}/", "") for line in written.out.splitlines()]
        return Told(code, [(line[:7].rstrip(), line[7:]) for line in lines], written.err)


def files(name: str, issued: Issued) -> dict[str, bytes]:
    return {f"{name}.crt": issued.certificate, f"{name}.key": issued.key}


def server(authority: Authority = AUTHORITY, **how: object) -> dict[str, bytes]:
    given = {"names": ["localhost"], "usage": SERVER_AUTH, "ends": YEAR, **how}
    return files("server", authority.issue("server", **given))  # type: ignore[arg-type]


def client(authority: Authority = AUTHORITY, **how: object) -> dict[str, bytes]:
    given = {"usage": CLIENT_AUTH, "ends": YEAR, **how}
    return files("client", authority.issue("client", **given))  # type: ignore[arg-type]
