"""The certificates of the gRPC server, checked at the start: clients that refuse a server wait in silence."""

from datetime import UTC, datetime
from pathlib import Path
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

_UNSPECIFIED = ("0.0.0.0", "::")  # noqa: S104 (compared, not bound)


class Certificates(NamedTuple):
    """PEM files for TLS; `warnings` are why some clients may refuse the server."""

    authority: bytes
    chain: bytes
    key: bytes
    warnings: list[str]


def certificates(settings: RpcSettings) -> Certificates:
    """The certificates of the settings. Raises UsageError if they can serve no client."""
    authority, chain, key = (
        _read(flag, path)
        for flag, path in (
            ("--ca-file (MATCHBOX_CA_FILE)", settings.ca_file),
            ("--cert-file (MATCHBOX_CERT_FILE)", settings.cert_file),
            ("--key-file (MATCHBOX_KEY_FILE)", settings.key_file),
        )
    )
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


def _read(flag: str, path: Path) -> bytes:
    try:
        return read_pem(path)
    except MissingFileError as error:
        raise UsageError(
            f"{flag} {str(path)!r} does not exist, and gRPC needs it: create it with `matchboxctl certs`, or turn gRPC "
            "off (no --rpc-address, no MATCHBOX_RPC_ADDRESS)"
        ) from error
    except UsageError as error:
        raise UsageError(f"{flag}: {error}") from error
