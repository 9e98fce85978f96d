"""The certificates of gRPC, made and renewed in a directory."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from shlex import quote
from typing import get_args

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes

from matchboxctl.certs.authority import Authority, client_certificate, new_authority, server_certificate
from matchboxctl.certs.directory import NAMES, already, replace, write_new
from matchboxctl.certs.faults import authority_faults, names_of
from matchboxctl.certs.files import certificates_in, key_in, pem_in
from matchboxctl.cli.errors import UsageError


def make(directory: Path, names: Sequence[str], days: int) -> None:
    """Make an authority, and certificates of it for a server with these names and for a client, and say where they go.

    Raises UsageError where one of the files is there, FailedError where they cannot be written.
    """
    if there := [name for name in NAMES if os.path.lexists(directory / name)]:
        raise UsageError(already(directory, there))
    now = datetime.now(UTC)
    authority, own = new_authority(now)
    leaves = _leaves(authority, names, now, days)
    write_new(directory, {"ca.key": own.key, "ca.crt": own.certificate, **leaves})
    _tell(directory, authority)
    print("keep ca.key away from the server: whoever has it makes certificates that server and clients trust")


def renew(directory: Path, names: Sequence[str], days: int) -> None:
    """Make new certificates and keys for server and client, of the authority in the directory, in the others' place.

    Without names they are those of the server's certificate that is there. Raises UsageError, FailedError.
    """
    now = datetime.now(UTC)
    authority = _authority(directory, now)
    replace(directory, _leaves(authority, names or _names(directory / "server.crt"), now, days))
    _tell(directory, authority)
    print("a server that runs takes the new ones after a restart; clients may keep theirs until those end")


def _leaves(authority: Authority, names: Sequence[str], now: datetime, days: int) -> dict[str, bytes]:
    server, client = server_certificate(authority, names, now, days), client_certificate(authority, now, days)
    return {
        "server.key": server.key,
        "server.crt": server.certificate,
        "client.key": client.key,
        "client.crt": client.certificate,
    }


def _authority(directory: Path, now: datetime) -> Authority:
    """The authority that may sign. Raises UsageError."""
    file, key_file = directory / "ca.crt", directory / "ca.key"
    certificates, key = certificates_in(file, pem_in(file)), key_in(key_file, _authority_key(key_file))
    certificate = next((each for each in certificates if each.public_key() == key.public_key()), None)
    if certificate is None:
        raise UsageError(f"{key_file} is not the key of {file}: give the two that were made together")
    for fault in authority_faults(file, certificate, now):
        raise UsageError(f"{fault}; `matchboxctl certs` makes another authority in another directory")
    if not isinstance(key, get_args(CertificateIssuerPrivateKeyTypes)):
        raise UsageError(f"{key_file} is a key of a kind that signs no certificates")
    return Authority(certificate, key)


def _authority_key(file: Path) -> bytes:
    if not os.path.lexists(file):
        raise UsageError(f"{file} is not there, and only with the authority's key there are new certificates of it")
    return pem_in(file)


def _names(file: Path) -> list[str]:
    """Those of the server's certificate that is there. Raises UsageError."""
    if not os.path.lexists(file):
        raise UsageError(f"{file} is not there to take the server's names from: give them by --name")
    found = names_of(certificates_in(file, pem_in(file))[0])
    if not found:
        raise UsageError(f"{file} names no server: give its names by --name")
    return found


def _tell(directory: Path, authority: Authority) -> None:
    """Say what was made, and which file goes where."""

    def file(name: str) -> str:
        return quote(str(directory / name))

    made = certificates_in(directory / "server.crt", pem_in(directory / "server.crt"))[0]
    ends = f"until {_day(made)} (the authority's own until {_day(authority.certificate)})"
    for line in (
        f"made in {directory}: certificates for {', '.join(names_of(made))}, {ends}",
        f"server     --ca-file {file('ca.crt')} --cert-file {file('server.crt')} --key-file {file('server.key')}",
        "Terraform  ca: ca.crt, client_cert: client.crt, client_key: client.key",
        f"bootcmd    --ca-file {file('ca.crt')} --cert-file {file('client.crt')} --key-file {file('client.key')}",
    ):
        print(line)


def _day(certificate: x509.Certificate) -> str:
    return f"{certificate.not_valid_after_utc:%Y-%m-%d}"
