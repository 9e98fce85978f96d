"""The certificates of the gRPC server, checked at the start: clients that refuse a server wait in silence."""

from datetime import UTC, datetime
from typing import NamedTuple

from matchboxctl.certs.files import MissingFileError, certificates_in, check_key, key_in, read_pem
from matchboxctl.certs.problems import (
    Trust,
    authority_problems,
    name_problem,
    server_problems,
    serving_problems,
    signer,
)
from matchboxctl.cli.errors import UsageError
from matchboxctl.rpc.settings import RpcSettings

_OR_OFF = "or turn gRPC off (no --rpc-address, no MATCHBOX_RPC_ADDRESS)"
_UNSPECIFIED = ("0.0.0.0", "::")  # noqa: S104 (compared, not bound)


class Certificates(NamedTuple):
    """PEM files for TLS; `warnings` are why some clients may refuse the server."""

    authority: bytes
    chain: bytes
    key: bytes
    warnings: list[str]


class NoCertificatesError(UsageError):
    """None of the files is there."""


def certificates(settings: RpcSettings) -> Certificates:
    """The certificates of the settings. Raises UsageError if they can serve no client."""
    authority, chain, key = _contents(settings)
    trust = Trust(settings.ca_file, certificates_in(settings.ca_file, authority))
    file, parsed = settings.cert_file, certificates_in(settings.cert_file, chain)
    check_key(settings.key_file, key_in(settings.key_file, key), file, parsed[0])
    for problem in serving_problems(file, parsed[0]):
        raise UsageError(problem)
    now, host = datetime.now(UTC), settings.address.host
    other_name = None if host in _UNSPECIFIED else name_problem(file, parsed[0], host)
    issuer = signer(parsed, trust, now)
    warnings = [
        *([other_name] if other_name else []),
        *server_problems(file, parsed, trust, now),
        *(authority_problems(settings.ca_file, issuer, now) if issuer else []),
    ]
    return Certificates(authority, chain, key, warnings)


def _contents(settings: RpcSettings) -> list[bytes]:
    contents, missing = [], []
    for flag, path in (
        ("--ca-file (MATCHBOX_CA_FILE)", settings.ca_file),
        ("--cert-file (MATCHBOX_CERT_FILE)", settings.cert_file),
        ("--key-file (MATCHBOX_KEY_FILE)", settings.key_file),
    ):
        try:
            contents.append(read_pem(path))
        except MissingFileError:
            missing.append(f"{flag} {str(path)!r}")
        except UsageError as error:
            raise UsageError(f"{flag}: {error}") from error
    if missing and not contents:
        raise NoCertificatesError(
            f"{', '.join(missing)} do not exist, and gRPC needs them: create them with `matchboxctl certs "
            f"{settings.ca_file.parent} --name HOST`, where clients connect to HOST, {_OR_OFF}"
        )
    if missing:
        raise UsageError(
            f"{missing[0]} does not exist, and gRPC needs it: create it with `matchboxctl certs`, {_OR_OFF}"
        )
    return contents
