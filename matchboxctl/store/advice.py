"""Advice for the operator on errors of table, bucket and files."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lambda_matchbox.aws.clients.errors import AWSError
from lambda_matchbox.errors import StoreUnavailableError
from matchboxctl.cli.errors import FailedError, UsageError
from matchboxctl.store.aws_errors import with_advice
from matchboxctl.store.mode import StoreSettings, chosen_store


@contextmanager
def chosen_with_advice(data_path: str, stack: str) -> Iterator[StoreSettings | Path]:
    """The chosen store. Raises FailedError with advice for what files, table or bucket refuse in the body."""
    store = chosen_store(data_path, stack)
    with advice_on(store):
        yield store


@contextmanager
def advice_on(store: StoreSettings | Path) -> Iterator[None]:
    """Raise FailedError with advice for what files, table or bucket refuse in the body."""
    try:
        yield
    except OSError as error:
        raise FailedError(str(error) if error.filename is None else f"{error.filename}: {error.strerror}") from error
    except AWSError as error:
        where = str(store) if isinstance(store, Path) else store.description
        raise FailedError(f"{where}: {with_advice(error)}") from error


@contextmanager
def advising_on(store: StoreSettings, where: str = "") -> Iterator[None]:
    """Raise UsageError or FailedError with advice for errors of boto3, table and bucket in the body.

    Messages call what the body works on `where`, or by the names of table and bucket.
    """
    where = where or store.description
    # Imported where they are needed: directory mode does without boto3.
    from botocore.exceptions import EndpointConnectionError, NoCredentialsError, PartialCredentialsError

    from lambda_matchbox.aws.catalog.items import UnwritableError
    from lambda_matchbox.aws.clients.boto3_errors import translated

    try:
        with translated():
            yield
    except AWSError as error:
        raise FailedError(f"{where}: {with_advice(error)}") from error
    except UnwritableError as error:
        raise FailedError(f"{where}: {error}; everything before it was written") from error
    except StoreUnavailableError as error:
        if isinstance(error.__cause__, (NoCredentialsError, PartialCredentialsError)):
            raise UsageError(str(error)) from error
        if isinstance(error.__cause__, EndpointConnectionError):
            raise FailedError(f"{error}; check the endpoint and the network") from error
        raise FailedError(f"{where}: {error}; run the same command again") from error
