"""Creation and renewal of the certificates of gRPC."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from shlex import quote
from typing import get_args

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes

from matchboxctl.certs.authority import Authority, client_certificate, new_authority, server_certificate
from matchboxctl.certs.directory import NAMES, exist_message, replace, write_new
from matchboxctl.certs.files import certificates_in, key_in, read_pem
from matchboxctl.certs.problems import authority_problems, names_of
from matchboxctl.cli.errors import UsageError


def create(directory: Path, names: Sequence[str], days: int) -> None:
    """Create an authority, and its certificates for a server with these names and for a client.

    Raises UsageError if one of the files exists, FailedError if they cannot be written.
    """
    if existing := [name for name in NAMES if os.path.lexists(directory / name)]:
        raise UsageError(exist_message(directory, existing))
    now = datetime.now(UTC)
    authority, own = new_authority(now)
    leaves = _leaves(authority, names, now, days)
    write_new(directory, {"ca.key": own.key, "ca.crt": own.certificate, **leaves})
    _print_summary(directory, authority)
    print("keep ca.key away from the server: whoever has it can create certificates that server and clients trust")


def renew(directory: Path, names: Sequence[str], days: int) -> None:
    """Replace keys and certificates of server and client by new ones of the directory's authority.

    The default of `names` is those of the server's certificate. Raises UsageError, FailedError.
    """
    now = datetime.now(UTC)
    authority = _authority(directory, now)
    replace(directory, _leaves(authority, names or _names(directory / "server.crt"), now, days))
    _print_summary(directory, authority)
    print("a running server uses the new ones after a restart; clients may use their old ones until they expire")


def _leaves(authority: Authority, names: Sequence[str], now: datetime, days: int) -> dict[str, bytes]:
    server, client = server_certificate(authority, names, now, days), client_certificate(authority, now, days)
    return {
        "server.key": server.key,
        "server.crt": server.certificate,
        "client.key": client.key,
        "client.crt": client.certificate,
    }


def _authority(directory: Path, now: datetime) -> Authority:
    """The authority in the directory. Raises UsageError."""
    file, key_file = directory / "ca.crt", directory / "ca.key"
    certificates, key = certificates_in(file, read_pem(file)), key_in(key_file, _authority_key(key_file))
    certificate = next((each for each in certificates if each.public_key() == key.public_key()), None)
    if certificate is None:
        raise UsageError(f"{key_file} is not the key of {file}: use two that were created together")
    for problem in authority_problems(file, certificate, now):
        raise UsageError(f"{problem}; create another authority in another directory with `matchboxctl certs`")
    if not isinstance(key, get_args(CertificateIssuerPrivateKeyTypes)):
        raise UsageError(f"{key_file} is of a type that cannot sign certificates")
    return Authority(certificate, key)


def _authority_key(file: Path) -> bytes:
    if not os.path.lexists(file):
        raise UsageError(f"{file} does not exist: without the authority's key there are no new certificates")
    return read_pem(file)


def _names(file: Path) -> list[str]:
    """The names in the server's certificate. Raises UsageError."""
    if not os.path.lexists(file):
        raise UsageError(f"{file} does not exist: give the server's names with --name")
    found = names_of(certificates_in(file, read_pem(file))[0])
    if not found:
        raise UsageError(f"{file} has no names: give the server's names with --name")
    return found


def _print_summary(directory: Path, authority: Authority) -> None:
    """Print what was created, and where each file belongs."""

    def file(name: str) -> str:
        return quote(str(directory / name))

    made = certificates_in(directory / "server.crt", read_pem(directory / "server.crt"))[0]
    ends = f"until {_day(made)} (the authority's own until {_day(authority.certificate)})"
    for line in (
        f"created in {directory}: certificates for {', '.join(names_of(made))}, {ends}",
        f"server     --ca-file {file('ca.crt')} --cert-file {file('server.crt')} --key-file {file('server.key')}",
        "Terraform  ca: ca.crt, client_cert: client.crt, client_key: client.key",
        f"bootcmd    --ca-file {file('ca.crt')} --cert-file {file('client.crt')} --key-file {file('client.key')}",
    ):
        print(line)


def _day(certificate: x509.Certificate) -> str:
    return f"{certificate.not_valid_after_utc:%Y-%m-%d}"
