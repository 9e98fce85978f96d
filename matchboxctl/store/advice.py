"""Advice for the operator on errors of table, bucket and files."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lambda_matchbox.aws.clients.errors import AWSError, UnreachableError
from lambda_matchbox.errors import MatchboxError, StoreUnavailableError
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
    try:
        with _translated():
            yield
    except AWSError as error:
        raise FailedError(f"{where}: {with_advice(error)}") from error
    except StoreUnavailableError as error:
        if type(error.__cause__).__name__ in ("NoCredentialsError", "PartialCredentialsError"):
            raise UsageError(str(error)) from error
        # Without a connection the endpoint says more than the names.
        raise FailedError(
            with_advice(error) if isinstance(error, UnreachableError) else f"{where}: {with_advice(error)}"
        ) from error
    except MatchboxError as error:
        from lambda_matchbox.aws.catalog.items import UnwritableError

        if isinstance(error, UnwritableError):
            raise FailedError(f"{where}: {error}; everything before it was written") from error
        raise


@contextmanager
def _translated() -> Iterator[None]:
    """Translate errors of boto3, if it is loaded: light clients do without."""
    try:
        yield
    except Exception:
        if "botocore" not in sys.modules:
            raise
        from lambda_matchbox.aws.clients.boto3_errors import translated

        with translated():
            raise
