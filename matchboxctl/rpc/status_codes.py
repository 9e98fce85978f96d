"""gRPC's status codes of errors, with matchbox's messages."""

from grpc import StatusCode

from lambda_matchbox.aws.catalog.items import UnwritableError
from lambda_matchbox.aws.clients.errors import AWSError
from lambda_matchbox.errors import DocumentError, MatchboxError, StoreUnavailableError
from lambda_matchbox.golang.hardware_address import InvalidMACError
from matchboxctl.cli.errors import UsageError
from matchboxctl.documents.protocol import FileError


class StatusError(MatchboxError):
    """The status that ends a call: its code and its message."""

    def __init__(self, code: StatusCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


# matchbox answers Unknown to everything that it refuses.
_CODES: tuple[tuple[type[Exception], StatusCode], ...] = (
    (DocumentError, StatusCode.UNKNOWN),
    (FileError, StatusCode.UNKNOWN),
    (UnwritableError, StatusCode.INVALID_ARGUMENT),
    (StoreUnavailableError, StatusCode.UNAVAILABLE),
    (AWSError, StatusCode.UNAVAILABLE),
    # Credentials that have expired.
    (UsageError, StatusCode.UNAVAILABLE),
)

_INVALID_MAC = "invalid MAC address"

EXPECTED_ERRORS: tuple[type[Exception], ...] = (StatusError, InvalidMACError, *(kind for kind, _ in _CODES))
"""The errors that `status_of` translates."""


def status_of(error: Exception) -> StatusError:
    """The status for one of EXPECTED_ERRORS."""
    if isinstance(error, StatusError):
        return error
    if isinstance(error, InvalidMACError):
        message = f"address {error.text}: {_INVALID_MAC}" if error.text else _INVALID_MAC
        return StatusError(StatusCode.UNKNOWN, message)
    code = next(code for kind, code in _CODES if isinstance(error, kind))
    return StatusError(code, str(error))
