"""Can these certificates serve gRPC with mutual TLS? Clients that do not trust a server wait in silence."""

from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from matchboxctl.certs.faults import (
    Trust,
    authority_faults,
    name_fault,
    server_faults,
    serving_faults,
    signer,
)
from matchboxctl.certs.files import MissingFileError, certificates_in, check_key, key_in, pem_in
from matchboxctl.cli.errors import UsageError
from matchboxctl.rpc.arguments import RpcSettings

_EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 (compared, not bound)


class Certificates(NamedTuple):
    """What TLS needs, in PEM; `notes` are lines for an operator whose clients may not trust this server."""

    authority: bytes
    chain: bytes
    key: bytes
    notes: list[str]


def certificates(settings: RpcSettings) -> Certificates:
    """The certificates of the settings. Raises UsageError, with one line, where no client could be served with them."""
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
    for fault in serving_faults(file, parsed[0]):
        raise UsageError(fault)
    now, host = datetime.now(UTC), settings.address.host
    elsewhere = None if host in _EVERYWHERE else name_fault(file, parsed[0], host)
    vouching = signer(parsed, trust, now)
    notes = [
        *([elsewhere] if elsewhere else []),
        *server_faults(file, parsed, trust, now),
        *(authority_faults(settings.ca_file, vouching, now) if vouching else []),
    ]
    return Certificates(authority, chain, key, notes)


def _read(flag: str, path: Path) -> bytes:
    try:
        return pem_in(path)
    except MissingFileError as error:
        raise UsageError(
            f"{flag} {str(path)!r} is not there, and gRPC needs it: `matchboxctl certs` makes such files; "
            "without --rpc-address (MATCHBOX_RPC_ADDRESS) there is no gRPC"
        ) from error
    except UsageError as error:
        raise UsageError(f"{flag}: {error}") from error
