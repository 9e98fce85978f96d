"""Advice for the operator on errors of table, bucket and files."""

from collections.abc import Iterator
from contextlib import contextmanager

from lambda_matchbox.aws.clients.errors import AWSError
from lambda_matchbox.errors import StoreUnavailableError
from matchboxctl.cli.errors import FailedError, UsageError
from matchboxctl.store.mode import StoreSettings

_ABSENT = ("ResourceNotFoundException", "NoSuchBucket", "404")
_FORBIDDEN = ("AccessDeniedException", "AccessDenied", "403", "UnrecognizedClientException", "InvalidAccessKeyId")
_INVALID = ("InvalidSignatureException", "SignatureDoesNotMatch", "ExpiredToken", "ExpiredTokenException")


def with_advice(error: AWSError) -> str:
    """What AWS refused, and what to do about it."""
    # boto3's error names the operation.
    reason = error.__cause__ or error
    if error.code in _ABSENT:
        return f"{reason}; create table and bucket with `matchboxctl init`"
    if error.code in _INVALID:
        return f"{reason}; check the credentials"
    return f"{reason}; check the permissions of these credentials" if error.code in _FORBIDDEN else str(reason)


@contextmanager
def advising() -> Iterator[None]:
    """Raise FailedError with advice for what files, table or bucket refuse in the body."""
    try:
        yield
    except OSError as error:
        raise FailedError(str(error) if error.filename is None else f"{error.filename}: {error.strerror}") from error
    except AWSError as error:
        raise FailedError(with_advice(error)) from error


@contextmanager
def advising_on(store: StoreSettings) -> Iterator[None]:
    """Raise UsageError or FailedError with advice for errors of boto3, table and bucket in the body."""
    # Imported where they are needed: directory mode does without boto3.
    from botocore.exceptions import EndpointConnectionError, NoCredentialsError, PartialCredentialsError

    from lambda_matchbox.aws.catalog.items import UnwritableError
    from lambda_matchbox.aws.clients.boto3_errors import translated

    try:
        with translated():
            yield
    except AWSError as error:
        raise FailedError(f"{store.description}: {with_advice(error)}") from error
    except UnwritableError as error:
        raise FailedError(f"{store.description}: {error}; everything before it was written") from error
    except StoreUnavailableError as error:
        if isinstance(error.__cause__, (NoCredentialsError, PartialCredentialsError)):
            raise UsageError(str(error)) from error
        if isinstance(error.__cause__, EndpointConnectionError):
            raise FailedError(f"{store.description}: {error}; check the endpoint and the network") from error
        raise FailedError(f"{store.description}: {error}; run the same command again") from error
