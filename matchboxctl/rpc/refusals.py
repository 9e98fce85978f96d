"""What is a client told of what went wrong? matchbox's words, and a code of gRPC."""

from grpc import StatusCode

from lambda_matchbox.aws.catalog.items import UnwritableError
from lambda_matchbox.aws.clients.errors import AWSError
from lambda_matchbox.catalog.labels import InvalidMACError
from lambda_matchbox.documents.json_text import DocumentError
from lambda_matchbox.errors import MatchboxError, StoreUnavailableError
from matchboxctl.cli.errors import UsageError
from matchboxctl.documents.faults import FileError
from matchboxctl.rpc.go_metadata import MetadataError


class RefusedError(MatchboxError):
    """A request that is refused, with the code and the message that its client is told."""

    def __init__(self, code: StatusCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


# What matchbox refuses as well is Unknown, as with matchbox.
_CODES: tuple[tuple[type[Exception], StatusCode], ...] = (
    (MetadataError, StatusCode.UNKNOWN),
    (DocumentError, StatusCode.UNKNOWN),
    (FileError, StatusCode.UNKNOWN),
    (UnwritableError, StatusCode.INVALID_ARGUMENT),
    (StoreUnavailableError, StatusCode.UNAVAILABLE),
    (AWSError, StatusCode.UNAVAILABLE),
    # Credentials that have gone.
    (UsageError, StatusCode.UNAVAILABLE),
)

_NO_MAC = "invalid MAC address"

EXPECTED: tuple[type[Exception], ...] = (RefusedError, InvalidMACError, *(kind for kind, _ in _CODES))
"""The errors that `refusal_of` knows."""


def refusal_of(error: Exception) -> RefusedError:
    """What the client is told of one of the EXPECTED errors."""
    if isinstance(error, RefusedError):
        return error
    if isinstance(error, InvalidMACError):
        return RefusedError(StatusCode.UNKNOWN, f"address {error.text}: {_NO_MAC}" if error.text else _NO_MAC)
    code = next(code for kind, code in _CODES if isinstance(error, kind))
    return RefusedError(code, str(error))
