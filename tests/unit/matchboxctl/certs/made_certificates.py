"""Certificates that `matchboxctl certs` has created in a directory."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from cryptography import x509

from matchboxctl.main import main

FILES = ["ca.crt", "ca.key", "client.crt", "client.key", "server.crt", "server.key"]


def contents(directory: Path) -> Mapping[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(directory.iterdir())}


def certificate(directory: Path, name: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate((directory / f"{name}.crt").read_bytes())


def names(directory: Path) -> tuple[list[str], list[str]]:
    """The DNS names and addresses in the server's certificate."""
    found = certificate(directory, "server").extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return found.get_values_for_type(x509.DNSName), list(map(str, found.get_values_for_type(x509.IPAddress)))


def refused(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """The one line of an error."""
    capsys.readouterr()
    assert 2 == main(["certs", *map(str, arguments)])
    written = capsys.readouterr()
    (line,) = written.err.splitlines()
    assert "" == written.out
    return line.removeprefix("matchboxctl: ")
