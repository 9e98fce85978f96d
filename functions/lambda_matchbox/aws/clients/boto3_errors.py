"""Translation of boto3's exceptions."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,  # noqa: A004 (boto3's own)
    EndpointConnectionError,
    NoCredentialsError,
    PartialCredentialsError,
    SSLError,
)

from lambda_matchbox.aws.clients.errors import AWSError, UnreachableError, is_transient
from lambda_matchbox.errors import StoreUnavailableError
from lambda_matchbox.http_reasons import reason


@contextmanager
def translated() -> Iterator[None]:
    """Raise AWSError if AWS refuses a call in the body, StoreUnavailableError if it does not answer or throttles.

    boto3 has retried by then.
    """
    try:
        yield
    except ClientError as error:
        details = error.response["Error"]
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        refusal = AWSError(details.get("Code", str(status)), details.get("Message", "no reason given"), status)
        if is_transient(refusal):
            raise StoreUnavailableError(str(refusal)) from error
        raise refusal from error
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise StoreUnavailableError(
            "no AWS credentials: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        ) from error
    except EndpointConnectionError as error:
        raise UnreachableError(f"cannot connect to {error.kwargs['endpoint_url']}") from error
    except SSLError as error:
        # That of a wrong host name is urllib3's own.
        cause = error.kwargs["error"].args[0]
        why = reason(cause) if isinstance(cause, OSError) else f"its certificate is not valid: {cause}"
        raise UnreachableError(f"cannot connect to {error.kwargs['endpoint_url']}: {why}") from error
    except ConnectionError as error:
        raise UnreachableError(str(error)) from error
    except (_boto3_error(), BotoCoreError) as error:
        raise StoreUnavailableError(str(error)) from error


def _boto3_error() -> type[Exception]:
    # Imported for an error only: it brings all of boto3, which few callers need.
    from boto3.exceptions import Boto3Error

    return Boto3Error
